"""What may choose the best checkpoint: which number, on which split.

The number is the data set's own (mAP for several emotions a person, accuracy for one) unless ``train.best.metric``
names another. A test split chooses nothing: what it has chosen, it can no longer measure.
"""

from __future__ import annotations

from dataclasses import replace

from dsct_detrex.engine.contracts import Evaluator
from dsct_detrex.engine.examine import EMA_PREFIX
from dsct_detrex.engine.settings import BestRule, EarlyStop, TrainSettings
from dsct_detrex.errors import UserError
from dsct_detrex.evaluation.report import primary_metric
from dsct_detrex.structures import Emotions, ObjectClasses
from dsct_detrex.suggestions import did_you_mean


def settled_rule(rule: BestRule, emotions: Emotions | None) -> BestRule:
    """The rule with a metric: its own, or else the primary one of what is learnt.

    That is COCO's AP for classes of things, and what the emotions have (mAP where none are named).
    """
    if rule.metric not in (None, "auto"):
        return rule
    if isinstance(emotions, ObjectClasses):
        return replace(rule, metric="bbox/AP")
    return replace(rule, metric=f"emotion/{'mAP' if emotions is None else primary_metric(emotions)}")


def check_metric(metric: str, evaluator: Evaluator, settings: TrainSettings) -> None:
    """Find a metric that no evaluation will give before the first step.

    Raises:
        UserError: the evaluator says which numbers it gives, and this is none of them; or it is one of the weight
            average, and there is none.
    """
    if metric.startswith(EMA_PREFIX) and not settings.model_ema.enabled:
        raise UserError(
            f"train.best.metric={metric} is a number of the weight average, which is off: set "
            f"train.model_ema.enabled=True, or train.best.metric={metric.removeprefix(EMA_PREFIX)}."
        )
    if not hasattr(evaluator, "metric_names"):
        return  # one of another kind; the first evaluation shows what it gives
    known: list[str] = evaluator.metric_names()
    name = metric.removeprefix(EMA_PREFIX)
    if name not in known:
        shown = ", ".join(other for other in known if "/AP-" not in other and "_n" not in other)
        raise UserError(
            f"train.best.metric expects a number of the evaluation ({shown}, ...), or null for the data set's own. "
            f"Got {metric!r}.{did_you_mean(name, known)}"
        )


def check_split(split: str | None, early_stop: EarlyStop) -> str:
    """What is to be said about choosing on this split, a note or nothing.

    Raises:
        UserError: training is to stop when the *test* split says so.
    """
    if split != "test":
        return ""
    if early_stop.patience is not None:
        raise UserError(
            "train.early_stop.patience would let the test split decide when to stop, after which it measures nothing: "
            "watch the validation split (dataloader.test.dataset.split=val), or set train.early_stop.patience=null."
        )
    return (
        "note: no best.safetensors is kept, because the test split must not choose it; last.safetensors has the last "
        "weights. To keep the best, watch the validation split: dataloader.test.dataset.split=val."
    )
