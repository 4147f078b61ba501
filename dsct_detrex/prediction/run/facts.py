"""What the rows of a folder were made with: kept beside them, so that a run goes on only as it began.

The hidden file ``.dsct_run.json`` has one object: ``weights`` (what ``Predictor.origin`` says), ``content`` (SHA-256 of
that file: its name may stay when it is replaced), ``threshold``, ``nms``, ``stride``, ``amp``, ``label_set``,
``emotions`` (names in the order of the classes), ``several`` (whether a person shows more than one); of a split run,
``units`` (SHA-256 of all names in their order: shards that count other pictures would leave some out).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from dsct_detrex.errors import UserError
from dsct_detrex.files import write_whole
from dsct_detrex.paths import sha256_of_file
from dsct_detrex.prediction.growing_list import writing_failed
from dsct_detrex.prediction.own_files import HIDDEN
from dsct_detrex.prediction.predictor import Predictor
from dsct_detrex.structures import Emotions, MultiClassEmotions, MultiLabelEmotions

FACTS_NAME = f"{HIDDEN}run.json"
_SAID = ("weights", "content", "units")
"""What is told in words of its own."""


@dataclass(frozen=True)
class Facts:
    """See the module."""

    weights: str
    content: str
    threshold: float
    nms: float
    stride: int
    amp: str
    label_set: str
    emotions: tuple[str, ...]
    several: bool
    units: str = ""

    @property
    def labels(self) -> Emotions:
        """The label set."""
        kind = MultiLabelEmotions if self.several else MultiClassEmotions
        return kind(self.label_set, self.emotions)

    def write(self, folder: Path) -> None:
        """Keep them, whole or not at all."""
        place = folder / FACTS_NAME
        try:
            write_whole(place, json.dumps(asdict(self)))
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
            if field.name not in _SAID and getattr(earlier, field.name) != getattr(self, field.name)
        ]
        same_name, known = earlier.weights == self.weights, bool(earlier.content and self.content)
        if earlier.content != self.content or not (same_name or known):
            changed = f"the content of {self.weights} has changed"
            other.append(changed if same_name else f"weights was {earlier.weights} and is {self.weights}")
        if earlier.units and self.units and earlier.units != self.units:
            other.append("its shards split other pictures")
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


def facts_of(predictor: Predictor, stride: int, units: Iterable[str] | None) -> Facts:
    """Those of a run.

    Args:
        predictor: with its thresholds.
        stride: between the frames of a video that are read.
        units: names of all that is split among shards; None where nothing is split.
    """
    emotions = predictor.emotions
    return Facts(
        weights=predictor.origin,
        content=sha256_of_file(predictor.file) if predictor.file else "",
        threshold=predictor.threshold,
        nms=predictor.nms,
        stride=stride,
        amp=predictor.amp,
        label_set=emotions.name,
        emotions=tuple(emotions.names),
        several=isinstance(emotions, MultiLabelEmotions),
        units="" if units is None else hashlib.sha256("\0".join(units).encode("utf-8", "surrogateescape")).hexdigest(),
    )
