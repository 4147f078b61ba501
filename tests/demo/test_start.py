"""What the demo's trainings are told beside the user's words."""

from __future__ import annotations

import pytest

from dsct_detrex.cli.train import parse
from dsct_detrex.demo.command_line import OBJECTS, start_words
from dsct_detrex.engine.compose import compose


def settings(*words: str) -> tuple[str, int, int]:
    """(start, frozen parts of the backbone, steps)"""
    cfg = compose(parse(["--config", "projects/demo.py", *start_words(words), *words]), check=False)
    return cfg.train.init_checkpoint or "", cfg.hosts.deformable_detr.backbone.freeze_at, cfg.train.max_iter


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], (OBJECTS, 2, 384)),
        (["train.max_iter=20", "hosts.deformable_detr.backbone.freeze_at=0"], (OBJECTS, 0, 20)),
        (["train.init_checkpoint=null"], ("", 0, 480)),
        (["train.init_checkpoint=mine.pth"], ("mine.pth", 0, 480)),
    ],
)
def test_the_users_words_win_and_a_start_of_theirs_freezes_nothing(
    words: list[str], expected: tuple[str, int, int]
) -> None:
    assert settings(*words) == expected
