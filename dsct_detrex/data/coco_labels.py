"""What the labels of a COCO-style file mean: decided once per file, by what the file itself says.

In this order:

1. **Names per person** (``annotations_categories``, ``emotions``, ``attributes``, ...): a list of names, one text with
   commas, EMOTIC's list of annotators. Fields with a general name count only where they hold emotions.
2. **Names in ``category_id``**, a text or a list of them.
3. **``categories``**, where those that are used are emotions: ids from 0, from 1, in any order. Several annotations of
   one box with one category each are one person with several labels.
4. **Neither**, ``categories`` being absent or empty: what the data set's own files mean by a bare number, which the
   caller knows (EMOTIC: one bit per category; CAER-S: 0 to 6).

Anything else is refused with the list of categories that was found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from dsct_detrex.data.fields import Entry, Identifier, described, identifier, whole_number
from dsct_detrex.data.label_names import LabelNames, quoted
from dsct_detrex.errors import UserError

Categories = dict[Identifier, str]
"""id -> name, as the file says."""

LabelsOf = Callable[[Entry], list[int]]
"""An annotation -> its class indices, ascending; raises ``UserError`` naming the entry."""

EMOTION_FIELDS = ("combined_categories", "annotations_categories", "emotion_labels", "emotions", "emotion")
GENERAL_FIELDS = (
    "category_names", "category_name", "categories", "category_ids", "labels", "label", "class_names", "class_name",
    "tags", "attributes",
)  # fmt: skip


class BareNumbers(Protocol):
    """What a ``category_id`` means in a file that names no categories."""

    def __call__(self, people: Sequence[Entry], categories: Categories, path: Path) -> LabelsOf | None:
        """The reading of such a file; None where the categories of the file decide.

        Args:
            people: the annotations.
            categories: id -> name, as the file says; empty where it says nothing.

        Raises:
            UserError: the numbers cannot be what the data set's own files write.
        """


def label_reader(
    content: dict[str, object], people: Sequence[Entry], path: Path, names: LabelNames, bare: BareNumbers
) -> tuple[LabelsOf, str]:
    """How to read the labels of a file, and which way of the list above that is: ``person``, ``category`` or ``bare``.

    Raises:
        UserError: the file says something about its labels that is not emotions.
    """
    categories = read_categories(content, path)
    field = _names_field(people, names, categories)
    if field is not None:
        return lambda entry: _named(entry, field, names, categories), "person"
    if any(names.find(word) is not None for entry in people for word in names.words(entry["category_id"])):
        return lambda entry: _named(entry, "category_id", names, categories), "category"
    numbers = bare(people, categories, path)
    if numbers is not None:
        return numbers, "bare"
    _check_used(people, categories, names, path)
    return lambda entry: _named(entry, "category_id", names, categories), "category"


def read_categories(content: dict[str, object], path: Path) -> Categories:
    """``categories`` of a file as id -> name; empty where absent, null or empty.

    Raises:
        UserError: not a list of objects with ``id`` and ``name``, or an id given twice.
    """
    if not isinstance(content, dict):
        raise UserError(f"{path} expects a COCO-style object with 'categories'. Got {described(content)}.")
    found = content.get("categories") or []
    if not isinstance(found, list):
        raise UserError(
            f"{path} expects a list of objects with id and name under 'categories'. Got {described(found)}."
        )
    categories: Categories = {}
    for number, each in enumerate(found, start=1):
        entry = Entry(each, path, "category", number)
        id, name = entry.identifier("id"), entry.text("name", "a name")
        if categories.setdefault(id, name) != name:
            raise UserError(
                f"{path}: category id {id} is both {categories[id]!r} and {name!r}. Give every one its own."
            )
    return categories


def _names_field(people: Sequence[Entry], names: LabelNames, categories: Categories) -> str | None:
    """The field that names the emotions of a person, in this file; None where there is no such field.

    Where nobody has a ``category_id``, ids of ``categories`` in a general field are names as well.
    """
    ids = {} if any("category_id" in entry for entry in people) else categories
    for field in EMOTION_FIELDS:
        if any(names.words(entry[field]) for entry in people if field in entry):
            return field
    for field in GENERAL_FIELDS:
        words = [word for entry in people if field in entry for word in names.words(entry[field])]
        if any(_index(word, names, ids) is not None for word in words):
            return field
    return None


def _index(word: object, names: LabelNames, categories: Categories) -> int | None:
    """The class a name means, or the id of a category with such a name."""
    index = names.find(word)
    id = identifier(word) if index is None else None
    return index if id is None else names.find(categories.get(id))


def _named(entry: Entry, field: str, names: LabelNames, categories: Categories) -> list[int]:
    """The class indices of the words in ``field``; numbers among them are ids of ``categories``."""
    if field == "category_id" and entry[field] is None:
        entry.wrong(field, f"a category{_listed(categories)}")
    words = names.words(entry[field])
    if len(words) >= names.emotions.num_emotions and {whole_number(word) for word in words} <= {0, 1}:
        entry.wrong(field, "names of emotions: a row of 0 and 1 does not say which emotion each stands for")
    if any(isinstance(word, dict) for word in words):
        entry.wrong(field, "yes or no for every emotion: a share or a count does not say from where on it holds")
    found = {_index(word, names, categories) for word in words if not _only_person(word, names, categories)}
    if None in found:
        entry.wrong(field, f"emotions of {names.emotions.name} ({names.known()}){_listed(categories)}")
    return sorted(index for index in found if index is not None)


def _only_person(word: object, names: LabelNames, categories: Categories) -> bool:
    """Whether a word, or the category of such an id, says that somebody is there and nothing else."""
    id = identifier(word)
    return names.says_nothing(word) or (id is not None and names.says_nothing(categories.get(id)))


def _listed(categories: Categories) -> str:
    listed = ", ".join(f"{id} {name}" for id, name in list(categories.items())[:30])
    return f", or an id of the file's categories ({listed})" if categories else ""


def _check_used(people: Sequence[Entry], categories: Categories, names: LabelNames, path: Path) -> None:
    """The categories that people have must be emotions."""
    used = {identifier(word) for entry in people for word in names.words(entry["category_id"])}
    others = [
        name
        for id, name in categories.items()
        if id in used and names.find(name) is None and not names.says_nothing(name)
    ]
    if others or not any(names.find(name) is not None for name in categories.values()):
        raise UserError(
            f"{path} says in 'categories' that its labels are {quoted(others or categories.values())}, which are not "
            f"the emotions of {names.emotions.name} ({names.known()}). Name the emotions there, or in a list "
            "'annotations_categories' of every annotation."
        )
