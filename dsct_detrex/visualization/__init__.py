"""Visualization: annotated pictures, plots and self-contained HTML reports."""

from dsct_detrex.responsible_use import RESPONSIBLE_USE
from dsct_detrex.visualization.blocks import Card, Details, Figure, Gallery, Note, Picture, Section, Table
from dsct_detrex.visualization.demo_report import write_demo_report
from dsct_detrex.visualization.draw import draw_annotations, draw_predictions
from dsct_detrex.visualization.report import write_pngs, write_report
from dsct_detrex.visualization.run_report import write_run_report
from dsct_detrex.visualization.runs import RunResult
from dsct_detrex.visualization.sheet import contact_sheet
from dsct_detrex.visualization.style import PEOPLE_COLORS

__all__ = [
    "PEOPLE_COLORS",
    "RESPONSIBLE_USE",
    "Card",
    "Details",
    "Figure",
    "Gallery",
    "Note",
    "Picture",
    "RunResult",
    "Section",
    "Table",
    "contact_sheet",
    "draw_annotations",
    "draw_predictions",
    "write_demo_report",
    "write_pngs",
    "write_report",
    "write_run_report",
]
