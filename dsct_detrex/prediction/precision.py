"""In which precision a prediction multiplies: float32 as evaluations do, or autocast to 16 bits, which is faster where
the device multiplies in 16 bits itself and slower elsewhere (``engine/precision.py``)."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Final

import torch
from torch import Tensor, nn

from dsct_detrex.cli.predict import PRECISIONS as PRECISIONS
from dsct_detrex.engine.precision import multiplies, precision_words
from dsct_detrex.engine.settings import Amp
from dsct_detrex.structures import Instances

_TYPES: Final = {"bfloat16": torch.bfloat16, "float16": torch.float16}
"""In the order of preference: bfloat16 has the range of float32."""


def autocast_for(amp: str, model: nn.Module) -> AbstractContextManager[object]:
    """What the model is called in.

    Args:
        amp: of ``PRECISIONS``.
        model: says on which device.
    """
    if amp == "off":
        return nullcontext()
    first = next(model.parameters(), None)
    if first is None:  # an exported model computes as it was exported
        return nullcontext()
    device = first.device
    settled = _settled(amp, device)
    return torch.autocast(device.type, _TYPES[settled.dtype]) if settled.enabled else nullcontext()


def spoken_precision(amp: str, device: torch.device) -> str:
    """For example ``bfloat16 autocast, slower than float32: this CPU has no bfloat16 arithmetic``."""
    settled = _settled(amp, device)
    return precision_words(Amp("auto", settled.dtype) if amp == "auto" else settled, device)


def in_float32(people: Instances) -> Instances:
    """The same people, no number of whom has 16 bits."""
    fields = {
        name: value.float() if isinstance(value, Tensor) and value.is_floating_point() else value
        for name, value in people.get_fields().items()
    }
    return Instances(people.image_size, **fields)


def _settled(amp: str, device: torch.device) -> Amp:
    if amp in _TYPES:
        return Amp(True, amp)
    able = [name for name in _TYPES if multiplies(name, device)]
    return Amp(amp == "on" or (amp == "auto" and bool(able)), (able or list(_TYPES))[0])
