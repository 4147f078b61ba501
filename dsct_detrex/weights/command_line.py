"""The work of ``dsct convert``: options in, a converted file and its report out."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from dsct_detrex.config import get_config, instantiate, load_config
from dsct_detrex.config.project import config_file
from dsct_detrex.errors import UserError
from dsct_detrex.suggestions import did_you_mean
from dsct_detrex.weights.conversion import convert_checkpoint


def convert(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    """Convert one file; returns the exit status."""
    model = _model(arguments)
    done = convert_checkpoint(
        arguments.source, arguments.output, arguments.to, model, arguments.overwrite, arguments.half
    )
    kind = "a DSCT model" if done.target == "dsct" else "a host, as in detrex"
    print(f"{arguments.source} -> {arguments.output}: {len(done.weights)} tensors under the names of {kind}")
    print(done.report.summary())
    if arguments.report:
        print(done.report.by_module())
    return 0


def _model(arguments: argparse.Namespace) -> Mapping[str, Tensor] | None:
    """State dict of the model that the arguments name, on the meta device, or None."""
    if arguments.host is not None:
        prefix = "host." if arguments.to == "dsct" else ""
        return {prefix + name: tensor for name, tensor in _state(_host_config(arguments.host)).items()}
    if arguments.config is not None:
        model = _model_config(config_file(arguments.config))
        return _state(model.host if arguments.to == "detrex" else model)
    return None


def _host_config(name: str) -> DictConfig:
    hosts = get_config("common/hosts.py").hosts
    if name not in hosts:
        known = sorted(hosts)
        raise UserError(f"--host expects one of {', '.join(known)}. Got {name!r}.{did_you_mean(name, known)}")
    config: DictConfig = OmegaConf.create({"host": hosts[name]}, flags={"allow_objects": True}).host
    return config


def _model_config(path: Path) -> DictConfig:
    cfg = load_config(path)
    if not isinstance(cfg, DictConfig) or "model" not in cfg or "host" not in cfg.model:
        raise UserError(f"--config {path}: it defines no DSCT `model`, so it is no config of a run.")
    cfg.model.device = "meta"
    model: DictConfig = cfg.model
    return model


def _state(config: DictConfig) -> dict[str, Tensor]:
    with torch.device("meta"):  # names and shapes only: no memory, no time
        model: nn.Module = instantiate(config)
    return model.state_dict(keep_vars=True)
