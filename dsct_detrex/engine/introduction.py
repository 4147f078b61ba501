"""What a run is, on one screen, before it begins; what is long goes to ``log.txt`` instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from dsct_detrex.cli.invocation import spoken
from dsct_detrex.engine.examine import Examiner
from dsct_detrex.engine.headlines import Headlines, data_details, data_notes, data_rows
from dsct_detrex.engine.initial_weights import InitialWeights
from dsct_detrex.engine.model_facts import device_words, model_words
from dsct_detrex.engine.screen import Console, Row
from dsct_detrex.engine.session import Session
from dsct_detrex.engine.summary import count_parameters

FULL_SIZE = 10_000_000
"""Trained weights from which on random ones learn nothing on a CPU in the time that somebody waits."""

_FINDINGS = 2  # of a split that are told on the screen
_SMALL_PROJECT = ("--config", "demo")


@dataclass(frozen=True)
class Introduction:
    """``rows`` fill one screen; ``notes`` are a sentence each; ``details`` are for ``log.txt``."""

    rows: Sequence[Row]
    notes: Sequence[str]
    details: Sequence[str]

    def tell(self, console: Console) -> None:
        for detail in self.details:
            console.detail(detail)
        console.block(self.rows)
        for note in self.notes:
            console.say(note)


def introduce(
    session: Session,
    model: nn.Module,
    weights: InitialWeights,
    known: Headlines,
    examiner: Examiner | None,
    plan: Sequence[Row] = (),
    groups: Sequence[str] = (),
    *,
    dry_run: bool = False,
) -> Introduction:
    """Gather what a run says of itself.

    Args:
        plan: rows of ``plan.plan_rows``; none where nothing is trained.
        groups: of the optimizer, a line each.
        dry_run: there will be no ``log.txt``, so nothing may be left to it.

    Raises:
        BackendError: see ``device_words``.
    """
    protocol = getattr(getattr(getattr(examiner, "evaluator", None), "protocol", None), "name", None)
    rows = [
        *data_rows(known),
        ("model", model_words(session.plain, model)),
        ("weights", weights.text),
        ("device", device_words(session.settings, session.device, model)),
        *plan,
        *([("lr groups", "\n".join(groups))] if dry_run and groups else []),
        *([("protocol", str(protocol))] if protocol and not plan else []),
        ("output", str(session.output_dir)),
    ]
    notes = [
        *([weights.details] if dry_run and weights.details else []),
        *(f"note: {note}" for note in data_notes(known, _max_batches(examiner), None if dry_run else _FINDINGS)),
        *weights.notes,
        *_hopeless(session, model, weights),
    ]
    details = [*data_details(known), *filter(None, [weights.details, "\n".join(groups)])]
    return Introduction(rows, notes, details)


def _hopeless(session: Session, model: nn.Module, weights: InitialWeights) -> list[str]:
    """What to try in the place of a training that would not come to anything here."""
    _, trained = count_parameters(model)
    if not weights.random or session.device.type != "cpu" or trained < FULL_SIZE:
        return []
    if session.settings.fast_dev_run.enabled:
        return []
    return [
        f"note: {trained / 1e6:.0f} M random weights: expect nothing useful from a CPU. What does learn here: "
        f"{spoken('train', _SMALL_PROJECT)} (4 M weights, about 20 minutes on one core); or begin with a checkpoint, "
        "train.init_checkpoint=FILE."
    ]


def _max_batches(examiner: Examiner | None) -> int | None:
    return None if examiner is None else examiner.max_batches
