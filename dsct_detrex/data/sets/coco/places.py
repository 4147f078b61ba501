"""Where the annotation file and the pictures of a split are, in the layouts that labelling tools export.

====================================================  ==========================================
annotation file                                       written by
====================================================  ==========================================
``annotations/train.json``, ``train.json``            by hand, Label Studio, scripts
``annotations/instances_train.json``                  CVAT
``annotations/instances_train2017.json``              COCO itself
``train/_annotations.coco.json``                      Roboflow (``valid`` for ``val``)
``train/labels.json``, ``train/result.json``          FiftyOne, Label Studio
``train/annotations.json``                            others
``annotations/instances_default.json``                CVAT without subsets
``result.json``, ``labels.json``                      Label Studio, FiftyOne
``_annotations.coco.json``                            Roboflow without a split
====================================================  ==========================================

The last three hold everything in one; they are read as ``train``, of which ``held_out.py`` keeps a share for ``val``.

Pictures are looked for in ``train/``, ``train2017/``, ``images/train/``, beside the file, in ``images/`` and in the
root.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from dsct_detrex.data.checks import DataReport
from dsct_detrex.data.dataset import SPLITS
from dsct_detrex.data.picture_names import PictureNames, parts_of
from dsct_detrex.data.places import AbsentSplitError, first_file, named_file
from dsct_detrex.errors import UserError
from dsct_detrex.paths import user_path

Annotations = str | Mapping[str, str | None] | None
"""One file name (``{split}`` is filled in), or one for each split; None where the layout says it."""

_WORDS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}
_PATTERNS = (
    "{}.json",
    "annotations/{}.json",
    "annotations/instances_{}.json",
    "annotations/instances_{}20[0-9][0-9].json",
    "{}/_annotations.coco.json",
    "{}/annotations.json",
    "{}/labels.json",
    "{}/result.json",
)
_UNDIVIDED = ("annotations/instances_default.json", "result.json", "labels.json", "_annotations.coco.json")
"""Exports without splits, read as train where it has no file of its own."""
_UNDIVIDED_PICTURES = ("images", "images/default", "data")
_PICTURES = ("{}", "{}20[0-9][0-9]", "images/{}", "images/{}20[0-9][0-9]", "{}/images", "{}/data")
_MOST_SHOWN = 5
HELD_OUT = "data.held_out"
"""The key that says which share of train is kept for val."""


def annotation_file(root: Path, split: str, annotations: Annotations) -> Path:
    """The file of a split.

    Raises:
        UserError: there is none (lists the JSON files that are there), there are several, or a key of the mapping is no
            split.
    """
    named = _named(annotations, split)
    if named is not None:
        return named_file(named, split, root, "coco")
    found = _found(root, split)
    if len(found) > 1:
        raise UserError(
            f"{root} has several annotation files for {split}: {_listed(root, found)}. "
            f"Say which is meant with data.annotations.{split}=FILE."
        )
    check_found(root, split, found)
    return found[0]


def check_found(root: Path, split: str, found: Sequence[Path]) -> None:
    """Refuse that there is no annotation file for a split.

    Raises:
        UserError: ``found`` is empty; says what was looked for, and lists the JSON files that are there.
    """
    if not found:
        raise AbsentSplitError(f"coco: no annotations for {split} in {root}. {_remedy(root, split)}")


def _remedy(root: Path, split: str) -> str:
    others = sorted(path for depth in ("*", "*/*", "*/*/*") for path in root.glob(f"{depth}.json"))
    there = f"Its JSON files are: {_listed(root, others)}" if others else "It has no JSON files"
    looked = ", ".join(pattern.format(split) for pattern in _PATTERNS[:3])
    below = [] if has_files(root) else sorted({root / path.relative_to(root).parts[0] for path in others})
    inside = next((folder for folder in below if folder.is_dir() and has_files(folder)), None)
    if inside is not None:
        return f"{there}. Name the folder that holds them as root: {inside}."
    keep = f" Or keep a share of train for it: {HELD_OUT}=0.2." if split == "val" and _found(root, SPLITS[0]) else ""
    return (
        f"Looked for {looked} and the like. {there}. Name the file with data.annotations.{split}=FILE, for dsct data "
        f"with --annotations FILE.{keep}"
    )


def files_there(root: Path, annotations: Annotations) -> dict[str, Path]:
    """Split -> file, for the splits that have one.

    Raises:
        UserError: one that was named is not there, or a split has several.
    """
    if isinstance(annotations, str):
        names = {split: str(user_path(annotations.replace("{split}", split))) for split in SPLITS}
        found = {split: path for split, name in names.items() if (path := first_file([Path(), root], [name]))}
        return found or {SPLITS[0]: annotation_file(root, SPLITS[0], annotations)}
    wanted = [split for split in SPLITS if _named(annotations, split) is not None or _found(root, split)]
    return {split: annotation_file(root, split, annotations) for split in wanted}


def has_files(root: Path) -> bool:
    """Whether some split has a file of one of the layouts."""
    return any(_found(root, split) for split in SPLITS)


def picture_folders(root: Path, split: str, source: Path, images: str | None) -> list[Path]:
    """Folders that may hold the pictures of a split, the most particular first.

    Args:
        source: the annotation file.
        images: what the user says, relative to here or to ``root``; ``{split}`` is filled in.

    Raises:
        UserError: that is not a folder.
    """
    if images is not None:
        name = user_path(images.replace("{split}", split))
        named = [folder for folder in (name, root / name) if folder.is_dir()]
        if not named:
            raise UserError(f"coco: images={images} is not a folder, neither as given nor under {root}.")
        return named[:1]
    return [*_matches(root, split, _PICTURES), source.parent, *(root / name for name in _UNDIVIDED_PICTURES), root]


class CocoPictures:
    """Where the picture of a ``file_name`` is.

    Args:
        folders: to look in, see ``picture_folders``.
        report: counts the names that are spelt in another way on disk.
    """

    def __init__(self, folders: Sequence[Path], report: DataReport) -> None:
        self._folders = folders
        self._report = report
        self._names = PictureNames()

    def locate(self, name: str) -> Path:
        """``a.jpg``, ``train/a.jpg``, ``C:\\export\\a.jpg`` -> the file; folders in front may be those of another disk.

        A file that is not there is where its name says, in the first folder.
        """
        parts = tuple(part for part in parts_of(name) if part not in ("/", ".."))
        for start in range(len(parts)):
            for search in (self._names.exact, self._names.alike):
                found = next(filter(None, (search(folder, parts[start:]) for folder in self._folders)), None)
                if found is not None:
                    if start or search == self._names.alike:
                        self._report.count("respelled_names", f"{name} is {found}")
                    return found
        return self._folders[0].joinpath(*parts)


def _named(annotations: Annotations, split: str) -> str | None:
    if annotations is None or isinstance(annotations, str):
        return annotations
    unknown = [key for key in annotations if key not in SPLITS]
    if unknown:
        raise UserError(f"coco(annotations=) expects files for {', '.join(SPLITS)}. Got {unknown[0]!r}.")
    return annotations.get(split)


def _found(root: Path, split: str) -> list[Path]:
    found = [path for path in _matches(root, split, _PATTERNS) if path.is_file()]
    undivided = [root / name for name in _UNDIVIDED] if split == SPLITS[0] else []
    return found or [path for path in undivided if path.is_file()]


def _matches(root: Path, split: str, patterns: Iterable[str]) -> list[Path]:
    words = [pattern.format(word) for pattern in patterns for word in _WORDS[split]]
    return list(dict.fromkeys(path for word in words for path in sorted(root.glob(word))))


def _listed(root: Path, files: Sequence[Path]) -> str:
    shown = ", ".join(str(path.relative_to(root)) for path in files[:_MOST_SHOWN])
    return f"{shown} and {len(files) - _MOST_SHOWN} more" if len(files) > _MOST_SHOWN else shown
