"""Overrides and flags that were accepted and would change nothing: named, with what rules in their place.

Two ways lead there. Another key silences them (``precedence``), or nothing that is built reads them: a host that was
not chosen, a folder of a data set without a disk, a key that a ``+`` invented.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig

from dsct_detrex.cli.train import Arguments
from dsct_detrex.config.override_grammar import parse_override
from dsct_detrex.engine import fast_dev_run
from dsct_detrex.engine.built import BUILT, Built, train_keys
from dsct_detrex.engine.precedence import ABSENT, Rule, View, rule_for
from dsct_detrex.engine.words import is_below, listed
from dsct_detrex.errors import UserError
from dsct_detrex.suggestions import did_you_mean

_FREE = ("train.wandb.params", "train.clip_grad.params", "train.thresholds")  # whose keys somebody else knows
_OF_TRAINING = ("train", "optimizer", "lr_multiplier", "dataloader.train")  # of no interest to --eval-only


@dataclass(frozen=True)
class Given:
    """One leaf that the user set: its key, and the words that set it."""

    key: str
    words: str


@dataclass(frozen=True)
class Unused:
    """Overrides and flags that have no effect, all for one reason.

    Attributes:
        words: as the user wrote them.
        reason: the end of the sentence about them.
        note: they may be right all the same.
    """

    words: tuple[str, ...]
    reason: str
    note: bool

    @property
    def sentence(self) -> str:
        return f"{listed(self.words)} {'has' if len(self.words) == 1 else 'have'} no effect{self.reason}"


def check_unused(cfg: DictConfig, arguments: Arguments, flags: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Look at everything that a command line set.

    Args:
        cfg: composed from it.
        flags: keys that flags have set, with the flag as it was written.
        say: told what may be right all the same.

    Raises:
        UserError: something has no effect, and ``--unused-overrides`` is not ``note``.
    """
    if touched := [one.key for one in _given(arguments, flags) if _is_shrunk(View(cfg), one)]:
        say(f"note: {fast_dev_run.told(touched)}")
    found = find_unused(cfg, arguments, flags)
    for one in found:
        if one.note or arguments.unused_overrides == "note":
            say(f"note: {one.sentence}")
    wrong = [one.sentence for one in found if not one.note]
    if wrong and arguments.unused_overrides == "error":
        raise UserError(" ".join(wrong))


def find_unused(cfg: DictConfig, arguments: Arguments, flags: Mapping[str, str]) -> list[Unused]:
    """What has no effect, whatever is to be done about it; arguments as of ``check_unused``."""
    view, built = View(cfg, arguments.eval_only, alone=(arguments.num_gpus or 1) <= 1), Built(cfg)
    by_reason: dict[tuple[str, bool], list[str]] = {}
    for one in _given(arguments, flags):
        found = None if _is_shrunk(view, one) else _why(view, built, one)
        if found is not None:
            by_reason.setdefault(found, []).append(one.words)
    return [Unused(tuple(dict.fromkeys(words)), *found) for found, words in by_reason.items()]


def _given(arguments: Arguments, flags: Mapping[str, str]) -> list[Given]:
    """Every leaf that flags and overrides set, as they were written."""
    return [*(Given(key, words) for key, words in flags.items()), *reversed(list(_leaves(arguments)))]


def _is_shrunk(view: View, one: Given) -> bool:
    """Whether a short run sets the key itself, or does not use it, which it says in its own words."""
    return view.on("train.fast_dev_run.enabled") and is_below(one.key, fast_dev_run.TOUCHED)


def _why(view: View, built: Built, one: Given) -> tuple[str, bool] | None:
    """Why a key has no effect, as the end of a sentence, and whether that is a mere note; None where it has one."""
    unread = _unread(view, built, one)
    if unread is not None:
        return f", because {unread}", False
    rule = None if view.eval_only and is_below(one.key, _OF_TRAINING) else rule_for(view, one.key)
    return None if rule is None else (f" while {_ruler(view, rule)} rules: {rule.remedy}.", rule.note)


def _ruler(view: View, rule: Rule) -> str:
    """A key with its value; other words as they are."""
    if " " in rule.ruler or "." not in rule.ruler:
        return rule.ruler
    value = view[rule.ruler]
    return f"{rule.ruler}={'null' if value is None else value}"


def _leaves(arguments: Arguments) -> Iterator[Given]:
    """Every value that an override sets, unless a later one replaces it, for the last one wins; a mapping without
    ``_target_`` sets each of its own."""
    replaced: tuple[str, ...] = ()
    for text in reversed(arguments.overrides):
        override = parse_override(text)
        key = ".".join(override.key)
        keys = [key] if override.action == "delete" else list(_keys_of(override.value, key))
        yield from (Given(leaf, text) for leaf in keys if not is_below(leaf, replaced))
        replaced = (*replaced, *keys)


def _keys_of(value: Any, key: str) -> Iterator[str]:
    if isinstance(value, dict) and value and "_target_" not in value:
        for name, item in value.items():
            yield from _keys_of(item, f"{key}.{name}")
    else:
        yield key


def _unread(view: View, built: Built, one: Given) -> str | None:
    """Why nothing reads a key; None where something does, or where it was deleted."""
    parts = one.key.split(".")
    if one.words.startswith("~") or is_below(one.key, BUILT) or one.key == "host.provider":
        return None
    if parts[0] == "train":
        known = train_keys()
        if one.key in known or is_below(one.key, _FREE) or any(name.startswith(f"{one.key}.") for name in known):
            return None
    if built.reads(one.key):
        return None
    return _reason(view, parts)


def _reason(view: View, parts: list[str]) -> str:
    host = view["host.name"]
    if parts[0] == "hosts" and len(parts) > 1 and parts[1] != host:
        return f"host.name={host} rules: add host.name={parts[1]}, or set hosts.{host}."
    if parts[0] == "subject_training" and len(parts) > 1 and parts[1] not in ("default", host):
        return f"host.name={host} rules: add host.name={parts[1]}."
    if parts[:2] == ["subject_training", "default"] and len(parts) > 2:
        return _reason_of_default(view, parts[2:])
    if parts[0] == "train":
        return f"no key of `train` is called so.{did_you_mean('.'.join(parts), train_keys(), dotted=True)}"
    if parts[0] == "data":
        reader = view["dataloader.train.dataset._target_"]
        name = str(getattr(reader, "__name__", reader)).rpartition(".")[2]
        return f"the data set of this config ({name}) does not read it: choose another with --data."
    return "nothing that is built reads it."


def _reason_of_default(view: View, parts: list[str]) -> str:
    """Why nothing reads ``subject_training.default.<parts>``."""
    host, kind, name = view["host.name"], view["emotions.name"], parts[0]
    if name == "num_subjects" and parts[1:] != [kind]:
        own = f"subject_training.default.num_subjects.{kind}"
        return f"emotions.name={kind} rules: set {f'{own} or ' if view[own] != ABSENT else ''}model.num_subjects."
    if view[f"subject_training.{host}.{name}"] != ABSENT:
        return f"{host} has its own subject_training.{host}.{name}: set that one."
    if name in ("denoising", "one_to_many"):
        return f"model.{name} looks for subject_training.{host}.{name} alone: set model.{name}."
    return "nothing that is built reads it."
