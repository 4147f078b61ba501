"""Calibration: what a trained model says of people whom it has not learnt from, held against what is annotated.

A validation split gives a temperature, at which probabilities mean what they say, and for each emotion the probability
from which it is shown; a release carries both.
"""

from dsct_detrex.calibration.found_people import FoundPeople
from dsct_detrex.calibration.temperature import fit_temperature, negative_log_likelihood
from dsct_detrex.calibration.thresholds import Threshold, at_threshold, best_f1, of_precision

__all__ = [
    "FoundPeople",
    "Threshold",
    "at_threshold",
    "best_f1",
    "fit_temperature",
    "negative_log_likelihood",
    "of_precision",
]
