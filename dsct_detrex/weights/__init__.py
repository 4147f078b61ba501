"""Weights in and out: checkpoints of others, read safely and renamed; our own release files."""

from dsct_detrex.weights.calibrated import write_calibrated
from dsct_detrex.weights.conversion import Conversion, convert_checkpoint
from dsct_detrex.weights.convert import Converted, convert
from dsct_detrex.weights.formats import detect_format
from dsct_detrex.weights.loading import load_release_weights, load_weights
from dsct_detrex.weights.reading import CheckpointFile, read_checkpoint
from dsct_detrex.weights.release import Provenance, Release, load_release, save_release
from dsct_detrex.weights.report import LoadReport, folded
from dsct_detrex.weights.signatures import likely_host

__all__ = [
    "CheckpointFile",
    "Conversion",
    "Converted",
    "LoadReport",
    "Provenance",
    "Release",
    "convert",
    "convert_checkpoint",
    "detect_format",
    "folded",
    "likely_host",
    "load_release",
    "load_release_weights",
    "load_weights",
    "read_checkpoint",
    "save_release",
    "write_calibrated",
]
