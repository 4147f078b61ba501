"""One examination of a run: the weights, then their average, told, written to files, ready to be logged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text
from torch import nn

from dsct_detrex.counting import counted
from dsct_detrex.engine import ddp
from dsct_detrex.engine.contracts import Evaluator, Scalars, TestLoader
from dsct_detrex.engine.ema import WeightAverage
from dsct_detrex.engine.evaluate import Evaluation, evaluate_model
from dsct_detrex.engine.files import write_json
from dsct_detrex.engine.loggers import Prediction
from dsct_detrex.engine.screen import Console
from dsct_detrex.evaluation import EmotionEvaluator, report_tables
from dsct_detrex.evaluation.files import keep_older
from dsct_detrex.evaluation.formatting import measured_on
from dsct_detrex.structures import Emotions, Headline

EMA_PREFIX = "ema/"
TRAINING_STEM = "evaluation"
WEIGHTS = {EMA_PREFIX: "weight average", "": "weights"}
"""What the numbers under a prefix were measured on."""


@dataclass(frozen=True)
class Examination:
    """``scalars`` has the numbers of the weights under their names, those of the average under ``ema/``.

    ``reports`` maps the prefix (``""`` or ``"ema/"``) to the evaluator's report, where it makes one; ``evaluations``
    maps it to all that was measured, the average first.
    """

    scalars: Scalars
    reports: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    predictions: list[Prediction] = field(default_factory=list)
    evaluations: Mapping[str, Evaluation] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """What it cost."""
        return sum(evaluation.seconds for evaluation in self.evaluations.values())

    def tables(self) -> RenderableType:
        """Everything that was measured, at length; under a heading each where there are two."""
        parts: list[RenderableType] = []
        for prefix, evaluation in self.evaluations.items():
            if len(self.evaluations) > 1:
                parts.append(Text(f"\n{WEIGHTS[prefix].capitalize()}", style="bold"))
            ours = evaluation.report is not None and "protocol" in evaluation.report
            parts.append(report_tables(evaluation.report) if ours and evaluation.report else _plain_table(evaluation))
        return Group(*parts)

    def words(self) -> dict[str, str]:
        """For loggers: what the numbers stand on, ``"all"`` or ``"2 of 4 images"``, and the line of the console."""
        report = self.reports.get("")
        if report is None or "dataset" not in report:
            return {}
        return {"data/coverage": report["dataset"]["coverage"] or "all", "data/measured_on": measured_on(report)}

    def report_of(self, metric: str) -> dict[str, Any] | None:
        """The report of the weights that a metric was measured on."""
        return self.reports.get(EMA_PREFIX if metric.startswith(EMA_PREFIX) else "")


@dataclass(frozen=True)
class Examiner:
    """What is needed to examine a model at any time.

    Args:
        max_batches: a short examination for ``train.fast_dev_run``; None is a real one.
        num_pictures: images whose predictions are kept for the loggers.
        stem: name of the file of the result; ``evaluation`` is that of a training.
        headline: of the loader's split, where that is known.
    """

    loader: TestLoader
    evaluator: Evaluator
    console: Console
    output_dir: Path
    max_batches: int | None = None
    num_pictures: int = 0
    stem: str = TRAINING_STEM
    headline: Headline | None = None

    @property
    def split(self) -> str | None:
        """Which split is evaluated, where its data set says."""
        return None if self.headline is None else self.headline.split

    def with_warning(self, sentence: str) -> Examiner:
        """The same, with ``sentence`` in the headline and so beside every score."""
        if self.headline is None:
            return self
        headline = replace(self.headline, warnings=(*self.headline.warnings, sentence))
        if hasattr(self.evaluator, "describe_dataset"):
            self.evaluator.describe_dataset(headline)
        return replace(self, headline=headline)

    def cautioned(self, model: nn.Module) -> Examiner:
        """The same, with the ``caution`` of a model that has one beside every score."""
        caution: str | None = getattr(model, "caution", None)
        return self if caution is None else self.with_warning(caution)

    def calibrated(self, model: nn.Module) -> Examiner:
        """The same, whose evaluator shows probabilities at the temperature at which the model reads its logits."""
        read_as = getattr(model, "emotions", None)
        if isinstance(self.evaluator, EmotionEvaluator) and isinstance(read_as, Emotions):
            self.evaluator.temperature = read_as.temperature
        return self

    def examine(
        self, model: nn.Module, average: WeightAverage | None = None, cancel: Callable[[], bool] | None = None
    ) -> Examination:
        """Evaluate a model and, if there is one, the average of its weights.

        Args:
            model: the bare model; it comes back with its own weights and in its own mode.
            cancel: see ``evaluate_model``.
        """
        evaluations: dict[str, Evaluation] = {}
        if average is not None:
            with average.applied_to(model):
                evaluations[EMA_PREFIX] = self._evaluate(model, 0, cancel)
            self._keep(evaluations[EMA_PREFIX], EMA_PREFIX)
        result = evaluations[""] = self._evaluate(model, self.num_pictures, cancel)
        self._keep(result, "")
        scalars = {f"{prefix}{name}": v for prefix, one in evaluations.items() for name, v in one.scalars.items()}
        reports = {prefix: one.report for prefix, one in evaluations.items() if one.report is not None}
        return Examination(scalars, reports, result.predictions, evaluations)

    def _evaluate(self, model: nn.Module, num_predictions: int, cancel: Callable[[], bool] | None) -> Evaluation:
        try:
            result = evaluate_model(
                model,
                self.loader,
                self.evaluator,
                max_batches=self.max_batches,
                num_predictions=num_predictions,
                on_batch=self.console.evaluating,
                cancel=cancel,
            )
        finally:
            self.console.evaluated()
        ours = result.report is not None and "protocol" in result.report
        if result.unreadable and not ours:
            self.console.say(
                f"note: {counted(result.unreadable, 'image')} could not be read; these numbers stand on the others."
            )
        return result

    def _keep(self, result: Evaluation, prefix: str) -> None:
        """Write ``evaluation.json`` (``evaluation_ema.json`` for the average): the report, or else the numbers.

        What another evaluation than the training's own left under that name is kept under a number.
        """
        if ddp.is_main():
            path = self.output_dir / f"{self.stem}{'_ema' if prefix else ''}.json"
            if self.stem != TRAINING_STEM and (kept := keep_older(path)) is not None:
                self.console.say(f"note: the evaluation that was in {path} is now in {kept}.")
            write_json(path, result.report or {"metrics": result.scalars})
            if self.stem != TRAINING_STEM:
                self.console.say(f"result: {path}")


def _plain_table(evaluation: Evaluation) -> Text:
    width = max((len(name) for name in evaluation.scalars), default=0)
    return Text("\n".join(f"  {name:<{width}}  {value:.4f}" for name, value in evaluation.scalars.items()))
