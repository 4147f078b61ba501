"""What all cells of one sweep have in common: what is trained, on what, how large, by which command."""

from __future__ import annotations

from dataclasses import dataclass

from dsct_detrex.sweep.description import DATASETS, Sweep


@dataclass(frozen=True)
class Setting:
    """Attributes:
    data: name of the data set, as for ``--data``.
    scale: name of the scale.
    emotions: kind of emotions, ``caer_s`` or ``emotic``.
    seeds: runs of each cell.
    command: of the user.
    """

    sweep: Sweep
    data: str
    scale: str
    emotions: str
    seeds: int
    command: str

    @property
    def metric(self) -> str:
        """The metric of the table: ``acc`` or ``mAP``."""
        return self.sweep.metrics[self.emotions]

    @property
    def paper_column(self) -> str:
        return f"Paper, {DATASETS[self.emotions]}"

    @property
    def comparable(self) -> bool:
        """Whether the paper's numbers were measured on these data at this scale."""
        return self.data == self.emotions and self.scale == "paper"

    def warning(self) -> str:
        """Why measured numbers and the paper's do not compare; empty where they do."""
        if self.data != self.emotions:
            return (
                f"Numbers on {self.data} data do not compare with the paper's {DATASETS[self.emotions]} numbers: "
                "other pictures, other people, other labels. Only the order of the rows can be looked at side by side."
            )
        if not self.comparable:
            return (
                f"Trained at {self.scale} scale: small models, small pictures, no pretrained weights. The paper's "
                "numbers are of the full size."
            )
        return ""
