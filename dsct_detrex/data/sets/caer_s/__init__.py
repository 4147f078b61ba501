"""CAER-S (Lee et al., 2019): frames of television shows, one of 7 emotions for one person.

The download is ``{train,test}/{Anger,...}/NNNN.png`` with no boxes and no validation split; boxes come from a separate
file, in one of two public forms:

* lines ``path,label,x1,y1,x2,y2`` (``{train,val,test}.txt`` or ``.csv``; ``box_lines.py``), label 0-6 or a name;
* COCO-style ``caer_{train,val,test}.json`` of the official DSCT code: ``categories`` say what ``category_id`` means;
  without them it is 0-6.

Paths in them start with ``train/`` or ``test/``, or with the class folder; then the split decides, and validation
pictures are those of ``train/``, as in the official loader. Frames of one video are in train and in test (see
``LEAK_WARNING``).
"""

from __future__ import annotations

from pathlib import Path

from dsct_detrex.cli.invocation import spoken
from dsct_detrex.data.box_formats import check_box_format
from dsct_detrex.data.box_lines import EXPECTED, made_by, read_lines
from dsct_detrex.data.card import DataSetCard, StandIn
from dsct_detrex.data.catalogue import how_to_get
from dsct_detrex.data.checks import DataReport, check_on_error
from dsct_detrex.data.coco import Reading, read_coco
from dsct_detrex.data.dataset import Annotation, Record
from dsct_detrex.data.disk import DiskDataset, Listing
from dsct_detrex.data.fields import whole_number
from dsct_detrex.data.picture_names import PictureNames, parts_of
from dsct_detrex.data.places import check_split, existing_root, first_file, named_file
from dsct_detrex.data.sets.caer_s.labels import (
    CAER_NAMES,
    LABEL_ALIASES,
    check_start,
    compare_with_folders,
    label_index,
    plain_numbers,
)
from dsct_detrex.data.synthetic.write_caer_s import write_caer_s
from dsct_detrex.errors import UserError
from dsct_detrex.structures import CAER_S

__all__ = ["CARD", "LABEL_ALIASES", "LEAK_WARNING", "CaerSDataset", "image_root", "label_index"]

LEAK_WARNING = (
    "CAER-S train and test share frames of the same videos (GLAMOR-Net, doi 10.1007/s00521-021-06778-x): "
    "its test accuracy overstates how well a model does on unseen videos."
)

_ANNOTATION_FOLDERS = ("", "annotations", "Annotations")
_SPLIT_FOLDERS = ("train", "val", "test")


class CaerSDataset(DiskDataset):
    """One split of CAER-S on the user's disk.

    Args:
        root: the folder with ``train/`` and ``test/``, or the one that holds ``CAER-S/``.
        split: ``train``, ``val`` or ``test``.
        annotations: the box file itself (``{split}`` is filled in), instead of looking for one.
        val_images: the folder of validation pictures whose path in the box file does not name one.
        on_error: ``"raise"`` or ``"skip"`` for pictures that are not there or whose size cannot be read.
        box_format: ``"xywh"`` or ``"xyxy"`` for a file whose form is known; null takes ``xyxy`` for lines and ``xywh``
            for JSON, and refuses a file that contradicts it.

    Attributes:
        warning: to be shown beside every accuracy.

    Raises:
        UserError: nothing found (says what was looked for and how to get it), or the box file cannot be used.
    """

    warning = LEAK_WARNING

    def __init__(
        self,
        root: str,
        split: str,
        annotations: str | None = None,
        val_images: str = "train",
        on_error: str = "raise",
        box_format: str | None = None,
    ) -> None:
        owner = type(self).__name__
        policy = check_on_error(on_error, owner)
        stated = check_box_format(box_format, owner)
        check_split(split, owner)
        folder = existing_root(root, "caer_s")
        images = image_root(folder)
        source = _named_or_found(folder, images, split, annotations)
        report = DataReport(f"caer_s_{split}")
        pictures = _Pictures(images, val_images if split == "val" else split, report)
        listing, named = (
            _read_json(source, pictures, report) if source.suffix.lower() == ".json" else _read(source, pictures)
        )
        records = listing.prepared(report, policy, stated)
        compared = compare_with_folders(records, source, report, named)
        people = sum(len(record["annotations"]) for record in records)
        maker = None if source.suffix.lower() == ".json" else made_by(source)
        made = f" made by {maker}" if maker else ""
        doubt = "" if named or compared == people else ", label numbers not checked against class folders"
        super().__init__(
            f"caer_s_{split}",
            CAER_S,
            records,
            report,
            source,
            f"face boxes from {source.name}{made}{doubt}",
            split=split,
            boxes="face",
            made_by=maker,
        )


