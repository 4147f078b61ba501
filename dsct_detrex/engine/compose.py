"""The config of a run out of a command line: the file, then ``--data``, then flags, then overrides; the later wins."""

from __future__ import annotations

from typing import Any

from omegaconf import DictConfig, OmegaConf

from dsct_detrex.config import apply_overrides, get_config, load_config
from dsct_detrex.config.project import config_folder
from dsct_detrex.config.suggestions import did_you_mean
from dsct_detrex.engine.arguments import Arguments
from dsct_detrex.errors import UserError


def compose(arguments: Arguments) -> DictConfig:
    """Load and change the config that the arguments name.

    Raises:
        UserError: a file, key or value is wrong; says which.
    """
    cfg = load_config(arguments.config)
    if not isinstance(cfg, DictConfig) or "train" not in cfg:
        raise UserError(f"--config {arguments.config}: it defines no `train`, so it is no config of a run.")
    if arguments.data is not None:
        _replace_data(cfg, arguments.data)
    for key, value in _from_flags(arguments):
        OmegaConf.update(cfg, key, value, force_add=True)
    if arguments.data_root is not None:
        _set_root(cfg, arguments.data_root)
    apply_overrides(cfg, list(arguments.overrides))
    return cfg


def _replace_data(cfg: DictConfig, name: str) -> None:
    """Put the top-level names that ``configs/common/data/<name>.py`` defines in the place of the config's own."""
    known = sorted(path.stem for path in (config_folder() / "common" / "data").glob("*.py"))
    if name not in known:
        raise UserError(f"--data expects one of {', '.join(known)}. Got {name!r}.{did_you_mean(name, known)}")
    for key, value in get_config(f"common/data/{name}.py").items():
        cfg[key] = value


def _set_root(cfg: DictConfig, folder: str) -> None:
    """Set ``data.root``, from which the data configs of this project take their folders."""
    if "root" not in (OmegaConf.select(cfg, "data") or {}):
        raise UserError(
            "--data-root sets data.root, which this config does not have: name its data set with --data, or override "
            "the key it keeps its folder in."
        )
    cfg.data.root = folder


def _from_flags(arguments: Arguments) -> list[tuple[str, Any]]:
    changes: list[tuple[str, Any]] = []
    if arguments.epochs is not None:
        changes.append(("train.max_epoch", arguments.epochs))
    if arguments.amp:
        changes.append(("train.amp.enabled", True))
    if arguments.device is not None or arguments.num_gpus is not None:
        device = arguments.device or ("cuda" if arguments.num_gpus else "cpu")
        changes.append(("train.device", device))
    if arguments.wandb is not None:
        changes.append(("train.wandb.enabled", True))
        if arguments.wandb:
            changes.append(("train.wandb.params.mode", arguments.wandb))
    return changes
