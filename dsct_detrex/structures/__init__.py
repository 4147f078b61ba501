"""What travels between the rooms: boxes and people of one image, what an emotion target is, what a split holds."""

from dsct_detrex.structures.emotions import (
    CAER_S,
    EMOTIC,
    Emotions,
    MultiClassEmotions,
    MultiLabelEmotions,
    get_emotions,
)
from dsct_detrex.structures.headline import Headline
from dsct_detrex.structures.instances import Boxes, Instances
from dsct_detrex.structures.object_classes import ObjectClasses, check_emotions, if_annotated, number_of_classes
from dsct_detrex.structures.person import Person, described
from dsct_detrex.structures.predictions import predicted_people

__all__ = [
    "CAER_S",
    "EMOTIC",
    "Boxes",
    "Emotions",
    "Headline",
    "Instances",
    "MultiClassEmotions",
    "MultiLabelEmotions",
    "ObjectClasses",
    "Person",
    "check_emotions",
    "described",
    "get_emotions",
    "if_annotated",
    "number_of_classes",
    "predicted_people",
]
