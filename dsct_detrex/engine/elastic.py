"""Elastic runs: torchrun starts the processes again after one was lost, or when machines come and go.

What it starts again is the same command, which knows nothing of the attempt before. Whether there was one is told by
the launchers: each torchrun has a name that it keeps from attempt to attempt (of its folder for logs), and a run writes
down the names of those that started it. A launcher found there has started this very run before. Restarts that follow
from machines coming or going count as none in ``TORCHELASTIC_RESTART_COUNT``, so that number cannot be asked.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from dsct_detrex.engine import ddp
from dsct_detrex.engine.checkpoint import last_path

_ERROR_FILE = "TORCHELASTIC_ERROR_FILE"  # <folder of the launcher>/attempt_<n>/<local rank>/error.json
_NOTES = "environment.json"


def launchers() -> list[str]:
    """Names of the launchers of all processes, each once; empty where none can start them again."""
    names = ddp.gather(_own_launcher())
    return list(dict.fromkeys(name for name in names if name))


def starts_again(output_dir: Path) -> bool:
    """Whether a launcher has started the run of a folder before, and there is a ``last.pth`` to go on from.

    All ranks take part and get the same answer. The folder must be one for all machines: it is rank 0 that looks.
    """
    present = launchers()
    if not present:
        return False
    found = ddp.is_main() and last_path(output_dir).exists() and bool(set(present) & set(_noted(output_dir)))
    return ddp.from_main(found)


def _own_launcher() -> str | None:
    """A name that no other launcher has; torchrun makes a new folder for each."""
    parts = Path(os.environ.get(_ERROR_FILE, "")).parts[:-3]
    return "/".join(parts[-2:]) if ddp.under_torchrun() and parts else None


def _noted(output_dir: Path) -> list[str]:
    """The launchers that a run wrote into ``environment.json``; none where it cannot be read."""
    try:
        noted = json.loads((output_dir / _NOTES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [str(name) for name in noted.get("launchers", [])]
