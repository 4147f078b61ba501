"""CAER-S (Lee et al., 2019): frames of television shows, one of 7 emotions for one person.

The download is ``{train,test}/{Anger,...}/NNNN.png`` with no boxes and no validation split; boxes come from a separate
file, in one of two public forms:

* lines ``path,label,x1,y1,x2,y2`` (``{train,val,test}.txt`` or ``.csv``), label 0-6 or a name;
* COCO-style ``caer_{train,val,test}.json`` of the official DSCT code, ``category_id`` 0-6.

Paths in them start with ``train/`` or ``test/``, or with the class folder; then the split decides, and validation
pictures are those of ``train/``, as in the official loader. Frames of one video are in train and in test (see
``LEAK_WARNING``).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from dsct_detrex.data.checks import DataReport, OnError, check_on_error
from dsct_detrex.data.coco import read_coco
from dsct_detrex.data.dataset import Annotation, Record
from dsct_detrex.data.disk import DiskDataset, without_missing_images
from dsct_detrex.data.images import SKIP_IN_PYTHON, ImageError, frame_size
from dsct_detrex.data.places import check_split, existing_root, first_file, how_to_get, named_file
from dsct_detrex.errors import UserError
from dsct_detrex.structures import CAER_S

LEAK_WARNING = (
    "CAER-S train and test share frames of the same videos (GLAMOR-Net, doi 10.1007/s00521-021-06778-x): "
    "its test accuracy overstates how well a model does on unseen videos."
)

LABEL_ALIASES = {
    "angry": "Anger",
    "disgusted": "Disgust",
    "fearful": "Fear",
    "happiness": "Happy",
    "sadness": "Sad",
    "surprised": "Surprise",
    **{name.lower(): name for name in CAER_S.names},
}
"""Spellings of the public annotation sets and the paper, lower case -> folder name of the download."""

_KNOWN_LABELS = ", ".join(f"{index} {name}" for index, name in enumerate(CAER_S.names))
_ANNOTATION_FOLDERS = ("", "annotations", "Annotations")
_HEADERS = ("path", "file", "filename", "image")
_READERS = 16


class CaerSDataset(DiskDataset):
    """One split of CAER-S on the user's disk.

    Args:
        root: the folder with ``train/`` and ``test/``, or the one that holds ``CAER-S/``.
        split: ``train``, ``val`` or ``test``.
        annotations: the box file itself (``{split}`` is filled in), instead of looking for one.
        val_images: the folder of validation pictures whose path in the box file does not name one.
        on_error: ``"raise"`` or ``"skip"`` for pictures that are not there or whose size cannot be read.

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
    ) -> None:
        owner = type(self).__name__
        policy = check_on_error(on_error, owner)
        check_split(split, owner)
        folder = existing_root(root, "caer_s")
        images = image_root(folder)
        source = _box_file(folder, images, split, annotations)
        pictures = _Pictures(images, val_images if split == "val" else split)
        report = DataReport(f"caer_s_{split}")
        if source.suffix == ".json":
            records = read_coco(source, lambda entry: [label_index(entry["category_id"])], pictures.locate, report)
            records = without_missing_images(records, source, report, policy)
        else:
            records = _read_lines(source, pictures)
            records = _measured(without_missing_images(records, source, report, policy), report, policy)
        _compare_with_folders(records, source, report)
        super().__init__(f"caer_s_{split}", CAER_S, records, report, source, f"face boxes from {source.name}")


def label_index(label: object) -> int:
    """The class index of a label as box files write it: 0-6, or a name in one of its spellings.

    Raises:
        ValueError: neither; the message lists the known labels.
    """
    text = str(label).strip()
    if text.isdigit() and int(text) < CAER_S.num_emotions:
        return int(text)
    if text.lower() not in LABEL_ALIASES:
        raise ValueError(f"label {text!r} is unknown, expected one of: {_KNOWN_LABELS}")
    return CAER_S.index(LABEL_ALIASES[text.lower()])


class _Pictures:
    """Where the picture of a box-file path is.

    Args:
        root: the folder with ``train/`` and ``test/``.
        default: the folder of paths that name none.
    """

    def __init__(self, root: Path, default: str) -> None:
        self._root = root
        self._default = default
        self._class_folders = {
            (folder.parent.name, LABEL_ALIASES.get(folder.name.lower(), folder.name)): folder.name
            for folder in root.glob("*/*")
            if folder.is_dir()
        }

    def locate(self, name: str) -> Path:
        """``[.../]train/Angry/0001.png`` or ``Angry/0001.png`` -> the file, whichever way its class folder is spelt."""
        parts = PurePosixPath(name.strip().replace("\\", "/")).parts
        if len(parts) < 2:
            raise ValueError(f"path {name!r} has no class folder, expected e.g. train/Anger/0001.png")
        top = parts[-3] if len(parts) > 2 and parts[-3] in ("train", "val", "test") else self._default
        emotion = LABEL_ALIASES.get(parts[-2].lower(), parts[-2])
        return self._root / top / self._class_folders.get((top, emotion), parts[-2]) / parts[-1]


