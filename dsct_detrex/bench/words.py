"""Numbers as tables show them: three digits and a unit, blank where nothing is known."""

from __future__ import annotations

import math

from dsct_detrex.bench.results import Row


def seconds(value: float | None) -> str:
    """``812 ms``, ``2.41 s``, ``35.1 us``."""
    return _scaled(value, ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")))


def spread(row: Row) -> str:
    """``790..840 ms``: the fastest and the slowest turn."""
    if row.low is None or row.high is None:
        return ""
    low, high = seconds(row.low).split(), seconds(row.high).split()
    return f"{low[0]}..{' '.join(high)}" if low[1] == high[1] else f"{' '.join(low)}..{' '.join(high)}"


def mebibytes(value: float | None) -> str:
    return "" if value is None else f"{value / 2**20:.0f} MiB"


def operations(value: float | None) -> str:
    """``178 GFLOP``."""
    return _scaled(value, ((1e12, "TFLOP"), (1e9, "GFLOP"), (1e6, "MFLOP"), (1.0, "FLOP")))


def times(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}x"


def of_floor(value: float | None) -> str:
    """How many times the floor: ``4.2x``."""
    return "" if value is None else f"{value:.1f}x"


def apart(value: float | None) -> str:
    """A difference: ``1e-06``, ``0``."""
    if value is None:
        return ""
    return "0" if value == 0 else f"{value:.0e}"


def rate(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}/s"


def share(value: float | None) -> str:
    """``1.9 %``."""
    return "" if value is None else f"{value:.1%}".replace("%", " %")


def _scaled(value: float | None, units: tuple[tuple[float, str], ...]) -> str:
    if value is None or math.isnan(value):
        return ""
    size, unit = next((pair for pair in units if abs(value) >= pair[0]), units[-1])
    number = value / size
    digits = 0 if abs(number) >= 99.95 else 1 if abs(number) >= 9.995 else 2
    return f"{number:.{digits}f} {unit}"
