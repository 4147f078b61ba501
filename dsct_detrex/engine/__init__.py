"""Training and evaluation: the loop, checkpoints, weight average, several processes, loggers.

``run(cfg)`` does what a config says; the parts are given built objects and know no config.
"""

from dsct_detrex.engine.compose import compose
from dsct_detrex.engine.evaluate import Evaluation, evaluate_model
from dsct_detrex.engine.settings import TrainSettings
from dsct_detrex.engine.train_run import TrainResult, run
from dsct_detrex.errors import Interrupted

__all__ = [
    "Evaluation",
    "Interrupted",
    "TrainResult",
    "TrainSettings",
    "compose",
    "evaluate_model",
    "run",
]
