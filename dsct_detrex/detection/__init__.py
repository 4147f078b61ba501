"""A host trained as what it is, a detector of things: the start that the paper borrows its contexts from."""

from dsct_detrex.detection.detector import Detector

__all__ = ["Detector"]
