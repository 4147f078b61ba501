"""Two-stage baselines: emotions of people whose boxes are given, for the comparison of the paper's Table 4."""

from dsct_detrex.baselines.boxes import AnnotatedBoxes, BoxSource, DetectedBoxes
from dsct_detrex.baselines.emo_net import EMONet

__all__ = ["AnnotatedBoxes", "BoxSource", "DetectedBoxes", "EMONet"]
