"""How shares and changes are written, on the terminal and in Markdown: cells of two tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dsct_detrex.evaluation.formatting import MISSING
from dsct_detrex.explain.tally import ALL_LAYERS

Row = Mapping[str, Any]
Cells = tuple[str, list[str]]
"""Name of a row and its numbers."""

SHARES = "Share of context weight, per cent (95 % interval over images)"
CHANGES = "Change of the predicted emotion's probability when a cause is painted out, percentage points"


def share_rows(checkpoint: Row) -> Iterator[Cells]:
    """Rows of one checkpoint, a number for each group."""
    for row in checkpoint["shares"]:
        if row["layer"] != ALL_LAYERS:
            yield row["layer"], [_percent(share) for share in row["weight"]]
            continue
        yield ALL_LAYERS, [_percent(share) for share in row["weight"]]
        yield "  95 %", [_around(low, high) for low, high in zip(row["low"], row["high"], strict=True)]
        yield "uniform", [_percent(share) for share in row["uniform"]]
        spread = zip(row["random_low"], row["random_high"], strict=True)
        yield "  random, 95 %", [_around(low, high) for low, high in spread]
        yield "nearest", [_percent(share) for share in row["nearest"]]


def change_rows(checkpoint: Row, causes: tuple[str, ...]) -> Iterator[Cells]:
    """Rows of one checkpoint, a number for each cause; an en dash where it was never painted out."""
    of_cause = {row["cause"]: row for row in checkpoint["changes"]}
    rows = [of_cause.get(cause) for cause in causes]
    yield "change", [_signed(row["change"]) if row else MISSING for row in rows]
    yield "  95 %", [_around(row["low"], row["high"]) if row else MISSING for row in rows]
    yield "ideal change", [_signed(row["ideal"]) if row else MISSING for row in rows]
    yield "agreement", [_correlation(row["agreement"]) if row else MISSING for row in rows]
    yield "people", [f"{row['people']:,}" if row else MISSING for row in rows]
    if any(row and row["lost"] for row in rows):
        yield "  not found", [f"{row['lost']:,}" if row else MISSING for row in rows]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _around(low: float | None, high: float | None) -> str:
    """Half of an interval: ``±1.2``."""
    return MISSING if low is None or high is None else f"±{50 * (high - low):.1f}"


def _signed(change: float | None) -> str:
    return MISSING if change is None else f"{round(100 * change, 1) + 0.0:+.1f}"  # no -0.0


def _correlation(value: float | None) -> str:
    return MISSING if value is None else f"{value:.2f}"