class _Pictures:
    """Where the picture of a box-file path is.

    Args:
        root: the folder with ``train/`` and ``test/``.
        default: the folder of paths that name none.
        report: counts the names that are spelt in another way on disk.

    Attributes:
        places: the folders that pictures may lie in.
    """

    def __init__(self, root: Path, default: str, report: DataReport) -> None:
        self.places = [root, *(root / split for split in _SPLIT_FOLDERS)]
        self._root = root
        self._default = default
        self._report = report
        self._names = PictureNames()
        self._class_folders = {
            (folder.parent.name, CAER_NAMES.find(folder.name)): folder.name
            for folder in root.glob("*/*")
            if folder.is_dir()
        }

    def locate(self, name: str) -> Path:
        """``[.../]train/Angry/0001.png`` or ``Angry/0001.png`` -> the file, whichever way its class folder is spelt."""
        parts = parts_of(name)
        if len(parts) < 2:
            raise ValueError(f"path {name!r} has no class folder, expected e.g. train/Anger/0001.png")
        top = parts[-3] if len(parts) > 2 and parts[-3] in _SPLIT_FOLDERS else self._default
        emotion = CAER_NAMES.find(parts[-2])
        folder = parts[-2] if emotion is None else self._class_folders.get((top, emotion), parts[-2])
        place = (top, folder, parts[-1])
        found = self._names.exact(self._root, place)
        if found is None:
            found = self._names.alike(self._root, place)
            if found is not None:
                self._report.count("respelled_names", f"{name} is {found}")
        return found or self._root.joinpath(*place)


def _read_json(source: Path, pictures: _Pictures, report: DataReport) -> tuple[Listing, bool]:
    """The records of a JSON file, and whether it names the emotions."""
    content = read_coco(source, Reading(CAER_NAMES, plain_numbers, pictures.locate), report)
    return Listing(content.records, source, "xywh", pictures.places), content.labels != "bare"


def _read(source: Path, pictures: _Pictures) -> tuple[Listing, bool]:
    """Records without sizes (0 x 0), one per picture; several lines of one picture are several people."""
    lines, form = read_lines(source)
    numbers = [whole_number(line.label) for line in lines]
    check_start(numbers, source)
    records: dict[str, Record] = {}
    for line in lines:
        try:
            file_name = str(pictures.locate(line.path))
            person: Annotation = {"bbox": line.box, "labels": [label_index(line.label)]}
        except ValueError as error:
            raise UserError(f"{line.where}: {error}. Expected {EXPECTED}.") from error
        empty = Record(file_name=file_name, image_id=len(records) + 1, height=0, width=0, annotations=[])
        records.setdefault(file_name, empty)["annotations"].append(person)
    listing = Listing(list(records.values()), source, form, pictures.places)
    return listing, not any(number is not None for number in numbers)


def image_root(root: Path) -> Path:
    """The folder that holds ``train/`` and ``test/``.

    Raises:
        UserError: there is none at or under ``root``.
    """
    for folder in _image_roots(root):
        if (folder / "train").is_dir() or (folder / "test").is_dir():
            return folder
    looked = ", ".join(map(str, _image_roots(root)))
    raise UserError(f"CAER-S: no images. Looked for folders train/ and test/ in: {looked}. {how_to_get('caer_s')}")


def has_class_folders(root: Path) -> bool:
    """Whether there are folders ``train/<emotion>`` or ``test/<emotion>`` as the download has them."""
    return any(
        CAER_NAMES.find(folder.name) is not None and folder.is_dir()
        for base in _image_roots(root)
        for split in ("train", "test")
        for folder in (base / split).glob("*")
    )


def _image_roots(root: Path) -> list[Path]:
    return [root, root / "CAER-S", root / "CAER_S", root / "caer_s"]


def found_box_file(root: Path, images: Path, split: str) -> Path | None:
    """The box file that is read where none is named; None where there is none.

    Args:
        root: the folder that the user gave.
        images: the one with ``train/`` and ``test/``.
        split: ``train``, ``val`` or ``test``.
    """
    bases = dict.fromkeys((root, images, root.parent))
    folders = [base / name for base in bases for name in _ANNOTATION_FOLDERS]
    return first_file(folders, _file_names(split))


def _file_names(split: str) -> tuple[str, ...]:
    return f"caer_{split}.json", f"{split}.txt", f"{split}.csv"


def _named_or_found(root: Path, images: Path, split: str, annotations: str | None) -> Path:
    if annotations is not None:
        return named_file(annotations, split, root, "caer_s")
    source = found_box_file(root, images, split)
    if source is None:
        raise UserError(
            f"CAER-S: no face boxes for split {split!r}. Looked for {', '.join(_file_names(split))} in {root}, in its "
            "folder annotations/, and beside it. The download has no boxes: put a public box file there (lines "
            f"path,label,x1,y1,x2,y2, or caer_{split}.json of the official DSCT code), name it with annotations=, or "
            f"have faces found: {spoken('data', ['boxes', '--format', 'caer_s', '--root', str(root)])}."
        )
    return source


CARD = DataSetCard(
    name="caer_s",
    title="CAER-S",
    reader=CaerSDataset,
    emotions=CAER_S,
    access=(
        "CAER-S comes from caer-dataset.github.io (read its terms there): unpack it and pass the folder that holds "
        "train/ and test/ as root"
    ),
    layout="folders train, test with one folder for each emotion",
    recognises=has_class_folders,
    warning=LEAK_WARNING,
    num_subjects=9,
    terms=(
        "No terms of CAER-S were found; its pictures are frames of television series that belong to others. Read "
        "caer-dataset.github.io, and ask its authors before you use the model for anything but research."
    ),
    stand_in=StandIn(("txt", "json"), write_caer_s),
)
