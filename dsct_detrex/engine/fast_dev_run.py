"""``train.fast_dev_run.enabled=True``: four steps and a small evaluation, to see in a minute that everything fits
together.

Same code, same model, less of everything: batches of at most two images, read in this process, at a constant learning
rate, each step logged. ``train.fast_dev_run.overrides`` may shrink more, e.g. the images. It leaves a release, marked
as what it is, and no checkpoint to go on from.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dsct_detrex.config import apply_overrides
from dsct_detrex.engine import ddp
from dsct_detrex.engine.words import is_below, listed

STEPS = 4
EVAL_BATCHES = 2
NOTE = (
    "those of a run of four steps (train.fast_dev_run), which shows that everything fits together and learns nothing."
)
_IMAGES = 2

_OWN = (
    "train.max_iter", "train.max_epoch", "train.eval_period", "train.checkpointer.period", "train.log_period",
    "dataloader.train.num_workers", "dataloader.test.num_workers",
)  # fmt: skip
_SMALL = ("dataloader.train.total_batch_size", "dataloader.test.batch_size")
_UNUSED = {
    ("train.best",): "no best checkpoint is kept",
    ("train.early_stop",): "nothing stops it early",
    ("train.checkpointer.max_to_keep",): "no numbered releases are kept",
    ("train.eval_epochs", "train.checkpoint_epochs"): "it counts iterations",
    ("lr_multiplier",): "its learning rate is constant",
}
TOUCHED = (*_OWN, *_SMALL, *(root for roots in _UNUSED for root in roots))
"""Keys, each with all below it, that count for nothing or less in a short run."""


def shrink(cfg: DictConfig) -> None:
    """Change a config in place to a short run; settings of a config that lacks them are not invented.

    Raises:
        UserError: one of the overrides does not fit the config.
    """
    _set(cfg, "train.max_iter", STEPS)
    _set(cfg, "train.max_epoch", None)
    for period in ("eval_period", "checkpointer.period"):
        _set(cfg, f"train.{period}", STEPS)
    _set(cfg, "train.log_period", 1)
    for key, most in (("train.total_batch_size", max(_IMAGES, ddp.world_size())), ("test.batch_size", _IMAGES)):
        present = OmegaConf.select(cfg, f"dataloader.{key}")
        if present is not None:
            _set(cfg, f"dataloader.{key}", min(present, most))
    for loader in ("train", "test"):
        if OmegaConf.select(cfg, f"dataloader.{loader}.num_workers") is not None:
            _set(cfg, f"dataloader.{loader}.num_workers", 0)
    overrides = OmegaConf.select(cfg, "train.fast_dev_run.overrides") or []
    apply_overrides(cfg, [str(override) for override in overrides])


def told(keys: Iterable[str]) -> str:
    """What becomes of keys of ``TOUCHED`` that a user set, in one line."""
    given = list(dict.fromkeys(keys))

    def among(roots: tuple[str, ...]) -> str:
        return listed(key for key in given if is_below(key, roots))

    unused = [f"{among(roots)} ({reason})" for roots, reason in _UNUSED.items() if among(roots)]
    parts = (
        f"sets its own {among(_OWN)}" if among(_OWN) else "",
        f"lowers {among(_SMALL)} to {_IMAGES} or one a process" if among(_SMALL) else "",
        f"does not use {', '.join(unused)}" if unused else "",
    )
    return f"train.fast_dev_run {'; '.join(filter(None, parts))}."


def constant(where: float) -> float:
    """The multiplier of a short run: four steps are no schedule, and warm-up would hide a wrong learning rate."""
    return 1.0


def _set(cfg: DictConfig, key: str, value: Any) -> None:
    OmegaConf.update(cfg, key, value, force_add=True)
