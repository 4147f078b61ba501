"""Loss curves of classification and localisation over a training, beside those of another (paper Figure 12)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dsct_detrex.errors import UserError, reason_of
from dsct_detrex.figures.contracts import Absent, Drawing, Material
from dsct_detrex.visualization.plots.canvas import legend_above
from dsct_detrex.visualization.plots.learning import smoothed
from dsct_detrex.visualization.style import RUN_COLORS

METRICS = "metrics.jsonl"
_PARTS = {"Classification": ("loss_class",), "Localisation (L1 and GIoU)": ("loss_bbox", "loss_giou")}
"""Title -> names in ``metrics.jsonl`` of the last layer's weighted losses."""
_PARTS_OF_A_CURVE = 12
"""A running mean goes over one of so many."""
_LINES = ("-", (0, (5, 2)))

Row = Mapping[str, Any]
Curve = list[tuple[float, float]]


def draw(material: Material) -> Iterator[Drawing]:
    """One picture of two panels, a line for each model."""
    runs = {material.model.name: _rows(material.folder)}
    if material.beside is not None and material.folder_beside is not None:
        runs[material.beside.name] = _rows(material.folder_beside)
    curves = {title: {name: _curve(rows, parts) for name, rows in runs.items()} for title, parts in _PARTS.items()}
    if not any(curves[title][material.model.name] for title in curves):
        place = "the working directory" if material.folder == Path() else material.folder
        raise Absent(
            f"there is no {METRICS} with losses in {place}, beside the checkpoint, where a training leaves it."
        )

    def paint(figure: Any) -> None:
        from matplotlib.ticker import MaxNLocator

        for axes, (title, of_runs) in zip(figure.subplots(1, len(curves)), curves.items()):
            for number, (name, curve) in enumerate(of_runs.items()):
                look = {"color": RUN_COLORS[number], "linestyle": _LINES[number]}
                look |= {"marker": "o"} if len(curve) == 1 else {}  # a line needs two points to be seen
                axes.plot(*_columns(curve), color=RUN_COLORS[number], alpha=0.28, linewidth=1.0)
                axes.plot(*_columns(smoothed(curve, max(1, len(curve) // _PARTS_OF_A_CURVE))), label=name, **look)
            most = max((value for curve in of_runs.values() for _, value in curve), default=1.0)
            axes.set(xlabel="iteration", ylim=(0, 1.05 * most))
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            axes.set_title(title, pad=24 if len(of_runs) > 1 else 10)
            axes.grid(axis="y")
            if len(of_runs) > 1:
                legend_above(axes, list(of_runs))

    yield Drawing(
        "losses",
        paint,
        (10.0, 3.6),
        f"Weighted losses of the last decoder layer over a training, of {' and '.join(runs)}; pale as logged, bold as "
        "a running mean.",
        [str(Path(folder.name) / METRICS) for folder in (material.folder, material.folder_beside) if folder],
    )


def _rows(folder: Path) -> list[Row]:
    """Those of ``metrics.jsonl``; none where there is no such file."""
    file = folder / METRICS
    if not file.is_file():
        return []
    try:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except ValueError as error:
        raise UserError(f"visualize: {file} is damaged ({reason_of(error)}); give --figure without losses.") from error


def _curve(rows: Sequence[Row], parts: Sequence[str]) -> Curve:
    """(iteration, sum of the parts) of the rows that have them all."""
    return [
        (float(row["iteration"]), sum(float(row[part]) for part in parts))
        for row in rows
        if "iteration" in row and all(row.get(part) is not None for part in parts)
    ]


def _columns(curve: Curve) -> tuple[list[float], list[float]]:
    return [x for x, _ in curve], [y for _, y in curve]
