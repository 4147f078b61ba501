"""Weights in and out: checkpoints of others, read safely and renamed; our own release files."""

from dsct_detrex.weights.convert import Converted, convert
from dsct_detrex.weights.formats import detect_format
from dsct_detrex.weights.loading import LoadReport, load_release_weights, load_weights
from dsct_detrex.weights.reading import CheckpointFile, read_checkpoint
from dsct_detrex.weights.release import Provenance, Release, load_release, save_release

__all__ = [
    "CheckpointFile",
    "Converted",
    "LoadReport",
    "Provenance",
    "Release",
    "convert",
    "detect_format",
    "load_release",
    "load_release_weights",
    "load_weights",
    "read_checkpoint",
    "save_release",
]
