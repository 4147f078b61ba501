"""Peak memory of a run, here and in a process of its own."""

import pytest
import torch

from dsct_detrex.bench.contracts import Setting, Size
from dsct_detrex.bench.memory import own_peak, peak_in_child
from dsct_detrex.errors import UserError

MIB = 2**20


def test_what_a_run_takes_for_a_moment_counts() -> None:
    memory = own_peak(lambda: torch.ones(64 * MIB // 4).sum(), torch.device("cpu"))
    assert memory.work >= 60 * MIB
    assert memory.peak > memory.work
    assert own_peak(lambda: None, torch.device("cpu")).work < 30 * MIB, "the peak before is forgotten"


def test_in_a_process_of_its_own() -> None:
    setting = Setting(sizes=(Size(64, 64),))
    case = "decoder, 300 queries, 64x64, operator, forward"
    memory = peak_in_child("operator", case, "pytorch", setting, 1)
    assert 0 < memory.work < memory.peak
    with pytest.raises(UserError, match=r"its process ended without an answer \(StopIteration\)"):
        peak_in_child("operator", case, "no such candidate", setting, 1)
