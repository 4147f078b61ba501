"""What is told, and left behind, once all is measured: the long tables, then where everything is.

The one place after a training's last evaluation, and after an evaluation alone.
"""

from __future__ import annotations

from dsct_detrex.counting import counted
from dsct_detrex.engine.checkpoint import RunState
from dsct_detrex.engine.choice import settled_rule
from dsct_detrex.engine.examine import EMA_PREFIX, Examination
from dsct_detrex.engine.screen.evaluation_line import evaluation_line
from dsct_detrex.engine.session import Session
from dsct_detrex.evaluation.formatting import duration

_LEFT = ("report.html", "best.safetensors", "last.safetensors", "evaluation.json", "metrics.csv", "log.txt")


def tell_evaluation(session: Session, examination: Examination) -> None:
    """After an evaluation alone."""
    evaluation = examination.evaluations[""]
    metric = str(settled_rule(session.settings.best, session.emotions).metric).removeprefix(EMA_PREFIX)
    line = evaluation_line("evaluated", evaluation.scalars, evaluation.report, metric, evaluation.seconds)
    session.console.say(line)
    session.console.keep(examination.tables())
    session.console.show(examination.tables())


def tell_training(session: Session, state: RunState, examination: Examination | None) -> None:
    """After a training; without an evaluation (a finished run that was resumed) there are no tables."""
    console, folder = session.console, session.output_dir
    if examination is not None:
        console.show(examination.tables())
    left = [name for name in _LEFT if (folder / name).exists()]
    best = state.best
    value = "" if best.value is None else f", best {best.metric} {best.value:.4f} at {best.iteration:,}"
    console.say(
        f"done: {counted(state.iteration, 'step')} after {duration(state.seconds)}{value}\n"
        f"results in {folder}: {', '.join(left)}"
    )
