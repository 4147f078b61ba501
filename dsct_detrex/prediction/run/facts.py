"""What the rows of a folder were made with: kept beside them, so that a run goes on only as it began.

The hidden file ``.dsct_run.json`` has one object: ``weights`` (what ``Predictor.origin`` says), ``threshold``, ``nms``,
``stride``, ``amp``, ``label_set``, ``emotions`` (names in the order of the classes) and ``several`` (whether a person
shows more than one).
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from dsct_detrex.errors import UserError
from dsct_detrex.prediction.growing_list import writing_failed
from dsct_detrex.prediction.own_files import HIDDEN
from dsct_detrex.structures import Emotions, MultiClassEmotions, MultiLabelEmotions

FACTS_NAME = f"{HIDDEN}run.json"


@dataclass(frozen=True)
class Facts:
    """See the module."""

    weights: str
    threshold: float
    nms: float
    stride: int
    amp: str
    label_set: str
    emotions: tuple[str, ...]
    several: bool

    @property
    def labels(self) -> Emotions:
        """The label set."""
        kind = MultiLabelEmotions if self.several else MultiClassEmotions
        return kind(self.label_set, self.emotions)

    def write(self, folder: Path) -> None:
        """Keep them, whole or not at all."""
        place = folder / FACTS_NAME
        unfinished = folder / f"{FACTS_NAME}.{os.getpid()}"
        try:
            unfinished.write_text(json.dumps(asdict(self)), encoding="ascii")
            os.replace(unfinished, place)
        except OSError as error:
            raise writing_failed(place, error) from error

    def check_same(self, folder: Path) -> None:
        """Refuse to go on with rows that were made otherwise.

        Raises:
            UserError: says what differs.
        """
        earlier = read_facts(folder)
        if earlier is None:
            raise UserError(
                f"predict: --resume cannot go on in {folder}: nothing there says how its rows were made; give another "
                "--out."
            )
        other = [
            f"{field.name} was {getattr(earlier, field.name)} and is {getattr(self, field.name)}"
            for field in fields(self)
            if getattr(earlier, field.name) != getattr(self, field.name)
        ]
        if other:
            raise UserError(
                f"predict: --resume cannot go on with the rows in {folder}: {'; '.join(other)}. Give the same as "
                "before, or another --out."
            )


def read_facts(folder: Path) -> Facts | None:
    """Those of a folder; None where it has none that can be read."""
    try:
        kept = json.loads((folder / FACTS_NAME).read_text(encoding="ascii"))
        return Facts(**{**kept, "emotions": tuple(kept["emotions"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def facts_of(weights: str, threshold: float, nms: float, stride: int, amp: str, emotions: Emotions) -> Facts:
    """Those of a run with a label set."""
    several = isinstance(emotions, MultiLabelEmotions)
    return Facts(weights, threshold, nms, stride, amp, emotions.name, tuple(emotions.names), several)
