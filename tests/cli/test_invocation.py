"""Command lines as results keep them."""

import pytest

from dsct_detrex.cli.invocation import recorded


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["model", "--against", "/home/me/DSCT", "--out", "runs/bench"], "model --against DSCT --out runs/bench"),
        (["a b.png", "--data-root", "../data"], "'a b.png' --data-root ../data"),
    ],
)
def test_a_recorded_command_names_no_folder_of_this_machine(words: list[str], kept: str) -> None:
    assert recorded("bench", words) == f"dsct bench {kept}"
