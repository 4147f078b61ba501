"""The process in which one candidate runs alone: reads what to run from stdin, prints its peak memory."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

import torch

from dsct_detrex.bench.contracts import Candidate, Setting, Size
from dsct_detrex.bench.discovery import find_suite
from dsct_detrex.bench.memory import own_peak
from dsct_detrex.bench.rivals import recognise


def main() -> int:
    request = json.load(sys.stdin)
    torch.set_num_threads(request["threads"])
    setting = _setting(request)
    candidate = _candidate(request, setting)  # kept: what it has set up, a folder for example, goes with it
    ready = candidate.build()
    print(json.dumps(asdict(own_peak(ready.run, setting.device))))
    return 0


def _setting(request: dict[str, Any]) -> Setting:
    sizes, hosts = request["sizes"], request["hosts"]
    return Setting(
        device=torch.device(request["device"]),
        sizes=None if sizes is None else tuple(Size(**size) for size in sizes),
        hosts=None if hosts is None else tuple(hosts),
        quick=request["quick"],
        rivals=tuple(recognise(folder) for folder in request["rivals"]),
    )


def _candidate(request: dict[str, Any], setting: Setting) -> Candidate:
    cases = find_suite(request["suite"]).cases(setting)
    case = next(case for case in cases if case.name == request["case"])
    return next(one for one in case.candidates if one.name == request["candidate"])


if __name__ == "__main__":
    sys.exit(main())
