"""Which words of one COCO-style file are emotions, and how many a person has.

The first that a file has is taken:

1. a field for emotions (``emotions``, ``emotion_labels``, ...);
2. an answer to a question for the emotion in a general field: ``"attributes": {"emotion": "happy"}``, or ``mood``,
   ``facial expression`` and the like; categories such as "man" and "woman" say something else then;
3. ``categories`` and names in ``category_id``, unless everybody is merely a "person";
4. other names in a general field (``attributes``, ``labels``, ...), such as ``{"happy": true, "sad": false}``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dsct_detrex.data.coco_labels import EMOTION_FIELDS, GENERAL_FIELDS, Categories, read_categories
from dsct_detrex.data.fields import Entry, entries, identifier
from dsct_detrex.data.label_names import NOT_SAID, answer, asks_emotion, naming_keys, quoted, split_words
from dsct_detrex.data.text_files import read_json
from dsct_detrex.errors import UserError
from dsct_detrex.structures.emotion_names import folded

PERSONS = frozenset(
    ("person", "persons", "people", "human", "humans", "face", "faces", "head", "heads", "body", "pedestrian")
)
"""Categories, folded, that say that somebody is there, and not what they feel."""

_OF_TOOLS = {"occluded", "truncated", "difficult", "outside", "keyframe", "rotation", "trackid", "iscrowd"}
_OF_COCO = ("id", "image_id", "category_id", "bbox", "area", "iscrowd", "segmentation", "ignore")


@dataclass(frozen=True)
class FileLabels:
    """What one file says.

    Attributes:
        names: of its emotions: in the order of ``categories`` where those are emotions, else of the alphabet.
        used: those that somebody has, folded.
        several: how many people have several.
        people: how many there are; annotations of one box are one.
    """

    names: tuple[str, ...]
    used: frozenset[str]
    several: int
    people: int

    @property
    def unused(self) -> tuple[str, ...]:
        """Emotions that nobody has."""
        return tuple(name for name in self.names if folded(name) not in self.used)


def labels_of(path: Path) -> FileLabels:
    """What a file says; read again only where its time or size are others.

    Raises:
        UserError: it has no people, or names no emotions; says what was found instead.
    """
    return _labels_of(path, path.stat().st_mtime_ns, path.stat().st_size)


@lru_cache(maxsize=16)
def _labels_of(path: Path, changed: int, size: int) -> FileLabels:
    content = read_json(path)
    annotations = list(entries(content, "annotations", path, "annotation"))
    people = [entry for entry in annotations if not entry.flag("iscrowd")]
    if not people:
        why = f"all of its {len(annotations)} annotations are crowds" if annotations else "its 'annotations' are empty"
        raise UserError(f"{path} has no people: {why}. Expected an annotation with a box and an emotion for each.")
    categories = read_categories(content, path)
    return (
        _by_fields(people, EMOTION_FIELDS, categories)
        or _by_fields(people, GENERAL_FIELDS, categories, asked=True)
        or _by_category(people, categories, _parents(content))
        or _by_fields(people, GENERAL_FIELDS, categories)
        or _refuse(path, people, categories)
    )


def _refuse(path: Path, people: Sequence[Entry], categories: Categories) -> FileLabels:
    said = f"its categories are {quoted(categories.values())}" if categories else "it has no categories"
    fields = _other_fields(people)
    has = f"name none ({fields})" if fields else "name none"
    raise UserError(
        f"{path} names no emotions: {said}, and its {len(people)} annotations {has}. Expected a category for each "
        'emotion, or in every annotation for example "attributes": {"emotion": "happy"} or "emotions": ["happy", '
        '"calm"]; yes and no as true and false, without shares and counts. data.emotions=[...] says which words are '
        "emotions."
    )


def _other_fields(people: Sequence[Entry]) -> str:
    """Fields that the annotations have beside COCO's own, each with the first value."""
    found: dict[str, object] = {}
    for entry in people:
        for field in entry.fields():
            if field not in _OF_COCO and entry[field] not in (None, "", [], {}):
                found.setdefault(field, entry[field])
    shown = [f"{field}: {str(value)[:60]}" for field, value in found.items()]
    return f"they have {'; '.join(shown[:5])}" if shown else ""


