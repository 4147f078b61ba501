"""The label set of a user's COCO-style files: that of the training file (``file_labels.py``), or as stated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from dsct_detrex.data.label_names import quoted
from dsct_detrex.data.places import existing_root
from dsct_detrex.data.sets.coco.file_labels import FileLabels, labels_of
from dsct_detrex.data.sets.coco.places import Annotations, check_found, files_there
from dsct_detrex.errors import UserError
from dsct_detrex.structures import Emotions, MultiClassEmotions, MultiLabelEmotions
from dsct_detrex.structures.emotion_names import folded

KINDS: dict[str, type[Emotions]] = {"multi_label": MultiLabelEmotions, "multi_class": MultiClassEmotions}

_MEANING = {
    "multi_label": "several a person (multi-label)",
    "multi_class": "one a person (multi-class)",
}


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
        names: the emotions in their order; None takes those of the training file, and nobody in val may have others.
        name: of the label set; None takes that of the folder.

    Raises:
        UserError: no files, a file that names no emotions, names that cannot be told apart, an unknown kind, or
            somebody in val with an emotion that train does not have.
    """
    if kind is not None and kind not in KINDS:
        raise UserError(f"emotions_of_files(kind=) expects {' or '.join(KINDS)}, or null to find out. Got {kind!r}.")
    folder = existing_root(root, "coco")
    called = name or called_like(folder)
    if names is not None and kind is not None:
        return KINDS[kind](called, tuple(names), f"{len(names)} as stated ({quoted(names, 30)}), {_MEANING[kind]}")
    files = files_there(folder, annotations)
    used = [files[split] for split in ("train", "val") if split in files] or list(files.values())
    if not used:
        check_found(folder, "train", [])
    found = [labels_of(path) for path in used]
    several = sum(labels.several for labels in found)
    chosen = kind or ("multi_label" if several else "multi_class")
    if names is None:
        _check_agreement(used, found)
    listed = found[0].names if names is None else names
    _check_enough(used[0], listed, chosen, stated=names is not None)
    counted = (
        f"{several} of {sum(labels.people for labels in found)} people have several" if several else "nobody has two"
    )
    why = "" if kind else f", because {counted}; data.kind says otherwise"
    missing = found[0].unused if names is None else ()
    nobody = f". Nobody in {used[0].name} has {quoted(missing)}; data.emotions leaves them out" if missing else ""
    origin = (
        f"{len(listed)} {f'of {used[0].name}' if names is None else 'as stated'} ({quoted(listed, 30)}), "
        f"{_MEANING[chosen]}{why}{nobody}"
    )
    try:
        return KINDS[chosen](called, tuple(listed), origin)
    except UserError as error:
        raise UserError(f"{used[0]}: {error}") from error


def _check_agreement(files: Sequence[Path], found: Sequence[FileLabels]) -> None:
    """What somebody has in another file stands in the first; what a tool lists there and nobody has does not matter."""
    known = {folded(name) for name in found[0].names}
    for path, labels in zip(files[1:], found[1:]):
        others = [name for name in labels.names if folded(name) in labels.used - known]
        if others:
            raise UserError(
                f"{path} has the emotions {quoted(others)}, which {files[0]} does not have ({quoted(found[0].names)}). "
                "List all of them with data.emotions=[...], or correct the file."
            )


def _check_enough(path: Path, names: Sequence[str], kind: str, stated: bool) -> None:
    """One emotion alone cannot be one of several."""
    if len(names) == 1 and kind == "multi_class":
        where = "data.emotions" if stated else path
        raise UserError(
            f"{where} has one emotion, {names[0]!r}, and nothing to tell it from. List others with "
            "data.emotions=[...], or say data.kind=multi_label to learn whether it is there."
        )


def called_like(folder: Path) -> str:
    """A name of a label set after the folder it was found in."""
    return re.sub(r"[^\w-]+", "_", folder.resolve().name).strip("_")[:60] or "coco"
