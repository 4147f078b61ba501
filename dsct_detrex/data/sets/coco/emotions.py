"""The label set of a user's COCO-style files: which words in them are emotions, and how many a person may have.

The first that a file has is taken, as in ``coco_labels.py``: names per person in a field for emotions; else
``categories`` and names in ``category_id``, unless everybody is merely a "person"; else names per person in a general
field (``attributes``, ``labels``, ...), where ``{"emotion": "happy"}`` and ``{"happy": true, "sad": false}`` name some.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dsct_detrex.data.coco_labels import EMOTION_FIELDS, GENERAL_FIELDS, Categories, read_categories
from dsct_detrex.data.fields import Entry, entries, identifier
from dsct_detrex.data.label_names import NOT_SAID, is_naming, quoted, split_words
from dsct_detrex.data.places import existing_root
from dsct_detrex.data.sets.coco.places import Annotations, files_there
from dsct_detrex.data.text_files import read_json
from dsct_detrex.errors import UserError
from dsct_detrex.structures import Emotions, MultiClassEmotions, MultiLabelEmotions
from dsct_detrex.structures.emotion_names import folded

KINDS: dict[str, type[Emotions]] = {"multi_label": MultiLabelEmotions, "multi_class": MultiClassEmotions}

_PERSONS = {"person", "persons", "people", "human", "humans", "face", "faces", "head", "heads", "body", "pedestrian"}
_OF_TOOLS = {"occluded", "truncated", "difficult", "outside", "keyframe", "rotation", "trackid", "iscrowd"}
_MEANING = {
    "multi_label": "several a person (multi-label)",
    "multi_class": "one a person (multi-class)",
}


@dataclass(frozen=True)
class FileLabels:
    """What one file says.

    Attributes:
        names: of its emotions: in the order of ``categories`` where those are emotions, else of the alphabet.
        several: whether somebody has several.
    """

    names: tuple[str, ...]
    several: bool


def emotions_of_files(
    root: str,
    annotations: Annotations = None,
    kind: str | None = None,
    names: Sequence[str] | None = None,
    name: str | None = None,
) -> Emotions:
    """The label set of a folder with COCO-style files, for config files; ``origin`` says how it was found.

    Args:
        root: the folder.
        annotations: its annotation files, where the layout does not say it, see ``places.py``.
        kind: ``multi_label`` or ``multi_class``; None: multi-label where somebody in the files has several emotions.
        names: the emotions in their order; None takes those of the training file, and val may have no others.
        name: of the label set; None takes that of the folder.

    Raises:
        UserError: no files, a file that names no emotions, an unknown kind, or emotions in val that train does not
            have.
    """
    if kind is not None and kind not in KINDS:
        raise UserError(f"emotions_of_files(kind=) expects {' or '.join(KINDS)}, or null to find out. Got {kind!r}.")
    folder = existing_root(root, "coco")
    files = files_there(folder, annotations)
    used = [files[split] for split in ("train", "val") if split in files] or list(files.values())
    if not used:
        raise UserError(
            f"coco: no annotation files in {folder}. Expected annotations/train.json and annotations/val.json, or the "
            "layout of Roboflow, CVAT or COCO; or name them with data.annotations.train=FILE and data.annotations.val="
            "FILE."
        )
    found = [_labels_of(path, path.stat().st_mtime_ns, path.stat().st_size) for path in used]
    several = any(labels.several for labels in found)
    chosen = kind or ("multi_label" if several else "multi_class")
    if names is None:
        _check_agreement(used, found)
    listed = found[0].names if names is None else names
    found_out = f", because {'somebody has two' if several else 'nobody has two'}; data.kind says otherwise"
    origin = (
        f"{len(listed)} {'of ' + used[0].name if names is None else 'as stated'} ({quoted(listed, 30)}), "
        f"{_MEANING[chosen]}{found_out if kind is None else ''}"
    )
    return KINDS[chosen](name or _called_like(folder), tuple(listed), origin)


def _check_agreement(files: Sequence[Path], found: Sequence[FileLabels]) -> None:
    known = {folded(name) for name in found[0].names}
    for path, labels in zip(files[1:], found[1:]):
        others = [name for name in labels.names if folded(name) not in known]
        if others:
            raise UserError(
                f"{path} has the emotions {quoted(others)}, which {files[0]} does not have ({quoted(found[0].names)}). "
                "List all of them with data.emotions=[...], or correct the file."
            )


def _called_like(folder: Path) -> str:
    return re.sub(r"[^\w-]+", "_", folder.resolve().name).strip("_")[:60] or "coco"


@lru_cache(maxsize=16)
def _labels_of(path: Path, changed: int, size: int) -> FileLabels:
    """What a file says; read again only where its time or size are others."""
    content = read_json(path)
    people = [entry for entry in entries(content, "annotations", path, "annotation") if not entry.flag("iscrowd")]
    categories = read_categories(content, path)
    parents = _parents(content)
    return (
        _by_fields(people, EMOTION_FIELDS, categories)
        or _by_category(people, categories, parents)
        or _by_fields(people, GENERAL_FIELDS, categories)
        or _refuse(path, people, categories)
    )


def _refuse(path: Path, people: Sequence[Entry], categories: Categories) -> FileLabels:
    said = f"its categories are {quoted(categories.values())}" if categories else "it has no categories"
    raise UserError(
        f"{path} names no emotions: {said}, and none of its {len(people)} annotations has a list 'emotions' or "
        "'attributes' that names some. Expected a category for each emotion, or for example "
        '"attributes": {"emotion": "happy"} in every annotation.'
    )


def _by_fields(people: Sequence[Entry], fields: Sequence[str], categories: Categories) -> FileLabels | None:
    """Names per person, in the first field that has some."""
    for field in fields:
        offered: dict[str, str] = {}
        several = False
        for entry in people:
            answers = dict(_words(entry[field], categories))
            offered |= {folded(word): word for word in answers if folded(word) not in offered}
            several = several or len({folded(word) for word, holds in answers.items() if holds}) > 1
        if offered:
            return FileLabels(_in_order(offered, categories), several)
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
        named = [each for key, each in value.items() if is_naming(key)]
        answers = {key: each for key, each in value.items() if isinstance(each, bool) and folded(key) not in _OF_TOOLS}
        if named:
            for each in named:
                yield from _words(each, categories)
        else:
            yield from answers.items()
    elif (id := identifier(value)) in categories:
        yield categories[id], True


def _by_category(people: Sequence[Entry], categories: Categories, parents: set[str]) -> FileLabels | None:
    """``categories`` that are more than "person", or names in ``category_id``."""
    used = {name for entry in people if (name := _category(entry, categories)) is not None}
    if all(folded(name) in _PERSONS for name in used):
        return None
    listed = [
        name
        for name in dict.fromkeys(categories.values())
        if name in used or (folded(name) not in _PERSONS and name not in parents)
    ]
    names = listed or sorted(used, key=str.casefold)
    boxes: dict[str, set[str | None]] = {}
    for entry in people:
        boxes.setdefault(f"{entry['image_id']} {entry['bbox']}", set()).add(_category(entry, categories))
    return FileLabels(tuple(names), any(len(found) > 1 for found in boxes.values()))


def _category(entry: Entry, categories: Categories) -> str | None:
    id = identifier(entry["category_id"])
    name = None if id is None else categories.get(id)
    return id if name is None and isinstance(id, str) else name


def _parents(content: dict[str, object]) -> set[str]:
    """Names of supercategories: Roboflow lists one as a category of its own, which nobody has."""
    listed = content.get("categories")
    entries_of = listed if isinstance(listed, list) else []
    return {str(each.get("supercategory")) for each in entries_of if isinstance(each, dict)}
