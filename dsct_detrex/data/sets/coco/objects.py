"""A user's COCO-style files as what COCO is, boxes of things: for a detector, whatever anybody feels.

Every category of the training file is a class, in its order, also one that nothing is annotated of; "person" is a class
like any other. Pictures without an annotated thing are left out and counted, as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dsct_detrex.data.coco_labels import read_categories
from dsct_detrex.data.label_names import quoted
from dsct_detrex.data.places import existing_root
from dsct_detrex.data.sets.coco import CocoDataset
from dsct_detrex.data.sets.coco.emotions import called_like
from dsct_detrex.data.sets.coco.places import Annotations, check_found, files_there
from dsct_detrex.data.text_files import read_json
from dsct_detrex.errors import UserError
from dsct_detrex.structures import ObjectClasses


def classes_of_files(
    root: str, annotations: Annotations = None, names: Sequence[str] | None = None, name: str | None = None
) -> ObjectClasses:
    """The classes of a folder with COCO-style files, for config files; ``origin`` says how they were found.

    Args:
        root: the folder.
        annotations: its annotation files, where the layout does not say it, see ``places.py``.
        names: the classes in their order, all that anything is annotated as; None takes the categories of the training
            file.
        name: of the set; None takes that of the folder.

    Raises:
        UserError: no files, a file without categories, or names that cannot be told apart.
    """
    folder = existing_root(root, "coco")
    called = name or called_like(folder)
    if names is not None:
        return ObjectClasses(called, tuple(names), f"{len(names)} classes as stated ({quoted(names, 30)})")
    files = files_there(folder, annotations)
    if not files:
        check_found(folder, "train", [])
    path = files.get("train", next(iter(files.values())))
    found = tuple(read_categories(read_json(path), path).values())
    if not found:
        raise UserError(
            f"{path} has no 'categories', which say what its numbers mean. List the classes with their ids there."
        )
    try:
        classes = ObjectClasses(called, found)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    return replace(classes, origin=f"{len(found)} classes of {path.name} ({quoted(found, 30)})")


class CocoObjects(CocoDataset):
    """One split of a user's own things. Arguments as of ``CocoDataset``; ``emotions`` are the classes.

    Args:
        emotions: the classes of things; None takes those of the files.
    """

    labels_of_files = staticmethod(classes_of_files)
    framed = "thing"
