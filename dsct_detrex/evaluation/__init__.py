"""Evaluation: named protocols that match predictions to annotated people, and the paper's metrics on those matches."""

from dsct_detrex.evaluation.console import format_report, report_tables
from dsct_detrex.evaluation.evaluator import EmotionEvaluator
from dsct_detrex.evaluation.object_evaluator import ObjectEvaluator
from dsct_detrex.evaluation.overlap import nms, pixel_iou
from dsct_detrex.evaluation.protocols import (
    OfficialProtocol,
    PaperProtocol,
    Protocol,
    ProtocolError,
    StrictProtocol,
    get_protocol,
)

__all__ = [
    "EmotionEvaluator",
    "ObjectEvaluator",
    "OfficialProtocol",
    "PaperProtocol",
    "Protocol",
    "ProtocolError",
    "StrictProtocol",
    "format_report",
    "get_protocol",
    "nms",
    "pixel_iou",
    "report_tables",
]
