"""What a resumed run was started with and what it goes on with: every difference is told, or refused by name.

``last.pth`` holds the resolved config of the run that wrote it. Settings that the engine reads anew at every step take
effect from the next iteration on; what the saved state was made for cannot change under it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from dsct_detrex.engine.files import write_text
from dsct_detrex.engine.words import is_below
from dsct_detrex.errors import UserError

_ABSENT = "absent"
_SHOWN = 12  # changes that are listed one by one

_START = "train.init_checkpoint"  # need not be given again

# Where and how a run is watched, and what a resumed run does not read again.
_OF_NO_CONSEQUENCE = (
    "train.output_dir", "train.device", "train.wandb", "train.tensorboard", "model.device",
    "optimizer.params.base_lr", "dataloader.train.seed",
)  # fmt: skip

# Key -> why the state of a run does not survive its change; the first that fits is told.
_REFUSED = {
    "train.seed": "the random states of that run continue",
    _START: "a resumed run goes on from its own weights and does not read it",
    "optimizer._target_": "the state of one optimizer means nothing to another",
    "emotions": "the heads of that run know other emotions",
    "dataloader.train.dataset": "it is another training set, and the run's position in it means nothing",
}
_MOVABLE = (
    "dataloader.train.dataset.root",
    "dataloader.train.dataset.annotations",
    "dataloader.train.dataset.on_error",
    "dataloader.train.dataset.objects",
)
_COUNT_BATCHES = ("dataloader.train.total_batch_size", "train.accumulate")
_NEED_STATE = ("amsgrad", "centered")  # switches of an optimizer that start what its state would need from the start

_CONSEQUENCES = {
    "train.max_iter": "progress through the schedule is a share of the new length",
    "train.max_epoch": "progress through the schedule is a share of the new length",
    "train.best": "the best so far is looked for anew",
    "train.model_ema.enabled": "the average starts, or is dropped, here",
}

Changes = dict[str, tuple[Any, Any]]
"""Dotted key -> its value then and now."""


def changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> Changes:
    """The leaves in which two resolved configs differ, less those without consequence."""
    old, new = dict(_leaves(then, "")), dict(_leaves(now, ""))
    if not new.get(_START):
        old.pop(_START, None)
        new.pop(_START, None)
    keys = [key for key in {**old, **new} if not is_below(key, _OF_NO_CONSEQUENCE)]
    pairs = {key: (old.get(key, _ABSENT), new.get(key, _ABSENT)) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1] and not _came_off(pair)}


def refuse(changed: Changes, now: Mapping[str, Any], path: Path) -> None:
    """Raise a ``UserError`` that names the first change that a resumed run cannot make."""
    for key, (old, new) in changed.items():
        reason = _why_not(key, old, new, now)
        if reason is not None:
            raise UserError(
                f"--resume: {key} was {_said(old)} in the run that wrote {path} and is {_said(new)} now: {reason}. "
                f"Leave it as it was, or start a new run with train.init_checkpoint={path}."
            )


def notes(changed: Changes, iteration: int) -> list[str]:
    """One line for each change that takes effect.

    Args:
        iteration: the last one done.
    """
    lines = [
        f"{key} {_said(old)} -> {_said(new)} from iteration {iteration + 1} on{_consequence(key)}"
        for key, (old, new) in changed.items()
    ]
    more = [f"and {len(lines) - _SHOWN} more; config.yaml has all"] if len(lines) > _SHOWN else []
    return [*lines[:_SHOWN], *more]


def hint(changed: Changes) -> str:
    """Which keys of the model differ, as the likely reason for weights that do; a sentence or nothing."""
    named = [f"{key} {_said(old)} -> {_said(new)}" for key, (old, new) in changed.items() if key.startswith("model.")]
    return f" Changed since: {'; '.join(named[:4])}." if named else ""


def keep_seed(cfg: DictConfig, saved: Mapping[str, Any]) -> None:
    """A run that drew its seed goes on with the one it drew."""
    seed = saved.get("train", {}).get("seed")
    if seed is not None and cfg.train.get("seed", -1) == -1:
        cfg.train.seed = seed


def keep_config(folder: Path, iteration: int) -> Path | None:
    """Copy ``config.yaml``, which is about to be written anew, to ``config_until_<iteration>.yaml``."""
    present, kept = folder / "config.yaml", folder / f"config_until_{iteration}.yaml"
    if not present.is_file():
        return None
    write_text(kept, present.read_text(encoding="utf-8"))
    return kept


def _came_off(pair: tuple[Any, Any]) -> bool:
    """A key that the run of before did not know, and that is switched off now."""
    return pair[0] == _ABSENT and (pair[1] is None or pair[1] is False)


def _why_not(key: str, old: Any, new: Any, now: Mapping[str, Any]) -> str | None:
    if key in _COUNT_BATCHES:
        epochs = now["train"].get("max_epoch") is not None
        return (
            "the epochs done so far would be counted anew (with train.max_epoch=null it may change)" if epochs else None
        )
    if key.startswith("optimizer.") and key.rpartition(".")[2] in _NEED_STATE and new is True:
        return "it needs a state that was not kept from the start"
    if key == "optimizer.momentum" and not old and "RMSprop" in str(now["optimizer"].get("_target_")):
        return "it needs a state that was not kept from the start"
    if is_below(key, _MOVABLE):
        return None
    return next((reason for root, reason in _REFUSED.items() if is_below(key, (root,))), None)


def _consequence(key: str) -> str:
    told = next((text for root, text in _CONSEQUENCES.items() if is_below(key, (root,))), None)
    return f": {told}" if told else ""


def _leaves(node: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in node.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _said(value: Any) -> str:
    return "null" if value is None else str(value)
