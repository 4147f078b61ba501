"""ExpW, Expression in-the-Wild (Zhang et al., "From Facial Expression Recognition to Interpersonal Relation Prediction",
arXiv:1609.06426): photographs found by search engines, one of 7 expressions for each of their faces.

The download is ``data/image/origin.7z.001`` to ``.008``, which hold the folder ``origin/`` of pictures, and
``data/label/label.lst``. That has one line a face, eight columns separated by blanks, of which the sides of the box
come in an order of their own::

    image_name face_id_in_image face_box_top face_box_left face_box_right face_box_bottom face_box_cofidence expression_label
    angry_actor_104.jpg 0 28 113 226 141 22.9362 0

(a face of 113 x 113 pixels). Labels are 0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral. Columns and
labels are those of the readme of the download, as a dozen public readers quote them; HazyResearch/meerkat
(``meerkat/datasets/expw/__init__.py``, commit 7311351) also drops repeated lines. Pictures are found at the places to
which these readers unpack them.

There is no official split: ``division.py`` makes one, or lists of one's own do.
"""  # noqa: E501

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from dsct_detrex.data.card import DataSetCard, StandIn
from dsct_detrex.data.catalogue import how_to_get
from dsct_detrex.data.checks import DataReport, check_on_error
from dsct_detrex.data.dataset import SPLITS, Annotation, Record
from dsct_detrex.data.disk import DiskDataset, Listing
from dsct_detrex.data.division import SHARES, check_shares, split_of
from dsct_detrex.data.fields import number
from dsct_detrex.data.picture_names import PictureNames
from dsct_detrex.data.places import check_split, existing_root, first_file, named_file
from dsct_detrex.data.sets.expw.label_list import EXPW, EXPW_NAMES, Face, read_faces
from dsct_detrex.data.synthetic import SyntheticScenes
from dsct_detrex.errors import UserError
from dsct_detrex.files import replacing, write_whole
from dsct_detrex.paths import user_path
from dsct_detrex.structures import CAER_S

__all__ = ["CARD", "EXPW", "SHARES", "ExpwDataset"]

NO_SPLIT = "ExpW has no official split: a result on one division of its pictures does not compare with another's."

_BASES = ("", "data", "ExpW", "ExpW/data")
_LISTS = ("label/label.lst", "label.lst")
_PICTURES = ("image/origin", "image/origin.7z/origin", "image", "origin", "origin/origin", "images")


class ExpwDataset(DiskDataset):
    """One split of ExpW on the user's disk.

    Args:
        root: the folder with ``image/origin/`` and ``label/label.lst``, or the one that holds it as ``data/`` or
            ``ExpW/``.
        split: ``train``, ``val`` or ``test``.
        annotations: a list in the place of ``label.lst``, divided by ``shares`` as well; with ``{split}`` in its name,
            a list for each split, which is not divided.
        shares: of the pictures that go to train, val and test.
        min_confidence: faces whose ``face_box_cofidence`` is below are left out; None keeps all. They stay in the
            pictures, so a model that finds them is counted wrong.
        on_error: ``"raise"`` or ``"skip"`` for pictures that are not there or whose size cannot be read.

    Attributes:
        warning: how the split was made, to be shown beside any result.

    Raises:
        UserError: nothing found (says what was looked for and how to get it), the list cannot be used, one picture is
            in two splits, or no face is left.
    """

    def __init__(
        self,
        root: str,
        split: str,
        annotations: str | None = None,
        shares: Sequence[float] = SHARES,
        min_confidence: float | None = None,
        on_error: str = "raise",
    ) -> None:
        owner = type(self).__name__
        policy = check_on_error(on_error, owner)
        check_split(split, owner)
        parts = check_shares(shares, owner)
        least = _checked_confidence(min_confidence, owner)
        folder = existing_root(root, "expw")
        source = label_list(folder) if annotations is None else named_file(annotations, split, folder, "expw")
        own_split = annotations is not None and "{split}" in annotations
        faces = list(read_faces(source))
        if own_split:
            _refuse_shared_pictures(faces, source, split, folder, annotations or "")
        report = DataReport(f"expw_{split}")
        names = PictureNames()
        located = _located(faces, _picture_folder(folder, faces, source, names), names, report)
        ours = [(face, path) for face, path in zip(faces, located) if own_split or split_of(path.name, parts) == split]
        kept = [(face, path) for face, path in ours if least is None or face.confidence >= least]
        divided = ", ".join(f"{100 * share:g} % {name}" for name, share in zip(SPLITS, parts))
        part = "a list for each split" if own_split else f"pictures divided by name ({divided})"
        left_out = len(ours) - len(kept)
        below = f", {left_out:,} of {len(ours):,} faces left out below confidence {least:g}" if left_out else ""
        if not kept:
            raise UserError(
                f"{owner}: no face is left of the {len(faces):,} in {source} for {split} ({part}{below}). Choose other "
                "shares=, another min_confidence= or another list."
            )
        super().__init__(
            report.title,
            EXPW,
            Listing(_records(kept), source, "xyxy").prepared(report, policy, "xyxy"),
            report,
            source,
            f"face boxes from {source.name}, {part}{below}",
            split=split,
            boxes="face",
        )
        self.warning = f"{NO_SPLIT} Here: {part}."


