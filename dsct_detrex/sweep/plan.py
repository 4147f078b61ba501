"""From a command line to every run of a sweep: which config a cell starts from, how large it is, in what words."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from omegaconf import DictConfig

from dsct_detrex.cli.invocation import spoken
from dsct_detrex.cli.train import parse
from dsct_detrex.config import instantiate
from dsct_detrex.config.loading import one_load
from dsct_detrex.config.override_grammar import Override, parse_override
from dsct_detrex.engine.compose import compose, refuse_useless
from dsct_detrex.engine.plan import stated_steps
from dsct_detrex.errors import UserError
from dsct_detrex.suggestions import did_you_mean
from dsct_detrex.sweep.description import Cell, Sweep, load_sweep, table_file
from dsct_detrex.sweep.overruling import check_decided, check_rows
from dsct_detrex.sweep.runs import Run, plan_runs
from dsct_detrex.sweep.scale import Scale, get_scale, host_of
from dsct_detrex.sweep.setting import Setting
from dsct_detrex.sweep.trainer import Trainer


@dataclass(frozen=True)
class Plan:
    """What a command line comes to.

    Attributes:
        runs: of every cell of the table.
        selected: those to train now.
        shared: words of ``dsct train`` that all cells have in common; None where cells start from different
            config files.
        total: iterations of a run; 0 where they follow from epochs.
    """

    setting: Setting
    trainer: Trainer
    folder: Path
    runs: list[Run]
    selected: list[Run]
    shared: list[str] | None
    total: int


def make_plan(options: argparse.Namespace, words: Sequence[str], trainer: Trainer) -> Plan:
    """Work out every run.

    Args:
        options: the parsed command line.
        words: the command line as it was given, for the record.
        trainer: what trains a cell.

    Raises:
        UserError: sweep, scale, cell or an override for all cells is wrong.
    """
    if (options.table is None) == (options.config is None):
        raise UserError("Say which sweep: --table N for one of the paper, or --config FILE for any other.")
    sweep = load_sweep(table_file(options.table) if options.config is None else options.config)
    check_decided(options.overrides)
    by_data = "demo" if options.data == "synthetic" and not torch.cuda.is_available() else "paper"
    scale_name = options.scale or sweep.scale or by_data
    with one_load():
        recipes = _recipes(sweep, get_scale(scale_name), options)
        refuse_useless((recipe.words for recipe in recipes.values()), options.overrides)
    cfg = next(iter(recipes.values())).cfg  # data and length are the same for all
    folder = options.output_dir or Path("runs") / "sweeps" / sweep.name
    command = spoken("sweep", words)
    setting = Setting(sweep, options.data, scale_name, instantiate(cfg.emotions), options.seeds, command)
    runs = plan_runs(
        sweep.cells, options.seeds, {name: tuple(recipe.words) for name, recipe in recipes.items()}, folder
    )
    if cfg.train.wandb.enabled:
        runs = [_with_wandb(run, setting) for run in runs]
    selected = _select(runs, options.only)
    if options.overrides:
        chosen = dict.fromkeys(run.cell.name for run in selected)
        with one_load():
            check_rows(((recipes[name].cell, recipes[name].words) for name in chosen), options.overrides)
    total = stated_steps(cfg)
    return Plan(setting, trainer, folder, runs, selected, _shared(recipes), total)


@dataclass(frozen=True)
class _Recipe:
    """A cell in words: ``start`` names files, then the scale, then what the sweep says, then cell, then user; the later
    wins. What the scale says about a part of the model that a later word switches off is left out: such a word would
    have no effect, which is an error. ``cfg`` is what all cells of its config file have in common."""

    cell: Cell
    cfg: DictConfig
    start: list[str]
    sized: list[str]
    common: list[str]
    user: list[str]

    @property
    def words(self) -> list[str]:
        """What the user says for all cells may have no effect in some of them."""
        lenient = ["--unused-overrides=note"] if self.user else []
        return [*self.start, *lenient, *self.kept, *self.common, *self.cell.overrides, *self.said]

    @property
    def said(self) -> list[str]:
        """The words of the user, less those about what is below a key that this cell switches off."""
        gone = [key for word in self.cell.overrides for key in _replaced(parse_override(word))]
        return [word for word in self.user if not any(_inside(parse_override(word).key, key) for key in gone)]

    @property
    def kept(self) -> list[str]:
        """The words of the scale that have something to change."""
        later = [parse_override(word) for word in (*self.common, *self.cell.overrides, *self.user)]
        gone = [tuple(key.split(".")) for key in self.cell.without]
        gone += [key for override in later for key in _replaced(override)]
        return [word for word in self.sized if not any(_below(parse_override(word).key, key) for key in gone)]


def _replaced(override: Override) -> Iterator[tuple[str, ...]]:
    """Keys under which nothing stays as it was: they are switched off, deleted, or built from another call."""
    nodes = [(override.key, override.value)]
    while nodes:
        key, value = nodes.pop()
        if value is None or (isinstance(value, dict) and "_target_" in value):
            yield key
        elif isinstance(value, dict):
            nodes += [((*key, str(name)), item) for name, item in value.items()]


def _below(key: tuple[str, ...], outer: tuple[str, ...]) -> bool:
    return key[: len(outer)] == outer


def _inside(key: tuple[str, ...], outer: tuple[str, ...]) -> bool:
    return key != outer and _below(key, outer)


def _recipes(sweep: Sweep, scale: Scale, options: argparse.Namespace) -> dict[str, _Recipe]:
    """Of every cell, by its name."""
    configs: dict[str, DictConfig] = {}
    recipes = {}
    data = ["--data", options.data, *(["--data-root", options.data_root] if options.data_root else [])]
    common, user = list(sweep.overrides), list(options.overrides)
    for cell in sweep.cells:
        base = sweep.base_of(cell)
        start = ["--config", base, *data]
        if base not in configs:
            configs[base] = compose(parse([*start, *scale.run, *common, *user]), check=False)
        cfg = configs[base]
        host = host_of(cfg, [*common, *cell.overrides, *user])
        recipes[cell.name] = _Recipe(cell, cfg, start, scale.overrides(cfg, host, options.data), common, user)
    return recipes


def _shared(recipes: Mapping[str, _Recipe]) -> list[str] | None:
    """What all cells have in common; one cell's sizes do not disturb another's, so all of them are part of it."""
    first, *others = recipes.values()
    if any(other.start != first.start for other in others):
        return None
    every_size = dict.fromkeys(word for recipe in recipes.values() for word in recipe.kept)
    return [*first.start, "--unused-overrides=note", *every_size, *first.common, *first.user]


def _select(runs: Sequence[Run], names: Sequence[str]) -> list[Run]:
    """The runs of these cells (``dino``) or with these names (``dino/seed1``), all without any.

    Raises:
        UserError: an unknown name.
    """
    cells = list(dict.fromkeys(run.cell.name for run in runs))
    for name in names:
        if name not in cells and name not in [run.short_name for run in runs]:
            hint = did_you_mean(name, cells) or f" Its cells: {', '.join(cells)}."
            raise UserError(
                f"--only expects cells of the sweep, or runs such as {runs[0].short_name}. Got {name!r}.{hint}"
            )
    return [run for run in runs if not names or run.cell.name in names or run.short_name in names]


def _with_wandb(run: Run, setting: Setting) -> Run:
    """Runs of a sweep are a group, their cell is their type, and they carry name, cell and data as tags."""
    name = setting.sweep.name
    words = (
        f"train.wandb.params.group={name}",
        f"train.wandb.params.job_type={run.cell.name}",
        f"train.wandb.params.name={name}-{run.cell.name}-seed{run.seed}",
        f"train.wandb.params.tags=[{name},{run.cell.name},{setting.data},{setting.scale}]",
    )
    return Run(run.cell, run.seed, (*run.words, *words), run.folder)
