"""Words that several sections use."""

from __future__ import annotations

from dsct_detrex.visualization.runs import RunResult

COLUMNS = {
    "acc": "Accuracy",
    "mAP": "mAP",
    "acc_any": "Top emotion right",
    "recall50": "People found",
    "mean_iou": "Mean IoU",
    "AP50": "Box AP50",
}
"""Headings of metrics."""


def table_metrics(run: RunResult) -> tuple[str, ...]:
    """Accuracy compares with one emotion per person, so people with several have "top emotion right" in its place."""
    emotion = ("mAP", "acc_any") if run.multi_label else ("acc", "mAP")
    return (*emotion, "recall50", "mean_iou", "AP50")


def sentence(text: str) -> str:
    """A description as a sentence: a capital first (but ``mAP`` stays), a full stop last."""
    begun = text if text[1:2].isupper() else text[:1].upper() + text[1:]
    return begun + ("" if text.endswith((".", "!", "?")) or not text else ".")
