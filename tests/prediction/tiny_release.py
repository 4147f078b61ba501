"""A release of a tiny, untrained DSCT, written the way training writes it."""

from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from dsct_detrex.config import instantiate, load_config
from dsct_detrex.config.project import config_folder
from dsct_detrex.engine.build import release_config
from dsct_detrex.weights import save_release


def tiny_config(emotions: str = "caer_s") -> DictConfig:
    """The demo's config with one layer each and 48-pixel pictures."""
    cfg: DictConfig = load_config(config_folder().parent / "projects" / "demo.py")
    host = cfg.hosts[cfg.host.name]
    host.num_queries, host.embed_dim, host.position_embedding.num_pos_feats = 10, 64, 32
    for part in (host.transformer.encoder, host.transformer.decoder):
        part.num_layers, part.feedforward_dim = 1, 32
    cfg.dataloader.test.mapper.transforms.size = 48
    cfg.emotions.name = emotions
    return cfg


def write_release(path: Path, emotions: str = "caer_s", **changes: Any) -> Path:
    """Write ``path``; ``changes`` are entries of the config inside, by top-level name."""
    torch.manual_seed(0)
    cfg = tiny_config(emotions)
    model = instantiate(cfg.model)
    labels = instantiate(cfg.emotions)
    cfg.update(changes)
    thresholds = [0.5] * labels.num_emotions
    save_release(path, model.state_dict(), labels, release_config(cfg), thresholds)
    return path
