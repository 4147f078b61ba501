"""One look for pictures, plots and pages: colours that colour-blind readers can tell apart, and the plot settings.

The people and run colours are those of Okabe and Ito (Color Universal Design, 2008). Text, grid and background have
fixed stand-in colours in the plots; a page replaces them by its own light or dark ones (``figures.svg_for_page``).
"""

from __future__ import annotations

from typing import Any

PEOPLE_COLORS = ("#56b4e9", "#e69f00", "#2fc49a", "#f0e442", "#e389bd", "#ff7f50", "#8f9bff")
"""Boxes and chips of people, bright enough for any photograph; row i of an ``Instances`` gets colour i modulo 7."""

RUN_COLORS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9")
"""Runs of a report in their order; the first is the one the report is about."""

INK, MUTED, GRID = "#1c2431", "#5d6878", "#d6dce5"
"""Text, secondary text and reference lines, grid lines."""

PAGE_VARIABLES = {INK: "var(--ink)", MUTED: "var(--muted)", GRID: "var(--grid)"}
"""What a page puts in their place."""

FONT_STACK = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
"""The reader's own interface font; no page fetches one."""

PLOT_SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "text.parse_math": False,  # a $ in somebody's name of an emotion begins no formula
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "lines.linewidth": 2.0,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "dsct_detrex",
}
"""matplotlib settings; the salt makes equal figures equal files."""

REFERENCE_NAMES = {
    "chance": "Chance",
    "face_only": "Exact bound: face only",
    "scene_only": "Exact bound: scene only",
    "face_near": "Exact bound: face + near context",
    "everything": "Exact bound: whole scene",
}
"""How the references of a report read; other names are shown with spaces for underscores."""


def reference_name(key: str) -> str:
    """A reference's key in words."""
    return REFERENCE_NAMES.get(key, key.replace("_", " ").capitalize())


def text_color_on(color: str) -> str:
    """Black or white, whichever is easier to read on a ``#rrggbb`` colour (WCAG 2 contrast)."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#111111" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "#ffffff"
