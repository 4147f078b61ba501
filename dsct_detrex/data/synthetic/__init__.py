"""Synthetic scenes: drawn on the fly, with a published generative table and exact best reachable scores."""

from .bounds import category_bounds, synthetic_bounds, synthetic_references
from .dataset import SyntheticScenes
from .detection import SyntheticThings
from .painting_out import Cause, PaintedOut, ways
from .posterior import label_probabilities
from .things import DRAWN_THINGS, HELD, NOTHING, Painted, Thing, thing_annotations
from .writer import write_dataset

__all__ = [
    "DRAWN_THINGS",
    "HELD",
    "NOTHING",
    "Cause",
    "Painted",
    "PaintedOut",
    "SyntheticScenes",
    "SyntheticThings",
    "Thing",
    "category_bounds",
    "label_probabilities",
    "synthetic_bounds",
    "synthetic_references",
    "thing_annotations",
    "ways",
    "write_dataset",
]
