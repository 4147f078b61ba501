"""A split of a data set by what a command line calls it: a name of the catalogue, or the file of a data config."""

from __future__ import annotations

from omegaconf import OmegaConf

from dsct_detrex.config import get_config, instantiate, load_config
from dsct_detrex.data.dataset import EmotionDataset
from dsct_detrex.errors import UserError
from dsct_detrex.names import data_sets
from dsct_detrex.paths import user_path
from dsct_detrex.suggestions import did_you_mean


def split_named(name: str, root: str | None, split: str, asker: str) -> EmotionDataset:
    """Open it.

    Args:
        name: of a data set, or the file of a data config.
        root: its folder; None: as its config says.
        split: ``train``, ``val`` or ``test``.
        asker: who complains.

    Raises:
        UserError: there is no such data set, it cannot be read, or it is empty.
    """
    known, own = data_sets(), name.endswith(".py") and user_path(name).is_file()
    if name not in known and not own:
        hint = did_you_mean(name, known) or f" Data sets: {', '.join(known)}."
        raise UserError(f"{asker}: there is no data set {name!r}.{hint}")
    described = load_config(user_path(name)) if own else get_config(f"common/data/{name}.py")
    cfg = OmegaConf.create(dict(described), flags={"allow_objects": True})
    cfg.dataloader.test.dataset.split = split
    if root is not None:
        cfg.data.root = root
    dataset: EmotionDataset = instantiate(cfg.dataloader.test.dataset)
    if not len(dataset):
        raise UserError(f"{asker}: {dataset.name} has no picture.")
    return dataset
