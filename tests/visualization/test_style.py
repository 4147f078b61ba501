"""Colours: readable text on every ground, and no two people alike."""

import pytest

from dsct_detrex.visualization.style import INK, MUTED, PEOPLE_COLORS, RUN_COLORS, reference_name, text_color_on


@pytest.mark.parametrize(("ground", "text"), [("#ffffff", "#111111"), ("#000000", "#ffffff"), ("#f0e442", "#111111")])
def test_text_color(ground: str, text: str) -> None:
    assert text_color_on(ground) == text


def test_colours_differ_and_are_no_stand_ins() -> None:
    assert len(set(PEOPLE_COLORS)) == len(PEOPLE_COLORS)
    assert len(set(RUN_COLORS)) == len(RUN_COLORS)
    assert not {INK, MUTED} & {*PEOPLE_COLORS, *RUN_COLORS}


def test_reference_names() -> None:
    assert reference_name("chance") == "Chance"
    assert reference_name("paper_table_10") == "Paper table 10"
