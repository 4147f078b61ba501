"""A training that is killed while it writes loses no checkpoint and goes on to the same end."""

from pathlib import Path

from tests.reliability.killed_training import killed_everywhere

MOMENTS = 5


def test_a_training_that_is_killed_goes_on_to_the_same_end(tmp_path: Path) -> None:
    assert killed_everywhere(tmp_path, MOMENTS) == MOMENTS
