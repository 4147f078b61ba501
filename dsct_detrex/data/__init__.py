"""Data sets on disk and synthetic scenes: records, augmentation and loaders that make model inputs of them."""

from dsct_detrex.data.checks import DataReport
from dsct_detrex.data.dataset import Annotation, EmotionDataset, Record, Subset, describe
from dsct_detrex.data.headline import headline_of
from dsct_detrex.data.images import ImageError
from dsct_detrex.data.loader import EvalLoader, TrainLoader, build_test_loader, build_train_loader
from dsct_detrex.data.mapper import DatasetMapper
from dsct_detrex.data.sets.caer_s import CaerSDataset
from dsct_detrex.data.sets.emotic import EmoticDataset
from dsct_detrex.data.transforms import eval_transforms, train_transforms

__all__ = [
    "Annotation",
    "CaerSDataset",
    "DataReport",
    "DatasetMapper",
    "EmoticDataset",
    "EmotionDataset",
    "EvalLoader",
    "ImageError",
    "Record",
    "Subset",
    "TrainLoader",
    "build_test_loader",
    "build_train_loader",
    "describe",
    "eval_transforms",
    "headline_of",
    "train_transforms",
]
