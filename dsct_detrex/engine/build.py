"""From the config to the objects of a run; the only file of the engine that instantiates anything."""

from __future__ import annotations

import copy
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf, flag_override
from torch import nn
from torch.optim import Optimizer

from dsct_detrex.config import config_to_yaml
from dsct_detrex.config.building import instantiate  # ours in any environment, for its sentences
from dsct_detrex.engine.fused_optimizer import build_fused
from dsct_detrex.engine.schedule import Multiplier
from dsct_detrex.engine.settings import TrainSettings
from dsct_detrex.errors import UserError
from dsct_detrex.rewrites import rewrite
from dsct_detrex.structures import Emotions

# What a host is chosen from; ``model`` has the chosen one.
_TABLES = ("hosts", "subject_training")

_TOP_LEVEL = ("train", "model", "dataloader", "optimizer", "lr_multiplier")


def check_top_level(cfg: DictConfig) -> None:
    """Raise a ``UserError`` unless the five names of every detrex config are there, each a block of keys."""
    missing = [name for name in _TOP_LEVEL if name not in cfg]
    if missing:
        raise UserError(
            f"A config defines {', '.join(_TOP_LEVEL)} at its top level. This one lacks {', '.join(missing)}; "
            f"it has {', '.join(str(key) for key in cfg) or 'nothing'}."
        )
    for name in _TOP_LEVEL:
        if not isinstance(cfg[name], DictConfig):
            raise UserError(f"{name} expects a block of keys. Got {'null' if cfg[name] is None else repr(cfg[name])}.")


def read_settings(cfg: DictConfig) -> TrainSettings:
    """The ``train`` block, checked."""
    block = _plain(OmegaConf.to_container(cfg.train, resolve=True))
    assert isinstance(block, dict)
    return TrainSettings.read(block)


def build_model(cfg: DictConfig, device: torch.device, rewrites: str | list[str]) -> nn.Module:
    """The model of ``cfg.model`` on its device, with ``rewrites`` (``train.rewrites``) in front of its modules."""
    model: nn.Module = instantiate(cfg.model)
    model.to(device)
    rewrite(model, rewrites)
    return model


def build_optimizer(cfg: DictConfig, model: nn.Module) -> Optimizer:
    """The optimizer of ``cfg.optimizer``; where its ``params`` is a call, it gets the model, as in detrex's script.

    One of torch's own is fused where the device allows it. The model goes into a copy: the config itself is saved and
    logged, and stays plain.
    """
    root = copy.deepcopy(cfg)  # of the whole, so that references to other blocks still resolve
    params = root.optimizer.get("params")
    if isinstance(params, DictConfig) and "_target_" in params:
        with flag_override(params, ["allow_objects", "struct"], [True, False]):
            params.model = model
    return build_fused(root.optimizer)


def build_multiplier(cfg: DictConfig) -> Multiplier:
    multiplier: Multiplier = instantiate(cfg.lr_multiplier)
    return multiplier


def build_loader(cfg: DictConfig, name: str) -> Any:
    """``cfg.dataloader.<name>``, or None where the config has none."""
    return instantiate(cfg.dataloader[name]) if cfg.dataloader.get(name) is not None else None


def build_emotions(cfg: DictConfig) -> Emotions | None:
    """``cfg.emotions``, or None in a config that knows of no emotions."""
    return instantiate(cfg.emotions) if cfg.get("emotions") is not None else None


def batch_size(cfg: DictConfig) -> int | None:
    """``dataloader.train.total_batch_size``: images of one batch over all processes."""
    size: int | None = OmegaConf.select(cfg, "dataloader.train.total_batch_size")
    return size


def plain_config(cfg: DictConfig) -> dict[str, Any]:
    """The resolved config as dicts, lists, numbers and strings; a class or function becomes its dotted name.

    The tables that a host is chosen from are left out.
    """
    resolved = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(resolved, dict)
    return {str(key): _plain(value) for key, value in resolved.items() if key not in _TABLES}


def release_config(cfg: DictConfig) -> str:
    """The resolved config as YAML that builds the model again; without tables, as in ``plain_config``.

    Frozen networks lose the names of their files: a release holds their weights itself, and goes to other machines.

    Raises:
        ConfigError: it holds what no file can, such as a lambda.
    """
    resolved = copy.deepcopy(cfg)
    OmegaConf.resolve(resolved)
    for table in _TABLES:
        resolved.pop(table, None)
    modalities: DictConfig = OmegaConf.select(resolved, "model.modalities") or OmegaConf.create()
    for network in modalities.values():
        if isinstance(network, DictConfig) and "weights" in network:
            network.weights = None
    return config_to_yaml(resolved)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return repr(value)
