"""The command line of ``scripts/sweep.py``: a table of the paper in, its cells trained, results beside the paper's.

Exit status: 0 every run asked for is finished; 1 some failed, which the results say; 2 the user can fix it (one
sentence); 130 interrupted, and the same command goes on.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from omegaconf import DictConfig

from dsct_detrex.config.project import config_folder
from dsct_detrex.engine.arguments import parse_arguments
from dsct_detrex.engine.command_line import INTERRUPTED, guarded
from dsct_detrex.engine.compose import compose
from dsct_detrex.errors import UserError
from dsct_detrex.sweep.description import Cell, Sweep, load_sweep, table_file
from dsct_detrex.sweep.execute import Order, carry_out, prepare, write_pictures, write_tables
from dsct_detrex.sweep.runs import Run, Standing, plan_runs, spoken_path
from dsct_detrex.sweep.scale import Scale, get_scale, host_of
from dsct_detrex.sweep.setting import Setting
from dsct_detrex.sweep.wandb_grid import write_grid

FAILED = 1


def main(argv: Sequence[str] | None = None, script: Path | None = None) -> int:
    """Run a command line and return the exit status.

    Args:
        argv: without the program's name; None takes the process's own.
        script: what trains a cell; None: ``scripts/train.py`` of this checkout.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    return guarded(lambda: _main(words, script), words)


def _main(words: Sequence[str], script: Path | None) -> int:
    options = _options(words)
    plan = make_plan(options, words, script)
    if options.dry_run:
        for run in plan.selected:
            print(shlex.join(["python", *run.command(plan.script)[1:]]))
        return 0
    plan.folder.mkdir(parents=True, exist_ok=True)
    if not write_grid(plan.folder / "wandb_sweep.yaml", plan.setting, plan.script, plan.shared):
        print("note: no wandb_sweep.yaml, because the cells set keys of different blocks and are no product of values")
    left = prepare(plan.selected, options.restart, print)
    order = Order(plan.script, options.jobs, plan.total, options.keep_checkpoints, options.slurm)
    interrupted = False
    try:
        if left:
            carry_out(left, order, plan.setting, lambda: _keep_tables(plan))
    except KeyboardInterrupt:
        interrupted = True
    rows, text = write_tables(plan.folder, plan.runs, plan.setting)
    write_pictures(plan.folder, rows, plan.setting)
    print(text)
    print(f"report: {plan.folder / 'report.html'}")
    if interrupted:
        print("Interrupted; the same command goes on where this one stopped.", file=sys.stderr)
        return INTERRUPTED
    return 0 if all(run.standing() is Standing.FINISHED for run in plan.selected) else FAILED


def _keep_tables(plan: Plan) -> None:
    write_tables(plan.folder, plan.runs, plan.setting)


@dataclass(frozen=True)
class Plan:
    """What a command line comes to.

    Attributes:
        runs: of every cell of the table.
        selected: those to train now.
        shared: words of ``scripts/train.py`` that all cells have in common.
        total: iterations of a run; 0 where they follow from epochs.
    """

    setting: Setting
    script: Path
    folder: Path
    runs: list[Run]
    selected: list[Run]
    shared: list[str]
    total: int


def make_plan(options: argparse.Namespace, words: Sequence[str], script: Path | None) -> Plan:
    """Work out every run.

    Raises:
        UserError: sweep, scale, cell or an override for all cells is wrong.
    """
    if (options.table is None) == (options.config is None):
        raise UserError("Say which sweep: --table N for one of the paper, or --config FILE for any other.")
    sweep = load_sweep(table_file(options.table) if options.config is None else options.config)
    cells = sweep.select(options.only)
    root = config_folder().parent
    script = script or root / "scripts" / "train.py"
    if not script.is_file():
        raise UserError(f"A sweep runs in a checkout of the repository; there is no file {script}.")
    scale_name = options.scale or ("demo" if options.data == "synthetic" and not torch.cuda.is_available() else "paper")
    scale = get_scale(scale_name)
    start = ["--config", str(spoken_path(root / sweep.base)), "--data", options.data]
    start += ["--data-root", options.data_root] if options.data_root else []
    cfg = compose(parse_arguments([*start, *scale.run, *sweep.overrides, *options.overrides]))
    folder = options.output_dir or Path("runs") / "sweeps" / sweep.name
    command = shlex.join(["python", "scripts/sweep.py", *words])
    setting = Setting(sweep, options.data, scale_name, str(cfg.emotions.name), options.seeds, command)
    # Scale first, then what the sweep says, then the cell, then the user: the later wins.
    sized = {cell.name: _sized(cell, sweep, scale, cfg, options) for cell in sweep.cells}
    recipes = {
        cell.name: (*start, *sized[cell.name], *sweep.overrides, *cell.overrides, *options.overrides)
        for cell in sweep.cells
    }
    runs = plan_runs(sweep.cells, options.seeds, recipes, folder)
    if cfg.train.wandb.enabled:
        runs = [_with_wandb(run, setting) for run in runs]
    selected = [run for run in runs if run.cell in cells]
    total = 0 if cfg.train.max_epoch is not None else int(cfg.train.max_iter)
    # One host's sizes do not disturb another's, so all of them can stand in every command of a grid.
    every_size = dict.fromkeys(word for words_of_cell in sized.values() for word in words_of_cell)
    shared = [*start, *every_size, *sweep.overrides, *options.overrides]
    return Plan(setting, spoken_path(script), folder, runs, selected, shared, total)


