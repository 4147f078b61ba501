"""The work of ``dsct bench``.

Exit status: 0 every candidate was measured; 1 some could not be, which their rows say; 2 a mistake to mend; 130 or
143 interrupted, what was measured is kept.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone

import torch

from dsct_detrex.bench.contracts import Setting, Size, Suite
from dsct_detrex.bench.discovery import chosen_suites, name_of, title_of
from dsct_detrex.bench.floor import measure_rates
from dsct_detrex.bench.keeping import keep, left_to_measure, publish
from dsct_detrex.bench.machine import describe
from dsct_detrex.bench.measuring import Means, as_plain, measure_case, peak_of
from dsct_detrex.bench.results import CaseResult, Record
from dsct_detrex.bench.rivals import recognise
from dsct_detrex.bench.screen import case_lines
from dsct_detrex.bench.timing import clock_of
from dsct_detrex.cli.invocation import recorded
from dsct_detrex.cli.stopping import exit_status
from dsct_detrex.errors import UserError
from dsct_detrex.names import hosts, suites
from dsct_detrex.paths import user_path
from dsct_detrex.prediction.devices import device_named
from dsct_detrex.suggestions import did_you_mean

SOME_MISSING = 1


def bench(options: argparse.Namespace, words: Sequence[str]) -> int:
    """Measure; returns the exit status.

    Raises:
        UserError: an unknown suite or host, a device that is not there, a folder that is no rival, or results that are
            there already.
    """
    if options.list:
        width = max(map(len, suites()))
        print(
            "\n".join(
                f"{name_of(suite):<{width}}  {title_of(suite)}"
                for suite in chosen_suites([*options.suites, *options.suite])
            )
        )
        return 0
    chosen = chosen_suites([*options.suites, *options.suite])
    setting = _setting(options)
    folder, command = None if options.out is None else user_path(options.out), recorded("bench", words)
    if folder is not None:
        left = left_to_measure(folder, chosen, command, options.overwrite)
        if done := [name_of(suite) for suite in chosen if suite not in left]:
            print(f"measured already, kept: {', '.join(done)}\n", flush=True)
        chosen = left
    torch.set_num_threads(options.threads or torch.get_num_threads())
    rates = measure_rates(setting.device)
    weigh = not (options.quick or options.no_memory)
    means = Means(
        clock_of(setting.device),
        rates,
        options.repeats or (3 if options.quick else 7),
        peak_of(setting, torch.get_num_threads(), weigh),
    )
    complete = True
    for suite in chosen:
        record: Record | None = None
        try:
            for record in _measure(suite, setting, means, command):
                complete = complete and not any(row.error for row in record.cases[-1].rows)
                if folder is not None:
                    keep(record, folder)
        except KeyboardInterrupt as stop:
            if record is not None and folder is not None:
                publish(replace(record, stopped=True), folder)
            kept = "no case was finished" if record is None or folder is None else "the cases finished so far are kept"
            goes_on = "" if folder is None else " The same command goes on, with this suite anew."
            print(f"Interrupted in suite {name_of(suite)}; {kept}.{goes_on}", file=sys.stderr)
            return exit_status(stop)
        if record is not None and folder is not None:
            publish(record, folder)
            keep(record, folder, finished=True)
    return 0 if complete else SOME_MISSING


def _setting(options: argparse.Namespace) -> Setting:
    known = hosts()
    for name in options.hosts or ():
        if name not in known:
            hint = did_you_mean(name, known) or f" Hosts: {', '.join(known)}."
            raise UserError(f"bench: --hosts expects names of hosts. Got {name!r}.{hint}")
    return Setting(
        device=device_named(options.device, "bench: --device"),
        sizes=tuple(Size(*pair) for pair in options.sizes) if options.sizes else None,
        hosts=tuple(options.hosts) if options.hosts else None,
        quick=options.quick,
        rivals=tuple(recognise(given) for given in options.against),
    )


def _measure(suite: Suite, setting: Setting, means: Means, command: str) -> Iterator[Record]:
    """The record after every case, printed as soon as it is known: who stops later keeps what was measured."""
    begun = datetime.now(timezone.utc).isoformat(timespec="seconds")
    name, title, rates = name_of(suite), title_of(suite), as_plain(means.rates)
    print(f"{name}: {title}\n", flush=True)
    measured: tuple[CaseResult, ...] = ()
    setting.asked.clear()
    for case in suite.cases(setting):
        measured += (measure_case(name, case, means),)
        print("\n".join(case_lines(measured[-1])) + "\n", flush=True)
        yield Record(name, title, command, begun, describe(setting.device), rates, measured)
    if useless := setting.useless():
        print(f"note: {' and '.join(useless)} made no difference to {name}.\n", flush=True)
