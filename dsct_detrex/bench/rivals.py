"""Other people's code that stands on this disk, recognised by its files; nothing of it is imported here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dsct_detrex.errors import UserError
from dsct_detrex.paths import user_path

Kind = Literal["official", "detrex"]

_MARKS: dict[Kind, tuple[str, ...]] = {
    "official": ("models/deformable_transformer_dsct.py", "models/deformable_detr_dsct.py", "models/ops/modules"),
    "detrex": ("detrex/layers/multi_scale_deform_attn.py", "projects/deformable_detr/configs"),
}


@dataclass(frozen=True)
class Rival:
    """A checkout to put beside ours.

    Attributes:
        kind: ``official``, the authors' code of DSCT, or ``detrex``.
        folder: its root.
    """

    kind: Kind
    folder: Path


def recognise(given: str | Path) -> Rival:
    """Tell from its files what a folder is.

    Raises:
        UserError: it is neither, or no folder.
    """
    folder = user_path(given).absolute()
    for kind, marks in _MARKS.items():
        if all((folder / mark).exists() for mark in marks):
            return Rival(kind, folder)
    raise UserError(
        "bench: --against expects a checkout of the official DSCT code (models/deformable_transformer_dsct.py) or of "
        f"detrex (detrex/ and projects/). Got {given}, which {'is neither' if folder.is_dir() else 'is no folder'}."
    )
