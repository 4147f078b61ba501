"""Peak memory of one candidate.

On a CUDA device, what torch's allocator had in use at most during a call. On a CPU the memory of a process is one
heap, so each candidate gets a fresh process that builds it, runs it and tells its peak: ``peak`` is that of the
process, with Python, torch and the weights; ``work`` is what the calls took above what stood before them. It runs
twice, because the first step of an optimizer makes its averages.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

import dsct_detrex
from dsct_detrex.bench.contracts import Setting
from dsct_detrex.errors import UserError

_RUNS = 2
_TIMEOUT = 600


@dataclass(frozen=True)
class Memory:
    """Bytes.

    Attributes:
        peak: of the whole process, or of torch's allocator on a GPU.
        work: of it, what was not there before the first call.
    """

    peak: int
    work: int


def own_peak(run: Callable[[], Any], device: torch.device) -> Memory:
    """Peak of this process, or of the device, while it runs."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        for _ in range(_RUNS):
            run()
        peak = torch.cuda.max_memory_allocated(device)
        return Memory(peak, peak - before)
    _forget_peak()
    before = _resident()
    for _ in range(_RUNS):
        run()
    peak = _peak()
    return Memory(peak, max(0, peak - before))


def peak_in_child(suite: str, case: str, candidate: str, setting: Setting, threads: int) -> Memory:
    """The same in a fresh process.

    Raises:
        UserError: it ended without an answer, for want of memory as a rule; says how.
    """
    request = {"suite": suite, "case": case, "candidate": candidate, "threads": threads, **_as_plain(setting)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "dsct_detrex.bench.child"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(dsct_detrex.__file__).parents[1]), *sys.path])},
    )
    last = (done.stdout.strip().splitlines() or [""])[-1]
    if done.returncode == 0 and last.startswith("{"):
        return Memory(**json.loads(last))
    why = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    raise UserError(f"its process ended without an answer ({why})")


def _as_plain(setting: Setting) -> dict[str, Any]:
    plain = {name: value for name, value in asdict(setting).items() if name != "asked"}
    plain["device"] = str(setting.device)
    plain["rivals"] = [str(rival.folder) for rival in setting.rivals]
    return plain


def _forget_peak() -> None:
    """Let Linux forget the highest it has seen; elsewhere building counts too where it took more than the runs."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """Of this process so far, bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _resident() -> int:
    """Of this process now, bytes; where the system does not tell, the highest so far."""
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return _peak()
