"""The tables on a terminal of 100 columns: a measure in each row, a decoder layer in each column."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dsct_detrex.counting import counted
from dsct_detrex.diagnosis.measures import MEASURES
from dsct_detrex.evaluation.formatting import MISSING, percent

WIDTH = 100
_NAME = 46
_CELL = 9
_ABREAST = (WIDTH - _NAME) // _CELL

Row = Mapping[str, Any]


def lines(content: Mapping[str, Any]) -> Iterator[str]:
    """All checkpoints, without line ends.

    Args:
        content: see ``command_line.content_of``.
    """
    for number, checkpoint in enumerate(content["checkpoints"]):
        if number:
            yield ""
        yield from _checkpoint(checkpoint, content["groups"])


def _checkpoint(checkpoint: Row, groups: Sequence[str]) -> Iterator[str]:
    if checkpoint["note"]:
        yield from _wrapped(f"{checkpoint['name']}: {checkpoint['note']}.")
        return
    found = f"{checkpoint['found']:,} of {counted(checkpoint['people'], 'person')} found"
    yield from _wrapped(f"{checkpoint['name']}: {checkpoint['pictures']}; {found}.")
    layers = checkpoint["layers"]
    for first in range(0, len(layers), _ABREAST):
        yield ""
        yield from _block(checkpoint, layers[first : first + _ABREAST], groups)
    for reason, what in (("no_places", "What the weight lies on"), ("no_gradient", "Gradients")):
        if checkpoint[reason]:
            yield ""
            yield from _wrapped(f"{what}: not measured, for {checkpoint[reason]}.")


def _block(checkpoint: Row, layers: Sequence[Row], groups: Sequence[str]) -> Iterator[str]:
    yield _line("", [f"layer {layer['layer']}" for layer in layers])
    subjects = counted(checkpoint["subjects"], "subject")
    for who, title in (("people", "subjects that speak for a person"), ("subjects", f"all {subjects} of a picture")):
        yield f"{title}, mean"
        for name, said in MEASURES.items():
            yield _line(f"  {said}", [_number(layer[who][name]) for layer in layers])
    if not checkpoint["no_places"]:
        yield "share of that weight (of all contexts) on"
        for index, group in enumerate(groups):
            yield _line(f"  {group}", [_shares(layer, index) for layer in layers])
    if not checkpoint["no_gradient"]:
        yield "gradient of the emotions' loss that reaches contexts, mean norm"
        for way, said in (("fusion", "through the fusion of this layer"), ("rest", "through everything else")):
            yield _line(f"  {said}", [_norm(layer["gradient"][way]) for layer in layers])
        yield _line("  fusion, of both", [_part(layer["gradient"]) for layer in layers])


def _line(name: str, cells: Sequence[str]) -> str:
    return (name.ljust(_NAME) + "".join(cell.rjust(_CELL) for cell in cells)).rstrip()


def _number(value: float | None) -> str:
    return MISSING if value is None else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def _norm(value: float) -> str:
    return f"{value:.2g}" if value == 0 or 1e-3 <= value < 1e3 else f"{value:.1e}"


def _part(gradient: Row) -> str:
    both = gradient["fusion"] + gradient["rest"]
    return percent(gradient["fusion"] / both, 0) if both else MISSING


def _shares(layer: Row, index: int) -> str:
    """``30 (4)``, per cent."""
    if layer["contexts"] is None:
        return MISSING
    weight = MISSING if layer["lies_on"] is None else f"{100 * layer['lies_on'][index]:.0f}"
    return f"{weight} ({100 * layer['contexts'][index]:.0f})"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH)
