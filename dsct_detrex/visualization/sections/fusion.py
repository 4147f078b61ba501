"""What fusion does in every decoder layer: one figure, and a sentence for each model that has no fusion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsct_detrex.counting import counted
from dsct_detrex.visualization import plots
from dsct_detrex.visualization.blocks import Block, Figure, Note, Section

_LEAD = (
    "Fusion can gather contexts, or hand a subject back to itself. Means over the subjects that speak for a person: "
    "docs/fusion.md."
)
_SAID = {"largest": "largest weight {:.2f}", "effective": "{:.1f} contexts in effect", "cosine": "cosine {:.2f}"}


def fusion(content: Mapping[str, Any]) -> Section | None:
    """The section; None where no model fuses.

    Args:
        content: ``groups`` and ``checkpoints`` (``diagnosis/command_line.py``).
    """
    measured = [one for one in content["checkpoints"] if one["layers"]]
    if not measured:
        return None
    blocks: list[Block] = [
        Figure.drawn(
            plots.fusion_sheet,
            "fusion",
            content=content,
            alt="What fusion does, layer by layer: " + "; ".join(_layers(one) for one in measured),
            caption="A largest weight near 1 listens to one context alone; a cosine near 1 adds a copy of the subject "
            "to itself. The gradient is that of the emotions' loss; contexts of the last layer do nothing but being "
            "fused.",
        )
    ]
    notes = [f"{one['name']} {one['note']}." for one in content["checkpoints"] if one["note"]]
    if notes:
        blocks.append(Note(notes))
    said = ", ".join(f"{one['name']}: {one['found']} of {counted(one['people'], 'person')} found" for one in measured)
    on = f"Measured on {counted(measured[0]['images'], 'unseen picture')} ({said})."
    return Section("fusion", "What fusion does", blocks, f"{_LEAD} {on}")


def _layers(checkpoint: Mapping[str, Any]) -> str:
    return f"{checkpoint['name']} " + ", ".join(
        f"layer {layer['layer']} "
        + " and ".join(
            words.format(layer["people"][name]) for name, words in _SAID.items() if layer["people"][name] is not None
        )
        for layer in checkpoint["layers"]
    )
