"""Visualization: annotated pictures, plots and self-contained HTML reports. Plots need the ``plots`` extra."""

from dsct_detrex.responsible_use import RESPONSIBLE_USE
from dsct_detrex.visualization.demo_report import RunResult, write_demo_report
from dsct_detrex.visualization.draw import contact_sheet, draw_predictions
from dsct_detrex.visualization.report import Card, Figure, Gallery, Note, Picture, Section, Table, write_report
from dsct_detrex.visualization.style import PEOPLE_COLORS

__all__ = [
    "PEOPLE_COLORS",
    "RESPONSIBLE_USE",
    "Card",
    "Figure",
    "Gallery",
    "Note",
    "Picture",
    "RunResult",
    "Section",
    "Table",
    "contact_sheet",
    "draw_predictions",
    "write_demo_report",
    "write_report",
]
