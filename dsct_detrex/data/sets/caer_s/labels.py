"""What a label of CAER-S means: a name, an id of the file's ``categories``, or a bare number 0 to 6.

The class folder of a picture *is* its label. A file that numbers the classes in another order (FER-2013's, from 1)
therefore contradicts the folders class by class, and is refused with the order that was found; single contradictions
are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from dsct_detrex.data.checks import DataReport
from dsct_detrex.data.coco_labels import Categories, LabelsOf
from dsct_detrex.data.dataset import Record
from dsct_detrex.data.fields import Entry, whole_number
from dsct_detrex.data.label_names import LabelNames
from dsct_detrex.errors import UserError
from dsct_detrex.structures import CAER_S

LABEL_ALIASES = {
    "angry": "Anger",
    "disgusted": "Disgust",
    "fearful": "Fear",
    "afraid": "Fear",
    "happiness": "Happy",
    "sadness": "Sad",
    "surprised": "Surprise",
    "neutrality": "Neutral",
    **{name.lower(): name for name in CAER_S.names},
}
"""Spellings of the public annotation sets and the paper, lower case -> folder name of the download."""

CAER_NAMES = LabelNames(CAER_S, LABEL_ALIASES)

KNOWN_LABELS = ", ".join(f"{index} {name}" for index, name in enumerate(CAER_S.names))

_ORDERS = {
    "FER-2013's order": ("Anger", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral"),
    "AffectNet's order": ("Neutral", "Happy", "Sad", "Surprise", "Fear", "Disgust", "Anger"),
    "RAF-DB's order": ("", "Surprise", "Fear", "Disgust", "Happy", "Sad", "Anger", "Neutral"),
    "counting from 1": ("", *CAER_S.names),
}
"""Other public orders of these seven classes; the position is the number."""

_SYSTEMATIC = 3
"""People of a class that must contradict their folders in the same way."""
_REMEDY = "Write names instead of numbers, or list the classes with their ids under 'categories' of a JSON file"


def label_index(label: object) -> int:
    """The class index of a label as box files write it: 0-6, or a name in one of its spellings.

    Raises:
        ValueError: neither; the message lists the known labels.
    """
    index = CAER_NAMES.find(label.strip() if isinstance(label, str) else label)
    number = whole_number(label) if index is None else index
    if number is None or not 0 <= number < CAER_S.num_emotions:
        raise ValueError(f"label {str(label).strip()!r} is unknown, expected one of: {KNOWN_LABELS}")
    return number


def plain_numbers(people: Sequence[Entry], categories: Categories, path: Path) -> LabelsOf | None:
    """Read ``category_id`` as 0 to 6; None where ``categories`` decide (``coco_labels.BareNumbers``).

    Raises:
        UserError: no categories, and the numbers count from 1.
    """
    if categories:
        return None
    check_start((whole_number(entry["category_id"]) for entry in people), path)
    return _number_of


def check_start(numbers: Iterable[int | None], source: Path) -> None:
    """Refuse numbers that run from 1 to 7.

    Raises:
        UserError: the smallest is 1 and the largest 7.
    """
    found = {number for number in numbers if number is not None}
    if found and min(found) == 1 and max(found) == CAER_S.num_emotions:
        raise UserError(f"{source} counts its labels from 1 to 7. Expected {KNOWN_LABELS}. {_REMEDY}.")


def _number_of(entry: Entry) -> list[int]:
    try:
        return [label_index(entry.whole("category_id", f"one of {KNOWN_LABELS}"))]
    except ValueError as error:
        raise UserError(f"{entry.where}: {error}.") from error


def compare_with_folders(records: Sequence[Record], source: Path, report: DataReport, named: bool) -> int:
    """Count the labels that differ from the class folder of their picture.

    Args:
        named: whether the file names its labels, rather than numbering them; for the message.

    Returns:
        How many people lie in class folders, so that their label could be compared.

    Raises:
        UserError: a class differs from its folder throughout; names the order that was found.
    """
    seen: Counter[tuple[int, int]] = Counter()
    for record in records:
        folder = CAER_NAMES.find(Path(record["file_name"]).parent.name)
        for person in record["annotations"]:
            if folder is None or not person["labels"]:
                continue
            seen[person["labels"][0], folder] += 1
            if person["labels"] != [folder]:
                report.count("label_differs_from_folder", record["file_name"])
    moved = _moved(seen)
    wrong = sum(times for (label, folder), times in seen.items() if label != folder)
    if sum(seen[pair] for pair in moved) >= _SYSTEMATIC or wrong * 2 > seen.total():
        expected = "Correct them: the folder is the label" if named else f"Expected {KNOWN_LABELS}. {_REMEDY}"
        raise UserError(
            f"{source}: {wrong} of {seen.total()} labels contradict the class folder of their picture: "
            f"{_in_words(moved or list(seen), seen, named)}. {expected}."
        )
    return seen.total()


def _moved(seen: Counter[tuple[int, int]]) -> list[tuple[int, int]]:
    """(label, folder) where most people of a label are in another folder, or most of a folder have another label."""
    pairs: set[tuple[int, int]] = set()
    for side in (0, 1):
        for index in {pair[side] for pair in seen}:
            group = {pair: times for pair, times in seen.items() if pair[side] == index}
            most = max(group, key=group.__getitem__)
            if most[0] != most[1] and group[most] * 2 > sum(group.values()):
                pairs.add(most)
    return sorted(pairs)


def _in_words(moved: Sequence[tuple[int, int]], seen: Counter[tuple[int, int]], named: bool) -> str:
    words = ", ".join(
        f"{CAER_S.names[label] if named else label} is {CAER_S.names[folder]}" for label, folder in sorted(moved)
    )
    usual = {label: _usual_folder(label, seen) for label in {label for label, _ in seen}}
    for name, order in _ORDERS.items():
        agrees = all(label < len(order) and order[label] == CAER_S.names[folder] for label, folder in usual.items())
        if agrees and len(usual) > 1 and not named:
            return f"{words}, which is {name}"
    return words


def _usual_folder(label: int, seen: Counter[tuple[int, int]]) -> int:
    return max(range(CAER_S.num_emotions), key=lambda folder: seen[label, folder])
