"""The config of a run out of a command line: the file, then ``--data`` and ``--hosts-from``, then the other flags, then
overrides; the later wins."""

from __future__ import annotations

import os
import traceback
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dsct_detrex.cli.evaluate import RELEASE
from dsct_detrex.cli.train import Arguments, parse
from dsct_detrex.config import LazyCall, apply_overrides, get_config, load_config
from dsct_detrex.config.building import instantiate
from dsct_detrex.config.project import config_file
from dsct_detrex.engine.exchange import exchange_data
from dsct_detrex.engine.released import released_config
from dsct_detrex.engine.unused import Unused, check_unused, find_unused
from dsct_detrex.errors import UserError
from dsct_detrex.integrations.detrex import host_configs, locate
from dsct_detrex.names import PROVIDERS
from dsct_detrex.structures import Emotions, ObjectClasses


def compose(arguments: Arguments, say: Callable[[str], None] | None = None, check: bool = True) -> DictConfig:
    """Load and change the config that the arguments name.

    Args:
        say: told what gives way or may have no effect; None warns.
        check: look for overrides and flags without effect; off for a command line that is not complete yet.

    Raises:
        UserError: a file, key or value is wrong, or has no effect; says which.
    """
    say = say or _warn
    cfg, flags = _composed(arguments, say if check else _silent)
    if check:
        for flag in flags:
            if (value := OmegaConf.select(cfg, flag.key)) != flag.value:
                say(f"note: {flag.words} gives way to the override {flag.key}={value}.")
        check_unused(cfg, arguments, _words_of(flags), say)
    origin = settle_emotions(cfg)
    settle_objects(cfg)
    if check and origin:
        say(f"{'classes' if cfg.emotions.get('_target_') is ObjectClasses else 'emotions'}: {origin}.")
    return cfg


def settle_emotions(cfg: DictConfig) -> str:
    """Write the names of emotions that are found out (in the files of a data set) into the config, in place.

    From then on the config needs no files to say them, nor does a release.

    Returns:
        Where they come from, in words; empty where the config names them itself.

    Raises:
        UserError: a name holds ``${``, which a config would fill in.
    """
    block = cfg.get("emotions")
    if block is None or _module_of(block.get("_target_")).startswith(Emotions.__module__.rpartition(".")[0]):
        return ""
    emotions: Emotions = instantiate(block)
    filled_in = [name for name in emotions.names if "${" in name]
    if filled_in:
        raise UserError(
            f"The emotion {filled_in[0]!r} holds '${{', which config files fill in. Call it something else in the "
            "annotation files."
        )
    cfg.emotions = LazyCall(type(emotions))(name=emotions.name, names=list(emotions.names))
    return emotions.origin or f"{emotions.num_emotions} ({', '.join(emotions.names)})"


def settle_objects(cfg: DictConfig) -> None:
    """Write the classes of the things that the data annotate beside people into the config, in place, as
    ``settle_emotions`` does with the emotions, and make the host's class heads for as many."""
    block = OmegaConf.select(cfg, "data.object_classes")
    if block is None:
        return
    found: ObjectClasses | None = instantiate(block)
    described = None if found is None else LazyCall(ObjectClasses)(name=found.name, names=list(found.names))
    OmegaConf.update(cfg, "data.object_classes", described, merge=False, force_add=True)
    host = OmegaConf.select(cfg, "model.host")
    if found is None or not isinstance(host, DictConfig):
        return
    owner = host if "num_classes" in host else host.get("transformer")  # Anchor-DETR has them there
    if isinstance(owner, DictConfig) and "num_classes" in owner:
        owner.num_classes = found.num_emotions


def _module_of(target: Any) -> str:
    return target if isinstance(target, str) else str(getattr(target, "__module__", ""))


def _composed(arguments: Arguments, say: Callable[[str], None]) -> tuple[DictConfig, list[_Flag]]:
    """The config, and the flags as keys that they have set."""
    released = arguments.config.endswith(RELEASE)
    if released and arguments.hosts_from == "detrex":
        locate()  # before its config is looked at, which names what is trusted then
    cfg = released_config(arguments.config) if released else _load(str(config_file(arguments.config)))
    if not isinstance(cfg, DictConfig) or "train" not in cfg:
        raise UserError(f"--config {arguments.config}: it defines no `train`, so it is no config of a run.")
    if arguments.data is not None:
        exchange_data(cfg, arguments.data, say)
    provider = _choose_hosts(cfg, arguments.hosts_from)
    flags = _from_flags(arguments)
    if released and arguments.out is None:
        cfg.train.output_dir = str(Path(arguments.config).parent)
    for flag in flags:
        OmegaConf.update(cfg, flag.key, flag.value, force_add=True)
    if arguments.data_root is not None:
        _set_root(cfg, arguments.data_root)
        flags.append(_Flag("data.root", arguments.data_root, f"--data-root {arguments.data_root}"))
    apply_overrides(cfg, list(arguments.overrides))
    if _provider(cfg) != provider:
        raise UserError(
            f"host.provider={_provider(cfg)} comes too late as an override, because overrides change the table of "
            f"hosts it stands for: use --hosts-from {_provider(cfg)}."
        )
    return cfg, flags


def _load(path: str) -> Any:
    """Load the file; what its own Python fails at is a mistake in it, which is told with its line.

    Raises:
        UserError: it cannot be loaded.
    """
    try:
        return load_config(path)
    except UserError:
        raise
    except Exception as error:  # anything, for it is the user's program
        lines = [
            one.lineno for one in traceback.extract_tb(error.__traceback__) if one.filename == os.path.abspath(path)
        ]
        where = f", line {lines[-1]}" if lines else ""
        said = (str(error).splitlines() or [""])[0]
        raise UserError(f"--config {path}{where}: {type(error).__name__}: {said}") from error


