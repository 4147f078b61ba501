"""Synthetic scenes: drawn on the fly, with a published generative table and exact best reachable scores."""

from .bounds import category_bounds, synthetic_bounds, synthetic_references
from .dataset import SyntheticScenes
from .painting_out import Cause, PaintedOut, ways
from .posterior import label_probabilities
from .things import NOTHING, Painted, Thing
from .writer import write_dataset

__all__ = [
    "NOTHING",
    "Cause",
    "Painted",
    "PaintedOut",
    "SyntheticScenes",
    "Thing",
    "category_bounds",
    "label_probabilities",
    "synthetic_bounds",
    "synthetic_references",
    "ways",
    "write_dataset",
]
