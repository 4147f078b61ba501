"""Sizes of levels: made without a device that waits, read from it once."""

from __future__ import annotations

import gc

import pytest
import torch
from torch import Tensor

from dsct_detrex.ops import levels
from dsct_detrex.ops.levels import make_levels, read_levels, read_sizes

CPU = torch.device("cpu")


class OnDevice:
    """Plays a tensor that lies on a GPU, and counts how often the GPU is waited for."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor, self.device, self.waited = tensor, torch.device("cuda"), 0

    def tolist(self) -> object:
        self.waited += 1
        return self.tensor.tolist()

    def is_inference(self) -> bool:
        return self.tensor.is_inference()

    @property
    def _version(self) -> int:
        return self.tensor._version


def test_made_levels_lie_side_by_side() -> None:
    shapes, starts = make_levels([(3, 4), (2, 2), (1, 5)], CPU)
    assert shapes.tolist() == [[3, 4], [2, 2], [1, 5]]
    assert starts.tolist() == [0, 12, 16]
    assert shapes.dtype == starts.dtype == torch.int64
    assert read_levels(shapes, starts, 21) == ((3, 4, 0), (2, 2, 12), (1, 5, 16))
    assert read_sizes(shapes) == ((3, 4), (2, 2), (1, 5))


def test_no_levels() -> None:
    shapes, starts = make_levels([], CPU)
    assert shapes.shape == (0, 2)
    assert starts.shape == (0,)


def test_the_same_levels_are_made_once_and_serve_training_after_inference() -> None:
    with torch.inference_mode():
        made = make_levels([(31, 17)], CPU)
    assert make_levels([(31, 17)], CPU)[0] is made[0]
    assert not made[0].is_inference()


def test_shared_levels_do_not_grow_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "_shared", {})
    for height in range(1, 600):
        make_levels([(height, 1)], CPU)
    assert len(levels._shared) <= 256


def test_what_a_tracer_makes_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    monkeypatch.setattr(levels, "_shared", {})
    with FakeTensorMode():
        make_levels([(3, 3)], CPU)
    assert make_levels([(3, 3)], CPU)[0].tolist() == [[3, 3]]


def test_sizes_of_made_levels_are_never_read_from_the_device() -> None:
    shapes, starts = make_levels([(3, 4), (2, 2)], torch.device("meta"))  # reading a meta tensor raises
    assert read_levels(shapes, starts, 16) == ((3, 4, 0), (2, 2, 12))
    with pytest.raises((RuntimeError, NotImplementedError)):
        read_sizes(shapes.clone())


def test_a_tensor_is_read_once() -> None:
    shapes = OnDevice(torch.tensor([[3, 4]]))
    for _ in range(3):
        assert read_sizes(shapes) == ((3, 4),)  # type: ignore[arg-type]
    assert shapes.waited == 1


def test_a_tensor_that_was_written_into_is_read_again() -> None:
    shapes = OnDevice(torch.tensor([[3, 4]]))
    read_sizes(shapes)  # type: ignore[arg-type]
    shapes.tensor[0, 0] = 5
    assert read_sizes(shapes) == ((5, 4),)  # type: ignore[arg-type]
    assert shapes.waited == 2


def test_what_is_remembered_ends_with_its_tensor() -> None:
    shapes = OnDevice(torch.tensor([[3, 4]]))
    identity = id(shapes)
    read_sizes(shapes)  # type: ignore[arg-type]
    assert identity in levels._remembered
    del shapes
    gc.collect()
    assert identity not in levels._remembered


def test_memory_of_the_cpu_may_change_unnoticed() -> None:
    memory = torch.tensor([[3, 4]]).numpy()
    shapes = torch.from_numpy(memory)
    assert read_sizes(shapes) == ((3, 4),)
    memory[0, 0] = 6
    assert read_sizes(shapes) == ((6, 4),)