def _sized(cell: Cell, sweep: Sweep, scale: Scale, cfg: DictConfig, options: argparse.Namespace) -> list[str]:
    """The overrides of the scale for a cell's host."""
    host = host_of(cfg, [*sweep.overrides, *cell.overrides, *options.overrides])
    return scale.overrides(cfg, host, options.data)


def _with_wandb(run: Run, setting: Setting) -> Run:
    """Runs of a sweep are a group, and carry its name, their cell and their data as tags."""
    name = setting.sweep.name
    words = (
        f"train.wandb.params.group={name}",
        f"train.wandb.params.name={name}-{run.cell.name}-seed{run.seed}",
        f"train.wandb.params.tags=[{name},{run.cell.name},{setting.data},{setting.scale}]",
    )
    return Run(run.cell, run.seed, (*run.words, *words), run.folder)


def _options(words: Sequence[str]) -> argparse.Namespace:
    options = _parser().parse_intermixed_args(words)
    options.overrides += [word for word in options.only if "=" in word]
    options.only = [word for word in options.only if "=" not in word]
    if options.slurm is not None:
        options.overrides += [word for word in options.slurm if "." in word.split("=")[0]]
        pairs = [word.split("=", 1) for word in options.slurm if "." not in word.split("=")[0]]
        options.slurm = {key: int(value) if value.isdigit() else value for key, value in pairs}
    for name in ("jobs", "seeds"):
        if getattr(options, name) < 1:
            raise UserError(f"--{name} expects a number of at least 1. Got {getattr(options, name)}.")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sweep.py",
        usage="sweep.py --table N | --config FILE [flags] [key=value ...]",
        description="Train every cell of a table of the paper and print the measured column beside the paper's.",
        epilog="key=value changes a key of every cell's config. The same command goes on where it was interrupted: "
        "finished runs are kept, others continued or tried again; a run whose command changed is trained again.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--table", metavar="N", help="a table of the paper, e.g. 10, or a figure, e.g. figure_11")
    add("--config", type=Path, metavar="FILE", help="any other sweep")
    add("--data", default="synthetic", metavar="NAME", help="synthetic (default), emotic or caer_s")
    add("--data-root", metavar="DIR", help="where the data set lies")
    add("--scale", metavar="NAME", help="demo or paper; default: demo on synthetic data without a GPU, else paper")
    add("--seeds", type=int, default=3, metavar="N", help="runs of each cell, with seeds 0 to N - 1 (default 3)")
    add("--jobs", type=int, default=2, metavar="N", help="processes at the same time (default 2)")
    add("--only", nargs="+", action="extend", default=[], metavar="CELL", help="train these cells only")
    add("--resume", action="store_true", help="go on with what is there; this is what always happens")
    add("--restart", action="store_true", help="begin all chosen cells anew; older folders are moved aside")
    add("--keep-checkpoints", action="store_true", help="leave last.pth in finished runs, to train them further")
    add("--dry-run", action="store_true", help="print the commands and stop")
    add("--output-dir", type=Path, metavar="DIR", help="where results go (default runs/sweeps/NAME)")
    add("--slurm", nargs="*", metavar="KEY=VALUE", help="run as jobs of a SLURM cluster, with parameters for submitit")
    add("overrides", nargs="*", metavar="key=value", help="overrides for every cell")
    return parser