def refuse_useless(lines: Iterable[Sequence[str]], shared: Sequence[str]) -> None:
    """Raise a ``UserError`` for overrides that several command lines share and that have an effect in none of them.

    Args:
        lines: the command lines, which take such overrides as notes.
        shared: the overrides. A line that cannot be composed is left to say so itself.
    """
    left, found = set(shared), list[Unused]()
    for words in lines:
        try:
            found = without_effect(words)
        except UserError:
            return
        left &= {word for one in found for word in one.words}
        if not left:
            return
    if left and found:
        raise UserError(f"In every run, {' '.join(one.sentence for one in found if left.intersection(one.words))}")


def without_effect(words: Sequence[str]) -> list[Unused]:
    """What has no effect in a command line.

    Raises:
        UserError: the line cannot be composed.
    """
    arguments = parse(words)
    cfg, flags = _composed(arguments, _silent)
    return find_unused(cfg, arguments, _words_of(flags))


def _silent(sentence: str) -> None:
    pass


def _warn(sentence: str) -> None:
    warnings.warn(sentence, RuntimeWarning, stacklevel=3)


def _choose_hosts(cfg: DictConfig, asked: str | None) -> str | None:
    """Put the provider's table into ``hosts``; without ``--hosts-from`` the file's ``host.provider`` decides, if any.

    A table that is the provider's already stays, so that a saved config keeps what was changed in it.
    """
    provider = asked or _provider(cfg)
    if provider is None:
        return None
    if provider not in PROVIDERS:
        raise UserError(f"host.provider expects one of {', '.join(PROVIDERS)}. Got {provider!r}.")
    if provider == "detrex":
        locate()
    if cfg.get("hosts") is None:
        if provider != (_provider(cfg) or PROVIDERS[0]):
            raise UserError("--hosts-from replaces the table `hosts`, which this config does not have.")
        return _provider(cfg)
    if _made_by(cfg.hosts) != provider:
        _replace_hosts(cfg, host_configs() if provider == "detrex" else _embedded_hosts())
    OmegaConf.update(cfg, "host.provider", provider, force_add=True)
    return provider


def _provider(cfg: DictConfig) -> str | None:
    provider: str | None = OmegaConf.select(cfg, "host.provider")
    return provider


def _made_by(hosts: DictConfig) -> str:
    """Whose classes a table of hosts names."""
    module = _module_of(next(iter(hosts.values()))["_target_"])
    return "embedded" if module.startswith("dsct_detrex.") else "detrex"


def _embedded_hosts() -> DictConfig:
    hosts: DictConfig = get_config("common/hosts.py").hosts
    return hosts


def _replace_hosts(cfg: DictConfig, table: Any) -> None:
    """Exchange the table; what a config file changed in the old one is announced, since it is lost."""
    if _made_by(cfg.hosts) == "embedded":
        plain = OmegaConf.to_container(_embedded_hosts(), resolve=False)
        mine = OmegaConf.to_container(cfg.hosts, resolve=False)
        assert isinstance(plain, dict)
        assert isinstance(mine, dict)
        changed = [str(name) for name, host in mine.items() if host != plain.get(name)]
        if changed:
            warnings.warn(
                f"--hosts-from detrex takes the hosts as detrex describes them; what this config file changed in its "
                f"embedded {', '.join(changed)} is not taken over.",
                RuntimeWarning,
                stacklevel=2,
            )
    cfg.hosts = table


def _set_root(cfg: DictConfig, folder: str) -> None:
    """Set ``data.root``, from which the data configs of this project take their folders."""
    if "root" not in (OmegaConf.select(cfg, "data") or {}):
        raise UserError(
            "--data-root sets data.root, which this config does not have: name its data set with --data, or override "
            "the key it keeps its folder in."
        )
    cfg.data.root = folder


@dataclass(frozen=True)
class _Flag:
    """A flag as the key and value it stands for, and as it was written."""

    key: str
    value: Any
    words: str


def _words_of(flags: Iterable[_Flag]) -> dict[str, str]:
    return {flag.key: flag.words for flag in flags}


def _from_flags(arguments: Arguments) -> list[_Flag]:
    flags = [
        _Flag(key, value, f"{flag} {value}")
        for flag, key, value in (
            ("--weights", "train.init_checkpoint", arguments.weights),
            ("--out", "train.output_dir", arguments.out),
            ("--seed", "train.seed", arguments.seed),
            ("--split", "dataloader.test.dataset.split", arguments.split),
        )
        if value is not None
    ]
    if arguments.epochs is not None:
        flags.append(_Flag("train.max_epoch", arguments.epochs, f"--epochs {arguments.epochs:g}"))
    if arguments.amp:
        flags.append(_Flag("train.amp.enabled", True, "--amp"))
    if arguments.device is not None or arguments.num_gpus is not None:
        device = arguments.device or ("cuda" if arguments.num_gpus else "cpu")
        flags.append(_Flag("train.device", device, f"--device {device}" if arguments.device else "--num-gpus"))
    if arguments.wandb is not None:
        flags.append(_Flag("train.wandb.enabled", True, "--wandb"))
        if arguments.wandb:
            flags.append(_Flag("train.wandb.params.mode", arguments.wandb, f"--wandb={arguments.wandb}"))
    return flags
