"""Prediction: what a training left, applied to pictures from Python or the command line."""

from dsct_detrex.prediction.prediction import Prediction
from dsct_detrex.prediction.predictions import Predictions
from dsct_detrex.prediction.predictor import Predictor

__all__ = ["Prediction", "Predictions", "Predictor"]
