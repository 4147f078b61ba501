"""Synthetic scenes: drawn on the fly, with a published generative table and exact best reachable scores."""

from .bounds import category_bounds, synthetic_bounds, synthetic_references
from .dataset import SyntheticScenes
from .writer import write_dataset

__all__ = ["SyntheticScenes", "category_bounds", "synthetic_bounds", "synthetic_references", "write_dataset"]
