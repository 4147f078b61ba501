"""Which emotions go together: counted by hand."""

import numpy as np

from dsct_detrex.evaluation.results import PeopleTable
from dsct_detrex.evaluation.together import read_emotions, together

SCORES = [[0.9, 0.8, 0.1], [0.2, 0.3, 0.6], [0.5, 0.5, 0.5], [0.0, 0.0, 0.0], [0.9, 0.9, 0.9]]
TARGETS = [[1, 0, 1], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 0, 0]]
PEOPLE = PeopleTable(
    np.array(SCORES, np.float32),
    np.array(TARGETS),
    np.array([True, True, True, False, True]),
    np.ones(5, np.float32),
    np.ones(5, np.int64),
)


def test_as_many_emotions_are_read_as_are_annotated() -> None:
    """The most probable ones; of equals the first; nothing of a missed person, and of one without annotation."""
    assert read_emotions(PEOPLE).tolist() == [[1, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_annotated_and_read_together() -> None:
    assert together(PEOPLE) == {
        "annotated": [[2, 1, 1], [1, 2, 0], [1, 0, 2]],
        "read": [[1, 1, 0], [0, 0, 1], [2, 1, 0]],
    }
