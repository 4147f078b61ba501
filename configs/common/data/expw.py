"""ExpW on the user's disk: EMOTIC's loaders with another reader and other emotions."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.data.sets.expw import CARD, EXPW, SHARES, ExpwDataset
from dsct_detrex.structures import MultiClassEmotions

from .emotic import classification, dataloader

emotions = L(MultiClassEmotions)(name=EXPW.name, names=EXPW.names)
data = dict(
    root="datasets/ExpW",
    annotations=None,  # null: label.lst; a list of your own, or with {split} in its name one for each split
    shares=SHARES,  # of the pictures, for train, val and test
    min_confidence=None,  # of a face box; null: all
    on_error="raise",
)

for split, loader in (("train", dataloader.train), ("val", dataloader.test)):
    loader.dataset = L(ExpwDataset)(
        root="${data.root}",
        split=split,
        annotations="${data.annotations}",
        shares="${data.shares}",
        min_confidence="${data.min_confidence}",
        on_error="${data.on_error}",
    )
dataloader.evaluator.dataset_name = CARD.title
