"""What users and callers are told: backends that do not exist or cannot run, shapes that do not fit."""

import re

import pytest
import torch

from dsct_detrex.errors import UserError
from dsct_detrex.ops import (
    Backend,
    available_backends,
    backends,
    multi_scale_deformable_attn,
    register_backend,
    use_backend,
)
from dsct_detrex.ops import multi_scale_deform_attn as module
from dsct_detrex.ops.backends import choose_backend
from tests.ops.cases import BACKENDS, make_arguments


@pytest.fixture(autouse=True)
def own_backends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the backends of this room, whatever an integration has registered before."""
    own = {name: backends._registered[name] for name in ("pytorch", "numba")}
    monkeypatch.setattr(backends, "_registered", own)


@pytest.fixture
def constant_backend(own_backends: None) -> Backend:
    """A backend that answers zeros, for float64 only, preferred to all others."""
    backend = Backend(
        name="constant",
        forward=lambda value, *others: value.new_zeros(value.shape[0], others[2].shape[1], value.shape[2:].numel()),
        supports=lambda value: value.dtype == torch.float64,
        priority=99,
        needs="float64 tensors",
    )
    register_backend(backend)
    return backend


def test_choice_follows_priority_and_support(constant_backend: Backend) -> None:
    assert available_backends() == ("constant", "numba", "pytorch")
    assert choose_backend(torch.zeros(1, dtype=torch.float64)) is constant_backend
    assert choose_backend(torch.zeros(1)).name == "numba"
    arguments = make_arguments([(3, 4)], dtype=torch.float64)
    assert not multi_scale_deformable_attn(*arguments.all()).any()


def test_numba_declines_more_channels_than_it_can_count() -> None:
    assert choose_backend(torch.zeros(1, 1, 1, 1000)).name == "numba"
    assert choose_backend(torch.zeros(1, 1, 1, 1001)).name == "pytorch"


def test_without_numba_the_reference_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "numba_is_installed", lambda: False)
    assert choose_backend(torch.zeros(1)).name == "pytorch"
    message = (
        "use_backend asks for the deformable-attention backend 'numba', which cannot run on a torch.float32 tensor on "
        "cpu here: it needs tensors on the CPU and the package numba (pip install numba)."
    )
    with use_backend("numba"), pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        multi_scale_deformable_attn(*make_arguments([(3, 4)]).all())


def test_the_environment_variable_chooses_and_the_context_precedes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSCT_MSDA_BACKEND", "pytorch")
    assert choose_backend(torch.zeros(1)).name == "pytorch"
    with use_backend("numba"):
        assert choose_backend(torch.zeros(1)).name == "numba"
    monkeypatch.setenv("DSCT_MSDA_BACKEND", "")
    assert choose_backend(torch.zeros(1)).name == "numba"


def test_a_backend_that_was_asked_for_is_never_replaced(
    constant_backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DSCT_MSDA_BACKEND", "constant")
    with pytest.raises(UserError, match=r"^DSCT_MSDA_BACKEND asks for .* 'constant'.* it needs float64 tensors\.$"):
        multi_scale_deformable_attn(*make_arguments([(3, 4)]).all())


def test_unknown_backends_are_refused_with_the_known_names(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = "asks for an unknown deformable-attention backend 'cudnn'; known are: numba, pytorch."
    with pytest.raises(UserError, match=f"^{re.escape('use_backend ' + expected)}$"), use_backend("cudnn"):
        pass
    monkeypatch.setenv("DSCT_MSDA_BACKEND", "cudnn")
    with pytest.raises(UserError, match=f"^{re.escape('DSCT_MSDA_BACKEND ' + expected)}$"):
        multi_scale_deformable_attn(*make_arguments([(3, 4)]).all())


def test_the_context_ends_with_an_error_inside() -> None:
    with pytest.raises(KeyError), use_backend("pytorch"):
        raise KeyError
    assert choose_backend(torch.zeros(1)).name == "numba"


# position of the argument, what replaces it, what the message must say
MISFITS = [
    (0, torch.zeros(2, 12, 24), "expects value (B, S, H, D) and spatial_shapes (L, 2). Got (2, 12, 24) and (1, 2)."),
    (1, torch.tensor([[3, 4]], dtype=torch.int32), "expects spatial_shapes of dtype torch.int64. Got torch.int32."),
    (2, torch.tensor([0, 12]), "expects level_start_index of shape (1,). Got (2,)."),
    (3, torch.zeros(2, 7, 3, 1, 4), "expects sampling_locations of shape (2, any, 3, 1, any, 2). Got (2, 7, 3, 1, 4)."),
    (
        3,
        torch.zeros(2, 7, 4, 1, 4, 2),
        "expects sampling_locations of shape (2, 7, 3, 1, 4, 2). Got (2, 7, 4, 1, 4, 2).",
    ),
    (4, torch.zeros(2, 6, 3, 1, 4), "expects attention_weights of shape (2, 7, 3, 1, 4). Got (2, 6, 3, 1, 4)."),
]


@pytest.mark.parametrize(("position", "replacement", "message"), MISFITS)
def test_shapes_that_do_not_fit_are_refused(position: int, replacement: torch.Tensor, message: str) -> None:
    arguments = list(make_arguments([(3, 4)]).all())
    arguments[position] = replacement
    with pytest.raises(ValueError, match=re.escape(f"multi_scale_deformable_attn {message}")):
        multi_scale_deformable_attn(*arguments)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("level", "start"), [((3, 5), 0), ((3, 4), 1), ((3, 4), -1)])
def test_a_level_outside_value_is_refused(backend: str, level: tuple[int, int], start: int) -> None:
    arguments = list(make_arguments([(3, 4)]).all())
    arguments[1:3] = torch.tensor([level]), torch.tensor([start])
    message = f"the level of {level[0]} x {level[1]} cells from position {start} on does not fit into value with 12"
    with use_backend(backend), pytest.raises(ValueError, match=message):
        multi_scale_deformable_attn(*arguments)
