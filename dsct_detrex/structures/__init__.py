"""What travels between the rooms: boxes and people of one image, and what an emotion target is."""

from dsct_detrex.structures.emotions import (
    CAER_S,
    EMOTIC,
    Emotions,
    MultiClassEmotions,
    MultiLabelEmotions,
    get_emotions,
)
from dsct_detrex.structures.instances import Boxes, Instances
from dsct_detrex.structures.predictions import predicted_people

__all__ = [
    "CAER_S",
    "EMOTIC",
    "Boxes",
    "Emotions",
    "Instances",
    "MultiClassEmotions",
    "MultiLabelEmotions",
    "get_emotions",
    "predicted_people",
]
