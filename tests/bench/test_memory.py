"""Peak memory of a run, here and in a process of its own."""

import subprocess
import sys

import pytest

from dsct_detrex.bench.contracts import Setting, Size
from dsct_detrex.bench.memory import peak_in_child
from dsct_detrex.errors import UserError

MIB = 2**20

_TAKES = """
import torch
from dsct_detrex.bench.memory import own_peak

taking = own_peak(lambda: torch.ones(64 * 2**20 // 4).sum(), torch.device("cpu"))
idle = own_peak(lambda: None, torch.device("cpu"))
print(taking.peak, taking.work, idle.work)
"""


def test_what_a_run_takes_for_a_moment_counts() -> None:
    """In a process of its own: one that has kept freed memory takes no more of it."""
    done = subprocess.run([sys.executable, "-c", _TAKES], check=True, capture_output=True, text=True)
    peak, work, idle = map(int, done.stdout.split())
    assert work >= 60 * MIB
    assert peak > work
    assert idle < 30 * MIB, "the peak before is forgotten"


def test_in_a_process_of_its_own() -> None:
    """A candidate that reads files which its case has written, and that is all the process keeps."""
    setting = Setting(sizes=(Size(64, 64),))
    case = "one JPEG of 64x64"
    memory = peak_in_child("data", case, "and augmented to train", setting, 1)
    assert 0 < memory.work < memory.peak
    with pytest.raises(UserError, match=r"its process ended without an answer \(StopIteration\)"):
        peak_in_child("data", case, "no such candidate", setting, 1)
