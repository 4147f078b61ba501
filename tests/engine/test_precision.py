"""Mixed precision where the machine has arithmetic for it, and what is said of it."""

import pytest
import torch

from dsct_detrex.engine.precision import precision_words, settled
from dsct_detrex.engine.settings import Amp, TrainSettings
from dsct_detrex.errors import UserError

CPU = torch.device("cpu")


@pytest.fixture(params=[True, False])
def has(request, monkeypatch) -> bool:
    """A CPU with and without bfloat16 arithmetic."""
    flags = {"avx512_bf16": request.param, "amx_bf16": False}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags, raising=False)
    return request.param


def test_auto_asks_the_machine(has):
    assert settled(Amp("auto"), CPU) == Amp(has)
    words = precision_words(Amp("auto"), CPU)
    assert words == (
        "bfloat16 autocast, in which this CPU multiplies" if has else "float32: this CPU has no bfloat16 arithmetic"
    )


@pytest.mark.parametrize("asked", [True, False])
def test_what_was_asked_for_is_done(has, asked):
    assert settled(Amp(asked), CPU) == Amp(asked)
    words = precision_words(Amp(asked), CPU)
    slow = "bfloat16 autocast, slower than float32: this CPU has no bfloat16 arithmetic"
    assert words == (("bfloat16 autocast" if has else slow) if asked else "float32")


def test_no_cpu_multiplies_float16(has):
    assert not settled(Amp("auto", "float16"), CPU).enabled


def test_a_torch_that_does_not_tell(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not settled(Amp("auto"), CPU).enabled


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), False), ((8, 0), True), ((9, 0), True)])
def test_gpus_by_their_age(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    cuda = torch.device("cuda")
    assert settled(Amp("auto"), cuda).enabled is expected
    assert settled(Amp("auto", "float16"), cuda).enabled


def test_other_words_are_refused():
    assert TrainSettings.read({"amp": {"enabled": "auto"}}).amp.enabled == "auto"
    with pytest.raises(UserError, match=r"train\.amp\.enabled expects .*auto.*Got 'automatic'"):
        TrainSettings.read({"amp": {"enabled": "automatic"}})
