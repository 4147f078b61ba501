"""The plots of a report: how runs learn, what they reach, where they err.

Every function takes plain data (evaluation reports, rows of ``metrics.jsonl``) and returns the bytes of an SVG or PNG
file, equal bytes for equal data. Fractions go in, per cent are shown.
"""

from dsct_detrex.visualization.plots.canvas import METRIC_NAMES, Format, figure_file
from dsct_detrex.visualization.plots.context_map import ContextMap, context_picture
from dsct_detrex.visualization.plots.emotions import emotion_bars, precision_recall
from dsct_detrex.visualization.plots.explanation import change_bars, explanation_sheet, share_bars
from dsct_detrex.visualization.plots.fusion import fusion_sheet
from dsct_detrex.visualization.plots.groups import group_intervals
from dsct_detrex.visualization.plots.learning import learning_curves
from dsct_detrex.visualization.plots.matrices import confusion_heatmap, together_heatmaps
from dsct_detrex.visualization.plots.reliability import reliability_diagram
from dsct_detrex.visualization.plots.results import by_count_bars, result_bars

__all__ = [
    "METRIC_NAMES",
    "ContextMap",
    "Format",
    "by_count_bars",
    "change_bars",
    "confusion_heatmap",
    "context_picture",
    "emotion_bars",
    "explanation_sheet",
    "figure_file",
    "fusion_sheet",
    "group_intervals",
    "learning_curves",
    "precision_recall",
    "reliability_diagram",
    "result_bars",
    "share_bars",
    "together_heatmaps",
]
