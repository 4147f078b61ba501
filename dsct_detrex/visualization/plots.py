"""The plots of a report: how runs learn, what they reach, where they err.

Every function takes plain data (evaluation reports, rows of ``metrics.jsonl``) and returns the bytes of an SVG or PNG
file, equal bytes for equal data. matplotlib is imported when a plot is made, so the package works without it.

Fractions go in, per cent are shown.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any, Literal

from dsct_detrex.errors import UserError
from dsct_detrex.evaluation.formatting import people_group, percent
from dsct_detrex.visualization.style import INK, MUTED, PLOT_SETTINGS, RUN_COLORS, reference_name, text_color_on

Format = Literal["svg", "png"]
Row = Mapping[str, Any]
Report = Mapping[str, Any]

METRIC_NAMES = {"acc": "Accuracy", "mAP": "mAP"}


class PlotsMissingError(UserError, ImportError):
    """A plot was asked for and matplotlib is not installed."""


def learning_curves(
    histories: Mapping[str, Sequence[Row]],
    metric: str = "acc",
    references: Mapping[str, float] | None = None,
    file_format: Format = "svg",
) -> bytes:
    """Training loss and evaluation metric over the iterations, side by side.

    Args:
        histories: run name -> rows of ``metrics.jsonl``; ``iteration`` with ``total_loss`` or ``emotion/<metric>``.
        metric: ``"acc"`` or ``"mAP"``.
        references: name -> value, dashed lines in the metric's plot.
        file_format: ``"svg"`` or ``"png"``.

    Raises:
        PlotsMissingError: matplotlib is not installed.
    """

    def paint(figure: Any) -> None:
        loss_axes, metric_axes = figure.subplots(1, 2)
        top = max((value for rows in histories.values() for _, value in _series(rows, "total_loss")), default=1.0)
        for color, (name, rows) in zip(_colors(), histories.items()):
            losses = _series(rows, "total_loss")
            loss_axes.plot(*_columns(losses), color=color, alpha=0.28, linewidth=1.0)
            loss_axes.plot(*_columns(_smoothed(losses)), color=color, label=name)
            points = _series(rows, f"emotion/{metric}")
            metric_axes.plot(*_columns(points), color=color, marker="o", markersize=3.5, label=name)
        loss_axes.set(title="Training loss", xlabel="iteration", ylim=(0, 1.05 * top))
        metric_axes.set(title=f"{METRIC_NAMES[metric]} on the evaluation set", xlabel="iteration")
        _per_cent_axis(metric_axes.yaxis)
        metric_axes.set_ylim(0, 1.02)
        _reference_lines(metric_axes, references or {})
        for axes in (loss_axes, metric_axes):
            axes.grid(axis="y")
        loss_axes.legend(loc="upper right")

    return figure_file(paint, (10.0, 3.8), file_format)


def result_bars(
    values: Mapping[str, float], references: Mapping[str, float], metric: str = "acc", file_format: Format = "svg"
) -> bytes:
    """What every run reaches, with chance and exact bounds as dashed lines.

    Args:
        values: run name -> fraction, the first on top.
        references: name -> fraction.
        metric: ``"acc"`` or ``"mAP"``, for the title.
        file_format: ``"svg"`` or ``"png"``.

    Raises:
        PlotsMissingError: matplotlib is not installed.
    """
    lines = sorted(references.items(), key=lambda item: item[1])
    bottom = len(values) - 0.45

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        for position, (color, value) in enumerate(zip(_colors(), values.values())):
            axes.barh(position, value, height=0.56, color=color)
            fits = value > 0.15
            ink = text_color_on(color) if fits else INK
            axes.text(0.012 if fits else value + 0.012, position, percent(value), va="center", color=ink, weight="bold")
        for level, (name, value) in enumerate(lines):
            top = -0.68 - 0.36 * level  # the largest on top, so that no label crosses another line
            axes.plot([value, value], [bottom, top], color=MUTED, linestyle=(0, (4, 3)), linewidth=1.2)
            place = {"x": value - 0.008, "ha": "right"} if value > 0.34 else {"x": value + 0.008, "ha": "left"}
            label = f"{reference_name(name)} {percent(value)}"
            axes.text(y=top + 0.06, s=label, va="center", color=MUTED, fontsize=9, **place)
        axes.set_yticks(range(len(values)), list(values), color=INK)
        axes.set(xlim=(0, 1), ylim=(bottom, -0.55 - 0.36 * len(lines)), xlabel=METRIC_NAMES[metric])
        axes.spines["left"].set_visible(False)
        _per_cent_axis(axes.xaxis)

    return figure_file(paint, (10.0, 0.75 + 0.62 * len(values) + 0.28 * len(lines)), file_format)


def per_class_bars(reports: Mapping[str, Report], file_format: Format = "svg") -> bytes:
    """AP of every emotion; the first run as bars, the others as dots. Classes that nobody shows have neither.

    Args:
        reports: run name -> evaluation report, all of the same emotions.
        file_format: ``"svg"`` or ``"png"``.

    Raises:
        PlotsMissingError: matplotlib is not installed.
    """
    (first, report), *others = reports.items()
    labels = [f"{row['label']} ({row['people']})" for row in report["per_class"]]

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        colors = _colors()
        positions = range(len(labels))
        axes.barh(positions, _precisions(report), height=0.62, color=next(colors), label=first)
        for color, (name, other) in zip(colors, others):
            axes.plot(_precisions(other), positions, "o", color=color, markersize=7, label=name)
        axes.set_yticks(positions, labels, color=INK)
        axes.set(xlim=(0, 1), ylim=(len(labels) - 0.5, -0.5), xlabel="average precision (number of people in brackets)")
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        _per_cent_axis(axes.xaxis)
        if others:
            _legend_above(axes, list(reports))

    return figure_file(paint, (5.3, 1.1 + 0.4 * len(labels)), file_format)


def confusion_heatmap(report: Report, file_format: Format = "svg") -> bytes:
    """Share of each annotated emotion that is read as each emotion; rows add up to 100 % less the missed people.

    Args:
        report: an evaluation report.
        file_format: ``"svg"`` or ``"png"``.

    Raises:
        PlotsMissingError: matplotlib is not installed.
    """
    labels = report["emotions"]["labels"]
    rows = list(zip(report["confusion"]["matrix"], report["confusion"]["missed"]))
    shares = [[count / max(1, sum(row) + missed) for count in row] for row, missed in rows]
    written = len(labels) <= 10
    side = 1.3 + (0.54 if written else 0.27) * len(labels)

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        for y, row in enumerate(shares):
            for x, share in enumerate(row):
                axes.add_patch(_cell(x, y, share))
                if written:
                    color = "white" if share > 0.7 else INK if share >= 0.005 else MUTED
                    axes.text(x, y, f"{100 * share:.0f}", ha="center", va="center", color=color, fontsize=9.5)
        axes.set_xticks(range(len(labels)), labels, rotation=45 if written else 90, ha="right" if written else "center")
        axes.set_yticks(range(len(labels)), labels)
        axes.set(xlim=(-0.5, len(labels) - 0.5), ylim=(len(labels) - 0.5, -0.5), aspect="equal")
        axes.set(xlabel="read as", ylabel="annotated")
        for spine in axes.spines.values():
            spine.set_visible(False)

    return figure_file(paint, (side + 0.4, side), file_format)


def by_count_bars(reports: Mapping[str, Report], metric: str = "acc", file_format: Format = "svg") -> bytes:
    """The metric on images with 1, 2, 3, 4 and at least 5 annotated people, one bar per run.

    Args:
        reports: run name -> evaluation report.
        metric: ``"acc"`` or ``"mAP"``.
        file_format: ``"svg"`` or ``"png"``.

    Raises:
        PlotsMissingError: matplotlib is not installed.
    """
    groups = [row for row in next(iter(reports.values()))["by_count"] if row["people"]]
    ticks = [f"{people_group(row['group'])}\n{row['images']} images" for row in groups]
    width = 0.78 / len(reports)

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        for run, (color, (name, report)) in enumerate(zip(_colors(), reports.items())):
            values = [row[metric] for row in report["by_count"] if row["people"]]
            centres = [position + (run - (len(reports) - 1) / 2) * width for position in range(len(values))]
            axes.bar(centres, values, width=0.92 * width, color=color, label=name)
            for centre, value in zip(centres, values):
                axes.text(centre, value + 0.012, f"{100 * value:.0f}", ha="center", color=INK, fontsize=9)
        axes.set_xticks(range(len(groups)), ticks)
        axes.set(ylim=(0, 1.08), ylabel=METRIC_NAMES[metric])
        axes.set_xlabel("annotated people per image")
        axes.spines["left"].set_visible(False)
        axes.grid(axis="y")
        _per_cent_axis(axes.yaxis)
        _legend_above(axes, list(reports))

    return figure_file(paint, (10.0, 3.6), file_format)


def _colors() -> Iterator[str]:
    """Run colours in order, from the start again after the last."""
    return itertools.cycle(RUN_COLORS)


def _series(rows: Sequence[Row], key: str) -> list[tuple[float, float]]:
    """(iteration, value) of the rows that have the key."""
    return [(float(row["iteration"]), float(row[key])) for row in rows if row.get(key) is not None]


def _smoothed(points: Sequence[tuple[float, float]], window: int = 9) -> list[tuple[float, float]]:
    """Centred running mean, with narrower windows at the ends."""
    smooth = []
    for index, (x, _) in enumerate(points):
        reach = min(window // 2, index, len(points) - 1 - index)
        near = [y for _, y in points[index - reach : index + reach + 1]]
        smooth.append((x, sum(near) / len(near)))
    return smooth


def _columns(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def _precisions(report: Report) -> list[float]:
    return [math.nan if row["AP"] is None else row["AP"] for row in report["per_class"]]


def _cell(x: int, y: int, share: float) -> Any:
    """A square whose opacity is the share, so that nothing is transparent on light and dark pages alike."""
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.48, y - 0.48), 0.96, 0.96, facecolor=RUN_COLORS[0], alpha=share, edgecolor="none")


def _legend_above(axes: Any, names: Sequence[str]) -> None:
    """One line above the axes, in the order of the runs."""
    handles = dict(zip(*reversed(axes.get_legend_handles_labels())))
    shown = [handles[name] for name in names]
    axes.legend(shown, names, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(names), handlelength=1.2)


def _reference_lines(axes: Any, references: Mapping[str, float]) -> None:
    """Dashed lines with their names right of the axes, pushed apart where they would overlap."""
    lowest_free = -1.0
    for name, value in sorted(references.items(), key=lambda item: item[1]):
        axes.axhline(value, color=MUTED, linestyle=(0, (4, 3)), linewidth=1.2)
        height = max(value, lowest_free)
        lowest_free = height + 0.13
        text = f"{reference_name(name)}\n{percent(value)}"
        axes.text(1.02, height, text, transform=axes.get_yaxis_transform(), va="center", color=MUTED, fontsize=8.5)


def _per_cent_axis(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    axis.set_major_locator(MultipleLocator(0.2))
    axis.set_major_formatter(FuncFormatter(lambda value, _: percent(value, digits=0)))


def figure_file(paint: Callable[[Any], None], inches: tuple[float, float], file_format: Format) -> bytes:
    """Make a figure in the common style, let ``paint`` fill it, and save it; no global state of matplotlib changes."""
    with _style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=inches, layout="constrained")
        paint(figure)
        buffer = BytesIO()
        plain = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}[file_format]
        background = "none" if file_format == "svg" else "white"
        figure.savefig(buffer, format=file_format, dpi=160, metadata=plain, facecolor=background)
    return buffer.getvalue()


@contextmanager
def _style() -> Iterator[None]:
    try:
        import matplotlib
    except ImportError as missing:
        raise PlotsMissingError(
            "Plots need matplotlib, which is not installed. Install it with: pip install matplotlib"
        ) from missing
    with matplotlib.rc_context(PLOT_SETTINGS):
        yield
