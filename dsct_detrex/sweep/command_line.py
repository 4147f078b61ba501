"""The command line of ``scripts/sweep.py``: a table of the paper in, its cells trained, results beside the paper's.

Exit status: 0 every run asked for is finished; 1 some failed, which the results say; 2 the user can fix it (one
sentence); 130 interrupted, and the same command goes on.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from dsct_detrex.engine.command_line import INTERRUPTED, guarded
from dsct_detrex.errors import UserError
from dsct_detrex.paths import expanded, user_path
from dsct_detrex.sweep.execute import Order, carry_out, prepare, write_pictures, write_tables
from dsct_detrex.sweep.plan import Plan, make_plan
from dsct_detrex.sweep.runs import Standing
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
    options = read_options(words)
    plan = make_plan(options, words, script)
    if options.dry_run:
        for run in plan.selected:
            print(shlex.join(["python", *run.command(plan.script)[1:]]))
        return 0
    plan.folder.mkdir(parents=True, exist_ok=True)
    write_grid(plan.folder / "wandb_sweep.yaml", plan, options)
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


def read_options(words: Sequence[str]) -> argparse.Namespace:
    """Read a command line.

    Raises:
        UserError: a number that is too small.
    """
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
    add("--config", type=user_path, metavar="FILE", help="any other sweep")
    add("--data", default="synthetic", metavar="NAME", help="synthetic (default), emotic or caer_s")
    add("--data-root", type=expanded, metavar="DIR", help="where the data set lies")
    add("--scale", metavar="NAME", help="demo or paper; default: demo on synthetic data without a GPU, else paper")
    add("--seeds", type=int, default=3, metavar="N", help="runs of each cell, with seeds 0 to N - 1 (default 3)")
    add("--jobs", type=int, default=2, metavar="N", help="processes at the same time (default 2)")
    add(
        "--only",
        nargs="+",
        action="extend",
        default=[],
        metavar="CELL",
        help="train these cells only (dino/seed1: a run)",
    )
    add("--resume", action="store_true", help="go on with what is there; this is what always happens")
    add("--restart", action="store_true", help="begin all chosen cells anew; older folders are moved aside")
    add("--keep-checkpoints", action="store_true", help="leave last.pth in finished runs, to train them further")
    add("--dry-run", action="store_true", help="print the commands and stop")
    add("--output-dir", type=user_path, metavar="DIR", help="where results go (default runs/sweeps/NAME)")
    add("--slurm", nargs="*", metavar="KEY=VALUE", help="run as jobs of a SLURM cluster, with parameters for submitit")
    add("overrides", nargs="*", metavar="key=value", help="overrides for every cell")
    return parser
