"""What all plots share: one look, files that are equal for equal data, axes in per cent, names of metrics.

matplotlib is imported when a plot is made, so that nothing else waits for it.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any, Literal

from dsct_detrex.evaluation.formatting import percent
from dsct_detrex.visualization.style import MUTED, PLOT_SETTINGS, RUN_COLORS, reference_name

Format = Literal["svg", "png"]
Row = Mapping[str, Any]
Report = Mapping[str, Any]

_CLIP = re.compile(rb'<clipPath id="(p[0-9a-f]{10})">\s*(<rect [^>]*>)')

METRIC_NAMES = {"acc": "Accuracy", "mAP": "mAP"}


def figure_file(
    paint: Callable[[Any], None], inches: tuple[float, float], file_format: Format, dpi: int = 160
) -> bytes:
    """Make a figure in the common style, let ``paint`` fill it, and save it; no global state of matplotlib changes."""
    with _style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=inches, layout="constrained")
        paint(figure)
        buffer = BytesIO()
        plain = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}[file_format]
        background = "none" if file_format == "svg" else "white"
        figure.savefig(buffer, format=file_format, dpi=dpi, metadata=plain, facecolor=background)
    return _named_by_what_is_written(buffer.getvalue()) if file_format == "svg" else buffer.getvalue()


def run_colors() -> Iterator[str]:
    """Run colours in order, from the start again after the last."""
    return itertools.cycle(RUN_COLORS)


def per_cent_axis(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    axis.set_major_locator(MultipleLocator(0.2))
    axis.set_major_formatter(FuncFormatter(lambda value, _: percent(value, digits=0)))


def legend_above(axes: Any, names: Sequence[str]) -> None:
    """One line above the axes, in the order of the runs."""
    handles = dict(zip(*reversed(axes.get_legend_handles_labels())))
    shown = [handles[name] for name in names]
    axes.legend(shown, names, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(names), handlelength=1.2)


def reference_lines(axes: Any, references: Mapping[str, float]) -> None:
    """Dashed lines with their names right of the axes, pushed apart where they would overlap."""
    lowest_free = -1.0
    for name, value in sorted(references.items(), key=lambda item: item[1]):
        axes.axhline(value, color=MUTED, linestyle=(0, (4, 3)), linewidth=1.2)
        height = max(value, lowest_free)
        lowest_free = height + 0.13
        text = f"{reference_name(name)}\n{percent(value)}"
        axes.text(1.02, height, text, transform=axes.get_yaxis_transform(), va="center", color=MUTED, fontsize=8.5)


def _named_by_what_is_written(svg: bytes) -> bytes:
    """The file with identifiers of clipping made of the rectangles that stand there, to six places.

    matplotlib makes them of unrounded ones, whose last bit differs from one call to the next.
    """
    names = {name: b"p" + hashlib.sha256(rectangle).hexdigest()[:10].encode() for name, rectangle in _CLIP.findall(svg)}
    return re.sub(rb"\bp[0-9a-f]{10}\b", lambda found: names.get(found[0], found[0]), svg)


@contextmanager
def _style() -> Iterator[None]:
    import matplotlib

    with matplotlib.rc_context(PLOT_SETTINGS):
        yield
