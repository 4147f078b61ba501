"""Which annotation file of EMOTIC is read, which kind of boxes it has, and where its pictures are.

The kind is stated by the user or by the file: its official name, its variable (``body_bbox``) or its ``info``. It is
never read off a suffix. A folder that has head boxes for some splits and body boxes for the others is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from dsct_detrex.data.catalogue import how_to_get
from dsct_detrex.data.checks import DataReport
from dsct_detrex.data.dataset import SPLITS
from dsct_detrex.data.picture_names import PictureNames, parts_of
from dsct_detrex.data.places import first_file, named_file
from dsct_detrex.errors import UserError

DATABASES = ("mscoco", "framesdb", "emodb_small", "ade20k")
"""The four sources of pictures, folders of the image root."""

UNSTATED = "unstated"
"""The kind of boxes that neither the user nor the file names."""

_BOXES = ("auto", "body", "head")
_ANNOTATION_FOLDERS = ("", "Annotations", "annotations")
_IMAGE_FOLDERS = ("", "emotic", "images", "images/emotic", "emotic/images")
_MAT = "Annotations.mat"
_SAY = "boxes=body or boxes=head (data.boxes.train and data.boxes.test in a config, --boxes of dsct data)"


class Source(NamedTuple):
    """An annotation file and the kind of its boxes: ``head``, ``body``, or ``unstated`` as far as its name says."""

    path: Path
    kind: str


def asked_boxes(boxes: str | Mapping[str, str], split: str, owner: str) -> str:
    """``auto``, ``body`` or ``head`` for a split; a mapping has one for ``train`` and one for ``test`` (and val).

    Raises:
        UserError: anything else; the message names ``owner``, whose argument it is.
    """
    asked: object = boxes
    if isinstance(boxes, Mapping):
        role = "train" if split == "train" else "test"
        if role not in boxes:
            raise UserError(f"{owner}(boxes=) expects a value for {role!r}. Got {dict(boxes)}.")
        asked = boxes[role]
    if asked not in _BOXES:
        raise UserError(f"{owner}(boxes=) expects 'auto', 'body' or 'head'. Got {asked!r}.")
    return str(asked)


def find_source(root: Path, split: str, boxes: str, annotations: str | None) -> Source:
    """The file to read.

    Raises:
        UserError: there is none, the one named has the other kind of boxes, or ``auto`` finds head boxes for some
            splits and body boxes for the others.
    """
    if annotations is not None:
        return _named_source(root, split, boxes, annotations)
    folders = [base / name for base in (root, root.parent) for name in _ANNOTATION_FOLDERS]
    heads = {each: first_file(folders, [_official_name(each)]) for each in SPLITS}
    body = first_file(folders, [_MAT])
    if boxes == "auto" and body is not None:
        _refuse_mixture(heads, body)
    head = heads[split] if boxes in ("auto", "head") else None
    if head is not None:
        return Source(head, "head")
    if body is not None and boxes in ("auto", "body"):
        return Source(body, "body")
    wanted = {"head": _official_name(split), "body": _MAT}
    names = " or ".join(f"{name} ({kind} boxes)" for kind, name in wanted.items() if boxes in ("auto", kind))
    raise UserError(
        f"EMOTIC: no annotations for split {split!r}. Looked for {names} in {root}, in its folders Annotations/ and "
        f"annotations/, and beside it. {how_to_get('emotic')}"
    )


def settled_kind(source: Source, said: str | None, boxes: str) -> str:
    """The kind of boxes, from the user's word, the file's content and its name.

    Raises:
        UserError: the user asks for one kind and the file says that it has the other.
    """
    by_file = said or source.kind
    if boxes != "auto" and by_file not in (boxes, UNSTATED):
        raise UserError(
            f"EmoticDataset: {source.path} has {by_file} boxes, and boxes={boxes} asks for the others. Leave boxes at "
            "auto, or name a file that has them."
        )
    return by_file if boxes == "auto" else boxes


def kind_in_words(kind: str) -> str:
    """``head boxes``, ``body boxes``, or that nobody knows."""
    return "boxes of unstated kind (say boxes=head or boxes=body)" if kind == UNSTATED else f"{kind} boxes"


def _named_source(root: Path, split: str, boxes: str, annotations: str) -> Source:
    path = named_file(annotations, split, root, "emotic")
    if path.suffix.lower() == ".mat":
        if boxes == "head":
            raise UserError(f"EmoticDataset: {path} has body boxes only. Set boxes=body, or name a DSCT JSON file.")
        return Source(path, "body")
    return Source(path, "head" if has_official_name(path) and boxes != "body" else UNSTATED)


def has_official_name(path: Path) -> bool:
    """Whether a file is called like one of the official DSCT files."""
    return path.name in map(_official_name, SPLITS)


def _official_name(split: str) -> str:
    return f"emotic_{split}_bi.json"


def _refuse_mixture(heads: Mapping[str, Path | None], body: Path) -> None:
    """One data set has one kind of boxes; with the official files of two splits, ``auto`` would mix them."""
    present = [str(path) for path in heads.values() if path is not None]
    absent = [_official_name(split) for split, path in heads.items() if path is None]
    if present and absent:
        raise UserError(
            f"EMOTIC: {_listed(present, 'has', 'have')} head boxes and {body} has body boxes, but "
            f"{_listed(absent, 'is', 'are')} not there: the splits would be of different kinds. Say which is meant "
            f"with {_SAY}, or complete the files."
        )


def _listed(names: Sequence[str], one: str, several: str) -> str:
    return f"{', '.join(names)} {one if len(names) == 1 else several}"


def image_root(root: Path) -> Path:
    """The folder that holds ``mscoco/`` and its like.

    Raises:
        UserError: there is none at or under ``root``.
    """
    found = _image_folder(root)
    if found is not None:
        return found
    looked = ", ".join(str(Path(name or ".")) for name in _IMAGE_FOLDERS)
    raise UserError(
        f"EMOTIC: no images under {root}. Looked for one of the folders {', '.join(DATABASES)} in: {looked}. "
        f"{how_to_get('emotic')}"
    )


def has_pictures(root: Path) -> bool:
    """Whether ``image_root`` finds one."""
    return _image_folder(root) is not None


def _image_folder(root: Path) -> Path | None:
    holding = (root / name for name in _IMAGE_FOLDERS if any((root / name / base).is_dir() for base in DATABASES))
    return next(holding, None)


class EmoticPictures:
    """Where the picture of a ``file_name`` is.

    Args:
        root: the folder of the four sources.
        report: counts the names that are spelt in another way on disk.
    """

    def __init__(self, root: Path, report: DataReport) -> None:
        self._root = root
        self._report = report
        self._names = PictureNames()

    def locate(self, name: str) -> Path:
        """``[.../]mscoco/images/a.jpg``, or ``a.jpg`` where only one source has it -> the file.

        Another folder of the root that has the file is that folder. A file that is not there is where its name says.

        Raises:
            ValueError: a name without a source that several sources have.
        """
        parts = parts_of(name)
        if not parts:
            raise ValueError(f"file_name {name!r} is no name of a picture, expected e.g. mscoco/images/a.jpg")
        start = next((i for i, part in enumerate(parts) if part.lower() in DATABASES), None)
        if start is None and self._names.exact(self._root, parts) is not None:
            return self._root.joinpath(*parts)
        choices = [parts[start:]] if start is not None else [(base, "images", parts[-1]) for base in DATABASES]
        for search in (self._names.exact, self._names.alike):
            found = [path for path in (search(self._root, choice) for choice in choices) if path is not None]
            if len(found) > 1:
                raise ValueError(
                    f"file_name {name!r} fits {found[0]} and {found[1]}, expected e.g. mscoco/images/a.jpg"
                )
            if found:
                if found[0] != self._root.joinpath(*parts[start or 0 :]):
                    self._report.count("respelled_names", f"{name} is {found[0]}")
                return found[0]
        return self._root.joinpath(*parts[start or 0 :])
