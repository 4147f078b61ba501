"""What a detector names: an ordered set of classes of things, exactly one a thing.

To losses, loaders and files such a set reads like a multi-class set of labels, one a box, in detectron2's own field
``gt_classes``; what is made for people and their emotions refuses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dsct_detrex.errors import UserError
from dsct_detrex.structures.emotions import Emotions, MultiClassEmotions


@dataclass(frozen=True)
class ObjectClasses(MultiClassEmotions):
    """Classes of things: ``L(ObjectClasses)(name="toys", names=["ball", "car"])`` in a config file.

    Attributes:
        name: how data sets and configs call the set: letters, digits, ``_`` and ``-``.
        names: the K class names, any list of texts; the position is the class index.
    """

    @property
    def fewest(self) -> int:
        return 1


def number_of_classes(classes: Emotions | Sequence[str]) -> int:
    """K, for the keys of a host that must agree with a label set: ``num_classes=L(number_of_classes)(...)``.

    Args:
        classes: the label set, or its names.
    """
    return len(classes.names if isinstance(classes, Emotions) else classes)


def if_annotated(annotated: bool, classes: ObjectClasses) -> ObjectClasses | None:
    """Classes of things where a switch says that they are annotated, for config files; else None.

    Args:
        annotated: the switch.
        classes: what things there may be.
    """
    return classes if annotated else None


def check_emotions(emotions: Emotions, who: str, remedy: str) -> None:
    """Raise a ``UserError`` for the label set of a detector where people and their emotions are meant.

    Args:
        who: what refuses, e.g. ``"Predictor: best.safetensors"``.
        remedy: what to do instead, as a sentence.
    """
    if isinstance(emotions, ObjectClasses):
        raise UserError(
            f"{who} is a detector of {len(emotions.names)} classes of things ({emotions.name}), which reads no "
            f"emotions. {remedy}"
        )
