"""The work of ``dsct sweep``: a table of the paper in, its cells trained, results beside the paper's.

Exit status: 0 every run asked for is finished; 1 some failed, which the results say; 2 the user can fix it (one
sentence); 130 or 143 interrupted, and the same command goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from dsct_detrex.cli.stopping import exit_status
from dsct_detrex.sweep.execute import Order, carry_out, prepare, write_pictures, write_tables
from dsct_detrex.sweep.overview import overview
from dsct_detrex.sweep.plan import Plan, make_plan
from dsct_detrex.sweep.runs import Standing
from dsct_detrex.sweep.trainer import Trainer
from dsct_detrex.sweep.wandb_grid import write_grid

FAILED = 1


def sweep(options: argparse.Namespace, words: Sequence[str], trainer: Trainer | None = None) -> int:
    """Carry out a sweep; returns the exit status.

    Args:
        options: as ``dsct_detrex.cli.sweep`` reads them.
        words: the command line as it was given, for the record.
        trainer: what trains a cell; None: ``dsct train``.
    """
    plan = make_plan(options, words, trainer or Trainer.of_this_user())
    if options.dry_run:
        print(overview(plan.setting))
        for run in plan.selected:
            print(plan.trainer.spoken(run.all_words()))
        return 0
    plan.folder.mkdir(parents=True, exist_ok=True)
    write_grid(plan.folder / "wandb_sweep.yaml", plan, options)
    left = prepare(plan.selected, options.restart, print)
    order = Order(plan.trainer.command, options.jobs, plan.total, options.keep_checkpoints, options.slurm)
    interrupted: KeyboardInterrupt | None = None
    try:
        if left:
            carry_out(left, order, plan.setting, lambda: _keep_tables(plan))
    except KeyboardInterrupt as stop:
        interrupted = stop
    rows, text = write_tables(plan.folder, plan.runs, plan.setting)
    write_pictures(plan.folder, rows, plan.setting)
    print(text)
    print(f"report: {plan.folder / 'report.html'}")
    if interrupted is not None:
        print("Interrupted; the same command goes on where this one stopped.", file=sys.stderr)
        return exit_status(interrupted)
    return 0 if all(run.standing() is Standing.FINISHED for run in plan.selected) else FAILED


def _keep_tables(plan: Plan) -> None:
    write_tables(plan.folder, plan.runs, plan.setting)
