"""The sections of a report, one file each: what a run, or several side by side, are shown by.

Each is a function of the runs; the first run is the one that the page is about.
"""

from dsct_detrex.visualization.sections.emotions import emotions
from dsct_detrex.visualization.sections.explanation import explanation
from dsct_detrex.visualization.sections.fusion import fusion
from dsct_detrex.visualization.sections.groups import groups
from dsct_detrex.visualization.sections.learning import learning
from dsct_detrex.visualization.sections.measured import measured
from dsct_detrex.visualization.sections.opening import cards, first_line, reference_cards
from dsct_detrex.visualization.sections.people import people
from dsct_detrex.visualization.sections.pictures import pictures
from dsct_detrex.visualization.sections.repeat import repeat, responsible_use, versions
from dsct_detrex.visualization.sections.results import results

__all__ = [
    "cards",
    "emotions",
    "explanation",
    "first_line",
    "fusion",
    "groups",
    "learning",
    "measured",
    "people",
    "pictures",
    "reference_cards",
    "repeat",
    "responsible_use",
    "results",
    "versions",
]
