"""The W&B dashboard of the runs as code: what it shows as plain data, then as a workspace that can be pushed."""

from dsct_detrex.dashboard.layout import make_dashboard
from dsct_detrex.dashboard.panels import Bars, Dashboard, Lines, Panel, Section, Table, Text

__all__ = ["Bars", "Dashboard", "Lines", "Panel", "Section", "Table", "Text", "make_dashboard"]
