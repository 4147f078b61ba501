"""What a bare ``category_id`` of an EMOTIC file means.

The official DSCT files pack a person's labels into it: a 26-bit number whose most significant bit is the first category
(Affection) and whose least significant bit is the last (Yearning); their ``categories`` are empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dsct_detrex.data.coco_labels import Categories, LabelsOf
from dsct_detrex.data.fields import Entry, whole_number
from dsct_detrex.data.label_names import LabelNames
from dsct_detrex.data.sets.emotic.files import has_official_name
from dsct_detrex.errors import UserError
from dsct_detrex.structures import EMOTIC

LABEL_ALIASES = {
    "Disquitement": "Disquietment",
    "Disquiet": "Disquietment",
    "Doubt": "Doubt/Confusion",
    "Confusion": "Doubt/Confusion",
    "Confussion": "Doubt/Confusion",
    "Doubt/Confussion": "Doubt/Confusion",
}
"""Spellings met in EMOTIC's own files and in its converters."""

EMOTIC_NAMES = LabelNames(EMOTIC, LABEL_ALIASES)

_FEW_PEOPLE = 10
"""Not one of so many people of EMOTIC has a label among the first 21, whose masks are larger: that does not happen."""

_EXPECTED = f"a whole number of {EMOTIC.num_emotions} bits, one bit per category"


def decode_bits(category_id: int) -> list[int]:
    """The class indices packed into an official ``category_id``, ascending.

    Raises:
        ValueError: not a number of at most 26 bits.
    """
    count = EMOTIC.num_emotions
    if not 0 <= category_id < 2**count:
        raise ValueError(f"category_id {category_id} is not a {count}-bit number, one bit per category")
    return [index for index in range(count) if category_id >> (count - 1 - index) & 1]


def bit_masks(people: Sequence[Entry], categories: Categories, path: Path) -> LabelsOf | None:
    """Read ``category_id`` as 26 bits; None where ``categories`` decide (``coco_labels.BareNumbers``).

    With the official 26 categories in the file it is a bit mask where most numbers are none of their ids. With no
    categories it is a bit mask, unless no number of the file is above 26: real masks reach 2^25, so such numbers may
    as well be plain ids, even if there is one person only, and the file has to say what they are. The name of an
    official file says it, for as few people as a test has.

    Raises:
        UserError: no categories, and all numbers look like plain ids.
    """
    numbers = [number for entry in people if (number := whole_number(entry["category_id"])) is not None]
    if categories:
        others = sum(number not in categories for number in numbers)
        return _bits_of if _are_official(categories) and others * 2 >= len(numbers) > 0 else None
    said_by_name = has_official_name(path) and len(numbers) < _FEW_PEOPLE
    if numbers and min(numbers) >= 0 and max(numbers) <= EMOTIC.num_emotions and not said_by_name:
        raise UserError(
            f"{path} has no label number above {max(numbers)} and no 'categories' that say what the numbers "
            "mean: they may be plain ids as well as the bits of the official DSCT files. List the emotions "
            "with their ids under 'categories', or write their names into 'annotations_categories' of every annotation."
        )
    return _bits_of


def _are_official(categories: Categories) -> bool:
    """Whether these are the 26 categories, in the official order of their ids."""
    ids = sorted(id for id in categories if isinstance(id, int))
    return [EMOTIC_NAMES.find(categories[id]) for id in ids] == list(range(EMOTIC.num_emotions))


def _bits_of(entry: Entry) -> list[int]:
    number = entry.whole("category_id", _EXPECTED)
    try:
        return decode_bits(number)
    except ValueError:
        entry.wrong("category_id", _EXPECTED)
