"""When the Triton backend is chosen, what it says where it cannot run, and that it costs nothing until it does."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError

import pytest
import torch
from torch import Tensor

from dsct_detrex.errors import UserError
from dsct_detrex.ops import available_backends, triton_backend, use_backend
from dsct_detrex.ops.backends import choose_backend
from tests.ops.triton_cases import POINTS, make_call


class OnGpu:
    """Of a tensor on a GPU, what the choice of a backend asks for."""

    is_cuda, is_meta, device = True, False, torch.device("cuda:0")

    def __init__(self, channels: int = 32, dtype: torch.dtype = torch.float32) -> None:
        self.shape, self.dtype = (1, 1, 1, channels), dtype


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[tuple[int, int], bool], None]]:
    """Pretend a GPU of this capability, with triton or without."""

    def pretend(capability: tuple[int, int], installed: bool) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
        monkeypatch.setattr(triton_backend, "is_installed", lambda: installed)
        triton_backend._compiles_for.cache_clear()

    yield pretend
    triton_backend._compiles_for.cache_clear()


def test_the_order_of_choice() -> None:
    names = [name for name in available_backends() if name != "detrex"]
    assert names == ["triton", "triton-deterministic", "numba", "pytorch"]


@pytest.mark.parametrize(
    ("capability", "installed", "value", "chosen"),
    [
        ((9, 0), True, OnGpu(), "triton"),
        ((7, 0), True, OnGpu(4096, torch.bfloat16), "triton"),
        ((6, 1), True, OnGpu(), "pytorch"),
        ((9, 0), False, OnGpu(), "pytorch"),
        ((9, 0), True, OnGpu(4097), "pytorch"),
        ((9, 0), True, OnGpu(dtype=torch.float8_e4m3fn), "pytorch"),
    ],
)
def test_what_runs_on_a_gpu(
    gpu: Callable[[tuple[int, int], bool], None],
    capability: tuple[int, int],
    installed: bool,
    value: Tensor,
    chosen: str,
) -> None:
    gpu(capability, installed)
    assert choose_backend(value).name == chosen


def test_the_interpreter_is_never_chosen_but_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton_backend, "is_installed", lambda: True)
    value = torch.zeros(1, 1, 1, 8)
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert choose_backend(value).name in ("numba", "pytorch")
    with use_backend("triton"):
        assert choose_backend(value).name == "triton"
    monkeypatch.setenv("TRITON_INTERPRET", "0")
    message = (
        "use_backend asks for the deformable-attention backend 'triton', which cannot run on a torch.float32 tensor on "
        "cpu here: it needs a GPU of compute capability 7.0 or newer, at most 4096 channels a head and the package "
        "triton from 3.3 on (which torch for Linux GPUs brings along from 2.7 on)."
    )
    with use_backend("triton"), pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        choose_backend(value)


def test_a_variable_set_too_late_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    tile = pytest.importorskip("dsct_detrex.ops.triton_tile", exc_type=ImportError)
    monkeypatch.setattr(tile, "INTERPRETED", False)
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    with pytest.raises(UserError, match=r"only if TRITON_INTERPRET=1 was set before triton was imported"):
        make_call(POINTS, [(3, 4)]).attend("triton")


def test_triton_is_imported_only_when_it_runs() -> None:
    """Importing it would slow every command."""
    code = (
        "import sys, torch; from dsct_detrex.info import describe_machine; from dsct_detrex.ops.backends import "
        "choose_backend; describe_machine(); choose_backend(torch.zeros(1, 1, 1, 1)); print('triton' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split()[-1] == "False"


@pytest.mark.parametrize(
    ("versions", "usable"),
    [
        ({"triton": "3.2.0"}, False),
        ({"triton": "3.3.0"}, True),
        ({"triton": "3.10.1"}, True),
        ({"pytorch-triton-rocm": "3.4.0+gitabc"}, True),
        ({}, False),
    ],
)
def test_versions_whose_numbers_are_wrong_are_passed_over(
    versions: dict[str, str], usable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """triton 3.0 and 3.2, measured in their interpreter: results 0.13 from PyTorch's; 3.3.1: within rounding."""

    def version(package: str) -> str:
        if package not in versions:
            raise PackageNotFoundError(package)
        return versions[package]

    monkeypatch.setattr(triton_backend, "version", version)
    monkeypatch.setattr(triton_backend.importlib.util, "find_spec", lambda name: object())
    assert triton_backend.is_installed.__wrapped__() == usable
