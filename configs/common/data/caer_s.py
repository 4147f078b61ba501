"""CAER-S on the user's disk: EMOTIC's loaders with another reader, another kind of emotion and nine subjects."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.data.sets.caer_s import CARD, CaerSDataset
from dsct_detrex.structures import get_emotions

from .emotic import classification, dataloader

emotions = L(get_emotions)(name="caer_s")
data = dict(root="datasets/CAER-S", box_format=None, on_error="raise")

for split, loader in (("train", dataloader.train), ("val", dataloader.test)):
    loader.dataset = L(CaerSDataset)(
        root="${data.root}",
        split=split,
        annotations=None,
        on_error="${data.on_error}",
        box_format="${data.box_format}",
    )
dataloader.evaluator.dataset_name = CARD.title
dataloader.evaluator.dataset_warnings = [CARD.warning]
