"""Numbers with their nouns."""

import pytest

from dsct_detrex.counting import counted


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [
        (0, "person", "0 people"),
        (1, "person", "1 person"),
        (2, "person", "2 people"),
        (1, "batch", "1 batch"),
        (2, "batch", "2 batches"),
        (1200, "image", "1,200 images"),
        (1, "more finding", "1 more finding"),
        (3, "more finding", "3 more findings"),
    ],
)
def test_the_noun_follows_its_number(number, noun, said):
    assert counted(number, noun) == said
