"""Where the numbers of a run go: JSON lines, CSV, TensorBoard, Weights & Biases, one file each."""

from dsct_detrex.engine.loggers.csv_file import CsvLogger
from dsct_detrex.engine.loggers.jsonl import JsonlLogger
from dsct_detrex.engine.loggers.record import Logger, Prediction, Record
from dsct_detrex.engine.loggers.tensorboard import TensorboardLogger
from dsct_detrex.engine.loggers.wandb_run import WandbLogger

__all__ = [
    "CsvLogger",
    "JsonlLogger",
    "Logger",
    "Prediction",
    "Record",
    "TensorboardLogger",
    "WandbLogger",
]