def _by_fields(
    people: Sequence[Entry], fields: Sequence[str], categories: Categories, asked: bool = False
) -> FileLabels | None:
    """Names per person, in the first field that has some.

    Args:
        asked: take only answers to a question for the emotion.
    """
    for field in fields:
        offered: dict[str, str] = {}
        held: list[set[str]] = []
        for entry in people:
            value = entry[field]
            if asked:
                value = (
                    {key: each for key, each in value.items() if asks_emotion(key)} if isinstance(value, dict) else {}
                )
            answers = list(_words(value, categories))
            for word, _ in answers:
                offered.setdefault(folded(word), word)
            held.append({folded(word) for word, holds in answers if holds})
        if offered and not offered.keys() <= PERSONS:
            several = sum(len(words) > 1 for words in held)
            return FileLabels(_in_order(offered, categories), frozenset().union(*held), several, len(people))
    return None


def _in_order(offered: dict[str, str], categories: Categories) -> tuple[str, ...]:
    """Names, by their folded forms, in the order of ``categories`` where those are emotions, else of the alphabet."""
    places = {folded(name): place for place, name in enumerate(categories.values())}
    if offered.keys() <= places.keys():
        return tuple(offered[key] for key in sorted(offered, key=places.__getitem__))
    return tuple(sorted(offered.values(), key=str.casefold))


def _words(value: object, categories: Categories, split: bool = True) -> Iterator[tuple[str, bool]]:
    """Names of emotions in a field, and whether they hold."""
    if isinstance(value, str):
        words = split_words(value) if split else [value.strip()]
        yield from ((word, True) for word in words if word and word != NOT_SAID)
    elif isinstance(value, list):
        for each in value:
            yield from _words(each, categories, split=False)
    elif isinstance(value, dict):
        named = naming_keys(value)
        for key in named:
            yield from _words(value[key], categories)
        if not named:
            answers = {key: answer(each) for key, each in value.items() if folded(key) not in _OF_TOOLS}
            yield from ((key, holds) for key, holds in answers.items() if holds is not None)
    elif (id := identifier(value)) in categories:
        yield categories[id], True


def _by_category(people: Sequence[Entry], categories: Categories, parents: set[str]) -> FileLabels | None:
    """``categories`` that are more than "person", or names in ``category_id``."""
    boxes: dict[str, set[str]] = {}
    for number, entry in enumerate(people):
        box = f"{entry['image_id']} {entry['bbox'] or number}"
        boxes.setdefault(box, set()).update(
            name for name in _of_entry(entry, categories) if folded(name) not in PERSONS
        )
    used = set().union(*boxes.values())
    if not used:
        return None
    listed = [
        name
        for name in dict.fromkeys(categories.values())
        if name in used or (folded(name) not in PERSONS and name not in parents)
    ]
    others = sorted(used.difference(listed), key=str.casefold)
    several = sum(len(found) > 1 for found in boxes.values())
    return FileLabels((*listed, *others), frozenset(map(folded, used)), several, len(boxes))


def _of_entry(entry: Entry, categories: Categories) -> Iterator[str]:
    """The names of an annotation's categories: ``category_id`` is an id, a name, or a list of them."""
    value = entry["category_id"]
    for each in value if isinstance(value, list) else [value]:
        id = identifier(each)
        name = None if id is None else categories.get(id)
        if name is not None:
            yield name
        elif isinstance(id, str):
            yield id


def _parents(content: dict[str, object]) -> set[str]:
    """Names of supercategories: Roboflow lists one as a category of its own, which nobody has."""
    listed = content.get("categories")
    entries_of = listed if isinstance(listed, list) else []
    return {str(each.get("supercategory")) for each in entries_of if isinstance(each, dict)}
