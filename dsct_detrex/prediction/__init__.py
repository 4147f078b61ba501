"""Prediction: a finished run's one file, applied to pictures from Python or the command line."""

from dsct_detrex.prediction.predictor import Predictor

__all__ = ["Predictor"]