def label_list(root: Path) -> Path:
    """``label.lst`` at or under ``root``.

    Raises:
        UserError: there is none.
    """
    found = first_file([root / base for base in _BASES], _LISTS)
    if found is None:
        raise UserError(
            f"ExpW: no {' or '.join(_LISTS)} in {root} or in its {', '.join(_BASES[1:])}. {how_to_get('expw')}"
        )
    return found


def _checked_confidence(least: float | None, owner: str) -> float | None:
    found = number(least)
    if least is not None and (found is None or not math.isfinite(found)):
        raise UserError(f"{owner}(min_confidence=) expects a number, or null for all faces. Got {least!r}.")
    return found


def _picture_folder(root: Path, faces: Sequence[Face], source: Path, names: PictureNames) -> Path:
    """The folder that holds most of the listed pictures; archives are unpacked in several ways."""
    wanted = {face.picture.casefold() for face in faces}
    folders = [root / base / name for base in _BASES for name in (*_PICTURES, "")]
    found = {folder: sum(name.casefold() in wanted for name in names.listed(folder)) for folder in folders}
    best = max(folders, key=lambda folder: found[folder])
    if not found[best]:
        raise UserError(
            f"ExpW: none of the {len(wanted):,} pictures of {source} is there, the first is {faces[0].picture}. Looked "
            f"in {root} for folders {', '.join(_PICTURES)}, also under {', '.join(_BASES[1:])}. {how_to_get('expw')}"
        )
    return best


def _located(faces: Sequence[Face], folder: Path, names: PictureNames, report: DataReport) -> list[Path]:
    """The picture of every face; the path that it should have where there is none."""
    places: dict[str, Path] = {}
    for name in dict.fromkeys(face.picture for face in faces):
        exact = names.exact(folder, (name,))
        alike = names.alike(folder, (name,)) if exact is None else None
        if alike is not None:
            report.count("respelled_names", f"{name} is {alike}")
        places[name] = exact or alike or folder / name
    return [places[face.picture] for face in faces]


def _records(faces: Sequence[tuple[Face, Path]]) -> list[Record]:
    """One record a picture, sizes unknown."""
    records: dict[str, Record] = {}
    for face, path in faces:
        empty = Record(file_name=str(path), image_id=len(records) + 1, height=0, width=0, annotations=[])
        person = Annotation(bbox=face.box, labels=[face.label], extra={"confidence": face.confidence})
        records.setdefault(str(path), empty)["annotations"].append(person)
    return list(records.values())


def _refuse_shared_pictures(faces: Sequence[Face], source: Path, split: str, root: Path, annotations: str) -> None:
    """No picture is in the lists of two splits."""
    ours = {face.picture.casefold() for face in faces}
    for other in SPLITS:
        path = first_file([Path(), root], [str(user_path(annotations.replace("{split}", other)))])
        if other == split or path is None:
            continue
        shared = [face.picture for face in read_faces(path) if face.picture.casefold() in ours]
        if shared:
            raise UserError(
                f"{source} and {path} both list {len(set(shared)):,} pictures, the first is {shared[0]}. Put each "
                "picture into one split."
            )


def write_expw(root: Path, sizes: dict[str, int], seed: int, kinds: tuple[str, ...], size: tuple[int, int]) -> None:
    """Drawn scenes in ExpW's layout, as ``StandIn.write``; names are chosen so that each split has its number."""
    lines = []
    for split, length in sizes.items():
        scenes = SyntheticScenes("caer_s", split, length, seed, size, boxes="head")
        names = (name for i in range(1000 * length) if split_of(name := f"drawn_scene_{i:06d}.png") == split)
        for index, name in zip(range(length), names):
            with replacing(root / "image" / "origin" / name, flush=False) as unfinished:
                scenes.load_image(index).save(unfinished)
            for at, person in enumerate(scenes.record(index)["annotations"]):
                left, top, right, bottom = (round(side) for side in person["bbox"])
                label = EXPW_NAMES.find(CAER_S.names[person["labels"][0]])
                lines.append(f"{name} {at} {top} {left} {right} {bottom} 100.0000 {label}\n")
    write_whole(root / "label" / "label.lst", "".join(sorted(lines)))


CARD = DataSetCard(
    name="expw",
    title="ExpW",
    reader=ExpwDataset,
    emotions=EXPW,
    access=(
        "ExpW is given out by its authors at mmlab.ie.cuhk.edu.hk/projects/socialrelation (read the terms there; its "
        "photographs belong to others): unpack origin.7z.001 and pass the folder that holds image/origin/ and "
        "label/label.lst as root"
    ),
    layout="files label.lst and image/origin/*.jpg",
    recognises=lambda root: first_file([root / base for base in _BASES], _LISTS) is not None,
    options=("annotations",),
    warning=NO_SPLIT,
    terms=(
        "The photographs of ExpW come from the web and belong to others; its terms stand at "
        "mmlab.ie.cuhk.edu.hk/projects/socialrelation."
    ),
    stand_in=StandIn(("lst",), write_expw),
)
