"""The pictures of a CAER-S download, and which of them a validation split takes.

The download has no validation split. Ours is the end of every class folder of ``train/``: frames of one clip have
neighbouring numbers, so that an end has fewer clips in common with the rest than pictures drawn by lot.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dsct_detrex.data.dataset import SPLITS
from dsct_detrex.data.sets.caer_s.labels import CAER_NAMES
from dsct_detrex.errors import UserError
from dsct_detrex.structures import CAER_S

_PICTURES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".webp"))
_NAMED = 3


@dataclass(frozen=True)
class Frame:
    """One picture.

    Attributes:
        split: ``train``, ``val`` or ``test``; whose box file it goes into.
        path: below the folder of the pictures, with slashes, e.g. ``train/Anger/0001.png``.
        label: name of its class.
        file: where it is.
    """

    split: str
    path: str
    label: str
    file: Path


def frames_of(images: Path) -> tuple[list[Frame], list[str]]:
    """All pictures in class folders, in order, and sentences about what else was seen.

    Args:
        images: the folder with ``train/`` and ``test/``, and ``val/`` if there is one.

    Raises:
        UserError: no picture, or one class has two folders in a split.
    """
    frames: list[Frame] = []
    strangers: list[str] = []
    for split in SPLITS:
        classes: dict[int, Path] = {}
        for folder in sorted(path for path in (images / split).glob("*") if not _is_hidden(path)):
            emotion = CAER_NAMES.find(folder.name) if folder.is_dir() else None
            if emotion is None:
                strangers.append(f"{split}/{folder.name}")
                continue
            if emotion in classes:
                raise UserError(
                    f"CAER-S: {images / split} has two folders of {CAER_S.names[emotion]}: {classes[emotion].name} and "
                    f"{folder.name}. Put their pictures into one."
                )
            classes[emotion] = folder
            inside = sorted((path for path in folder.iterdir() if not _is_hidden(path)), key=_number_first)
            pictures = [path for path in inside if _is_picture(path)]
            strangers += [f"{split}/{folder.name}/{path.name}" for path in inside if path not in set(pictures)]
            label = CAER_S.names[emotion]
            frames += [Frame(split, f"{split}/{folder.name}/{path.name}", label, path) for path in pictures]
    if not frames:
        raise UserError(
            f"CAER-S: no pictures in class folders under {images}. Expected e.g. {images / 'train/Anger/0001.png'}."
        )
    return frames, [_passed_over(strangers)] if strangers else []


def with_validation(frames: Sequence[Frame], share: float) -> list[Frame]:
    """The end of every class of ``train`` becomes ``val``: ``share`` of its pictures, rounded up, never all of them.

    Args:
        share: from 0 to below 1; 0 takes none.
    """
    classes: defaultdict[str, list[Frame]] = defaultdict(list)
    for frame in frames:
        if frame.split == "train":
            classes[frame.label].append(frame)
    taken = {frame.path for group in classes.values() for frame in group[len(group) - _part(share, len(group)) :]}
    return [replace(frame, split="val") if frame.path in taken else frame for frame in frames]


def _part(share: float, count: int) -> int:
    return min(math.ceil(share * count - 1e-9), count - 1)  # 0.07 of 100 is a little above 7 in floating point


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".") or path.name == "__MACOSX"


def _is_picture(path: Path) -> bool:
    """A line of a box file cannot name what has no printable name."""
    return path.suffix.lower() in _PICTURES and path.name.isprintable() and path.is_file()


def _number_first(path: Path) -> tuple[int, str]:
    digits = re.search(r"\d+", path.stem)
    return (int(digits[0]) if digits else -1), path.name


def _passed_over(strangers: Sequence[str]) -> str:
    more = f" and {len(strangers) - _NAMED:,} more" if len(strangers) > _NAMED else ""
    return f"passed over, being no pictures in class folders: {', '.join(map(ascii, strangers[:_NAMED]))}{more}"
