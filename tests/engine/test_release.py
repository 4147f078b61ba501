"""The table of thresholds that goes into a release."""

import pytest

from dsct_detrex.engine.release import ReleaseWriter, threshold_table
from dsct_detrex.errors import UserError
from dsct_detrex.structures import CAER_S


@pytest.mark.parametrize(
    ("given", "table"),
    [
        (None, [0.5] * 7),
        (0.3, [0.3] * 7),
        ([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
        ({"Fear": 0.2, "Surprise": 0.9}, [0.5, 0.5, 0.2, 0.5, 0.5, 0.5, 0.9]),
    ],
)
def test_thresholds(given: object, table: list[float]) -> None:
    assert threshold_table(CAER_S, given) == table


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Joy": 0.2}, "train.thresholds expects names of Anger, .*Got 'Joy'"),
        ([0.5], "train.thresholds expects 7 numbers, one an emotion. Got 1."),
    ],
)
def test_wrong_thresholds(given: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        threshold_table(CAER_S, given)


def test_a_full_disk_is_a_user_error(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    import torch

    from dsct_detrex.engine import release

    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(release, "save_release", fail)
    with pytest.raises(UserError, match=r"Writing .*last.safetensors failed .*No space left.* is intact"):
        ReleaseWriter(tmp_path, CAER_S, "").write("last", {"a": torch.zeros(1)})
