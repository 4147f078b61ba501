"""What a data set says about itself, once: ``CARD`` of its reader's module, from which everything else takes it.

Help texts, the data doctor, ``data.py``, sweeps, dashboards and the stand-ins know data sets only as these cards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dsct_detrex.data.disk import DiskDataset
from dsct_detrex.structures import Emotions

Write = Callable[[Path, dict[str, int], int, tuple[str, ...], tuple[int, int]], None]
"""(folder, images of each split, seed, kinds of annotation files, (width, height) in pixels) -> files on disk."""


@dataclass(frozen=True)
class StandIn:
    """How drawn scenes are written in a data set's own layout.

    Attributes:
        annotations: kinds of annotation files: ``mat``, ``txt``, ``json``; all are written unless one is asked for.
        write: writes them with their pictures.
    """

    annotations: tuple[str, ...]
    write: Write


@dataclass(frozen=True)
class DataSetCard:
    """A data set on disk.

    Attributes:
        name: for ``--data`` and ``--format``; the name of its module, and of its config in ``configs/common/data``.
        title: how people call it, e.g. ``"EMOTIC"``.
        reader: ``reader(root, split, on_error=..., **options)`` opens one split.
        emotions: its label set; None where its annotation files say it.
        access: how a user gets it, as the beginning of a sentence.
        terms: what its pictures and labels may be used for, for the card of a model trained on it; sentences.
        layout: what its folder holds, for whoever has to choose between data sets, e.g. ``"folders train, test"``.
        recognises: whether a folder holds it.
        options: further arguments of the reader that ``data.py`` may give: ``annotations``, ``boxes``, ``box_format``.
        warning: a sentence to be shown beside any result on it.
        num_subjects: N, the best number of subject queries (Table 5 of the paper); None: as for any other.
        official_counts: name of a published annotation file -> its (images, people).
        stand_in: None where nobody can write one.
    """

    name: str
    title: str
    reader: Callable[..., DiskDataset]
    emotions: Emotions | None
    access: str
    layout: str
    recognises: Callable[[Path], bool]
    options: tuple[str, ...] = ("annotations", "box_format")
    warning: str | None = None
    num_subjects: int | None = None
    official_counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    stand_in: StandIn | None = None
    terms: str = "Its terms are not known here: ask whoever made it."
