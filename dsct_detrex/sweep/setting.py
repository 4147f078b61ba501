"""What all cells of one sweep have in common: what is trained, on what, how large, by which command."""

from __future__ import annotations

from dataclasses import dataclass

from dsct_detrex.data.catalogue import get_label_set, title_of
from dsct_detrex.evaluation.report import primary_metric
from dsct_detrex.structures import Emotions
from dsct_detrex.sweep.description import Sweep

METRIC_WORDS = {"acc": "accuracy", "mAP": "mAP"}
"""Metrics within a sentence."""


def metric_of(kind: str) -> str:
    """The metric of a known kind of emotions: ``acc`` or ``mAP``."""
    return primary_metric(get_label_set(kind))


@dataclass(frozen=True)
class Setting:
    """Attributes:
    data: name of the data set, as for ``--data``.
    scale: name of the scale.
    emotions: that the model tells apart.
    seeds: runs of each cell.
    command: of the user.
    """

    sweep: Sweep
    data: str
    scale: str
    emotions: Emotions
    seeds: int
    command: str

    @property
    def metric(self) -> str:
        """The metric of the table: ``acc`` or ``mAP``."""
        return primary_metric(self.emotions)

    @property
    def paper_kind(self) -> str:
        """Kind of emotions whose printed numbers are shown: that of the data, or the only one that the table has."""
        kinds = self.sweep.paper_kinds
        return self.emotions.name if self.emotions.name in kinds or not kinds else kinds[0]

    @property
    def paper_metric(self) -> str:
        """The metric of the printed numbers."""
        return self.metric if self.paper_kind == self.emotions.name else metric_of(self.paper_kind)

    @property
    def paper_column(self) -> str:
        """Its heading; names the metric where it is not the measured one."""
        column = f"Paper, {title_of(self.paper_kind)}"
        return column if self.paper_metric == self.metric else f"{column} ({METRIC_WORDS[self.paper_metric]})"

    @property
    def comparable(self) -> bool:
        """Whether the paper's numbers were measured on these data at this scale."""
        return self.data == self.paper_kind and self.scale == "paper"

    def warning(self) -> str:
        """Why measured numbers and the paper's do not compare; empty where they do."""
        if self.data != self.paper_kind:
            other = "" if self.paper_metric == self.metric else f"they are {METRIC_WORDS[self.paper_metric]}, of "
            return (
                f"Numbers on {self.data} data do not compare with the paper's {title_of(self.paper_kind)} numbers: "
                f"{other}other pictures, other people, other labels. Only the order of the rows can be looked at side "
                "by side."
            )
        if not self.comparable:
            return (
                f"Trained at {self.scale} scale: small models, small pictures, no pretrained weights. The paper's "
                "numbers are of the full size."
            )
        return ""
