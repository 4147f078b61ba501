"""What is taken for what: confusion of people with one emotion, co-occurrence of those with several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dsct_detrex.visualization.plots.canvas import Format, Report, figure_file
from dsct_detrex.visualization.style import INK, MUTED, RUN_COLORS

_WRITTEN = 10
"""Up to so many emotions the numbers stand in the cells."""


def confusion_heatmap(report: Report, file_format: Format = "svg") -> bytes:
    """Share of each annotated emotion that is read as each emotion; rows add up to 100 % less the missed people.

    Args:
        report: an evaluation report.
        file_format: ``"svg"`` or ``"png"``.
    """
    labels = report["emotions"]["labels"]
    rows = list(zip(report["confusion"]["matrix"], report["confusion"]["missed"]))
    shares = [[count / max(1, sum(row) + missed) for count in row] for row, missed in rows]
    side = _side(labels)

    def paint(figure: Any) -> None:
        _heatmap(figure.subplots(), shares, labels, "read as", "annotated")

    return figure_file(paint, (side + 0.4, side), file_format)


def together_heatmaps(report: Report, file_format: Format = "svg") -> bytes:
    """Which emotions are read, beside which are annotated, of the people who show the row's emotion.

    Args:
        report: an evaluation report with ``together``.
        file_format: ``"svg"`` or ``"png"``.
    """
    labels = report["emotions"]["labels"]
    counts = report["together"]
    people = [max(1, row[k]) for k, row in enumerate(counts["annotated"])]
    annotated, read = (
        [[count / total for count in row] for row, total in zip(counts[kind], people)] for kind in ("annotated", "read")
    )
    side = _side(labels)

    def paint(figure: Any) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        _heatmap(left, annotated, labels, "annotated too", "annotated")
        _heatmap(right, read, labels, "read", "")
        left.set_title("As annotated")
        right.set_title("As read")

    return figure_file(paint, (1.72 * side, side + 0.3), file_format)


def _side(labels: Sequence[str]) -> float:
    return 1.3 + (0.54 if len(labels) <= _WRITTEN else 0.19) * len(labels)


def _heatmap(axes: Any, shares: Sequence[Sequence[float]], labels: Sequence[str], across: str, down: str) -> None:
    written = len(labels) <= _WRITTEN
    axes.add_collection(_cells(shares))
    for y, row in enumerate(shares) if written else ():
        for x, share in enumerate(row):
            color = "white" if share > 0.7 else INK if share >= 0.005 else MUTED
            axes.text(x, y, f"{100 * share:.0f}", ha="center", va="center", color=color, fontsize=9.5)
    size = {} if written else {"fontsize": 8.5}
    rotation = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if written else {"rotation": 90}
    axes.set_xticks(range(len(labels)), labels, **rotation, **size)
    axes.set_yticks(range(len(labels)), labels, **size)
    axes.set(xlim=(-0.5, len(labels) - 0.5), ylim=(len(labels) - 0.5, -0.5), aspect="equal")
    axes.set(xlabel=across, ylabel=down)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _cells(shares: Sequence[Sequence[float]]) -> Any:
    """Squares whose opacity is the share, so that nothing is transparent on light and dark pages alike."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgba

    shown = [(x, y, share) for y, row in enumerate(shares) for x, share in enumerate(row) if share > 0]
    corners = ((-0.48, -0.48), (0.48, -0.48), (0.48, 0.48), (-0.48, 0.48))
    squares = [[(x + across, y + down) for across, down in corners] for x, y, _ in shown]
    return PolyCollection(
        squares, facecolors=[to_rgba(RUN_COLORS[0], share) for _, _, share in shown], edgecolors="none"
    )