def _read_lines(source: Path, pictures: _Pictures) -> list[Record]:
    """Records without sizes (0 x 0), one per picture; several lines of one picture are several people."""
    records: dict[str, Record] = {}
    for number, row in _rows(source):
        try:
            if len(row) != 6:
                raise ValueError(f"{len(row)} fields")
            file_name = str(pictures.locate(row[0]))
            person: Annotation = {"bbox": [float(side) for side in row[2:]], "labels": [label_index(row[1])]}
        except ValueError as error:
            raise UserError(f"{source}, line {number}: {error}. Expected path,label,x1,y1,x2,y2.") from error
        empty = Record(file_name=file_name, image_id=len(records) + 1, height=0, width=0, annotations=[])
        records.setdefault(file_name, empty)["annotations"].append(person)
    return list(records.values())


def _rows(source: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of every line, without blank lines and a header."""
    try:
        with source.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.reader(lines, skipinitialspace=True)
            for row in reader:
                header = reader.line_num == 1 and row and row[0].strip().lower() in _HEADERS
                if row and not header:
                    yield reader.line_num, row
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{source} is not a text file of path,label,x1,y1,x2,y2 lines ({error}).") from error


def _measured(records: list[Record], report: DataReport, on_error: OnError) -> list[Record]:
    """Fill in the sizes from the headers of the pictures, many at a time (the time goes into waiting for the disk)."""

    def measure(record: Record) -> Record | ImageError:
        try:
            width, height = frame_size(record["file_name"])
        except ImageError as error:
            return error
        return {**record, "height": height, "width": width}

    measured: list[Record] = []
    with ThreadPoolExecutor(_READERS) as pool:
        for record, result in zip(records, pool.map(measure, records)):
            if not isinstance(result, ImageError):
                measured.append(result)
            elif on_error == "raise":
                raise result.with_skip(SKIP_IN_PYTHON)
            else:
                report.count("unreadable_images", record["file_name"])
    return measured


def _compare_with_folders(records: list[Record], source: Path, report: DataReport) -> None:
    """A label is also the name of its picture's folder; files that disagree throughout count classes differently."""
    people = differing = 0
    for record in records:
        folder = Path(record["file_name"]).parent.name
        emotion = LABEL_ALIASES.get(folder.lower())
        for person in record["annotations"]:
            people += 1
            if emotion is not None and person["labels"] != [CAER_S.index(emotion)]:
                differing += 1
                report.count("label_differs_from_folder", record["file_name"])
    if differing * 2 > people:
        raise UserError(
            f"{source}: {differing} of {people} labels differ from the class folder of their picture, so the file "
            f"counts classes in another order. Expected {_KNOWN_LABELS}."
        )


def image_root(root: Path) -> Path:
    """The folder that holds ``train/`` and ``test/``.

    Raises:
        UserError: there is none at or under ``root``.
    """
    candidates = [root, root / "CAER-S", root / "CAER_S", root / "caer_s"]
    for folder in candidates:
        if (folder / "train").is_dir() or (folder / "test").is_dir():
            return folder
    looked = ", ".join(str(folder) for folder in candidates)
    raise UserError(f"CAER-S: no images. Looked for folders train/ and test/ in: {looked}. {how_to_get('caer_s')}")


def _box_file(root: Path, images: Path, split: str, annotations: str | None) -> Path:
    if annotations is not None:
        return named_file(annotations, split, root, "caer_s")
    bases = dict.fromkeys((root, images, root.parent))
    folders = [base / name for base in bases for name in _ANNOTATION_FOLDERS]
    names = (f"caer_{split}.json", f"{split}.txt", f"{split}.csv")
    source = first_file(folders, names)
    if source is None:
        raise UserError(
            f"CAER-S: no face boxes for split {split!r}. Looked for {', '.join(names)} in {root}, in its folder "
            "annotations/, and beside it. The download has no boxes: put a public box file there (lines "
            f"path,label,x1,y1,x2,y2, or caer_{split}.json of the official DSCT code), or name it with annotations=."
        )
    return source
