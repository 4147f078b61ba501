"""The work of ``dsct train``: the options of a command line in, a run done."""

from __future__ import annotations

import os
from collections.abc import Sequence

from dsct_detrex.cli.invocation import runnable
from dsct_detrex.cli.train import Arguments
from dsct_detrex.engine import ddp
from dsct_detrex.engine.compose import compose
from dsct_detrex.engine.launch import group_wanted, launch
from dsct_detrex.engine.train_run import run


def train(arguments: Arguments, words: Sequence[str]) -> int:
    """Train or evaluate, in this process or in several; returns the exit status."""
    group = group_wanted(arguments)
    if group is not None:
        if group.machines > 1:
            _note(f"machine {group.machine} of {group.machines}: meeting the others at {group.host}:{group.port}")
        return launch([*runnable("train"), *words], group)
    if arguments.dist_url not in (None, "auto") and not ddp.under_torchrun():
        _note(f"note: --dist-url {arguments.dist_url} has no effect on a single process.")
    told: list[str] = []

    def note(sentence: str) -> None:
        told.append(sentence)
        _note(sentence)

    cfg = compose(arguments, note)
    run(cfg, resume=arguments.resume, eval_only=arguments.eval_only, dry_run=arguments.dry_run, told=told)
    return 0


def _note(sentence: str) -> None:
    """To stdout, like all that a run tells; once for all processes."""
    if not ddp.under_torchrun() or os.environ.get("RANK", "0") == "0":
        print(sentence, flush=True)
