"""A calibrated release: the header says more, the tensors are those of the original, older files mean what they did."""

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch
from safetensors import safe_open
from torch import nn

from dsct_detrex.errors import UserError
from dsct_detrex.structures import CAER_S, Emotions
from dsct_detrex.weights import load_release, load_release_weights, save_release, write_calibrated

FACTS = {"temperature": 2.5, "data": {"name": "moods_val", "split": "val"}}


class Reader(nn.Module):
    """A model that reads its own logits."""

    def __init__(self, emotions: Emotions) -> None:
        super().__init__()
        self.emotions = emotions
        self.weight = nn.Parameter(torch.zeros(2, 3))


@pytest.fixture
def release(tmp_path: Path) -> Path:
    path = tmp_path / "best.safetensors"
    save_release(path, {"weight": torch.randn(2, 3)}, CAER_S, "a: 1", [0.5] * 7, dtype=torch.float16)
    return path


def test_the_round_trip(release: Path, tmp_path: Path) -> None:
    before = release.read_bytes()
    new = tmp_path / "new.safetensors"
    write_calibrated(release, new, [n / 10 for n in range(7)], FACTS)
    assert release.read_bytes() == before
    old, loaded = load_release(release), load_release(new)
    assert loaded.emotions == old.emotions
    assert (old.emotions.temperature, loaded.emotions.temperature) == (1.0, 2.5)
    assert loaded.thresholds == tuple(n / 10 for n in range(7))
    assert (old.calibration, loaded.calibration) == (None, FACTS)
    assert (loaded.config, loaded.provenance) == (old.config, old.provenance)
    stored = [safetensors.torch.load_file(path)["weight"] for path in (release, new)]
    assert stored[1].dtype == torch.float16, "as it lies in the original"
    assert torch.equal(*stored)


def test_in_its_own_place_and_again(release: Path) -> None:
    write_calibrated(release, release, [0.1] * 7, FACTS)
    write_calibrated(release, release, [0.2] * 7, {"temperature": 3.0})
    again = load_release(release)
    assert (again.thresholds, again.emotions.temperature) == ((0.2,) * 7, 3.0)


def _header(path: Path) -> dict[str, object]:
    with safe_open(str(path), framework="pt") as file:
        found: dict[str, object] = json.loads(file.metadata()["dsct_detrex"])
    return found


def test_older_releases_load_at_temperature_1(release: Path) -> None:
    """Files of before have no word of a calibration."""
    header = _header(release)
    assert header.pop("calibration") is None
    tensors = safetensors.torch.load_file(release)
    safetensors.torch.save_file(tensors, release, {"dsct_detrex": json.dumps(header)})
    loaded = load_release(release)
    assert (loaded.emotions.temperature, loaded.calibration, loaded.thresholds) == (1.0, None, (0.5,) * 7)


def test_older_readers_refuse_only_what_they_would_read_wrongly(release: Path) -> None:
    assert _header(release)["format_version"] == 1
    write_calibrated(release, release, [0.1] * 7, FACTS)
    assert _header(release)["format_version"] == 2


def test_a_model_reads_its_logits_at_the_temperature_of_its_release(release: Path) -> None:
    model, logits = Reader(CAER_S), torch.randn(4, 8)
    write_calibrated(release, release, [0.1] * 7, FACTS)
    load_release_weights(model, load_release(release), CAER_S)
    torch.testing.assert_close(model.emotions.probabilities(logits), CAER_S.probabilities(logits / 2.5))
    torch.testing.assert_close(model.emotions.subject_scores(logits), CAER_S.subject_scores(logits))
    torch.testing.assert_close(model.emotions.mean_scores(logits), CAER_S.mean_scores(logits))


def test_mistakes(release: Path) -> None:
    with pytest.raises(ValueError, match="expects 7 numbers from 0 to 1"):
        write_calibrated(release, release, [0.1] * 6, FACTS)
    with pytest.raises(ValueError, match="expects 7 numbers from 0 to 1"):
        write_calibrated(release, release, [1.1] * 7, FACTS)
    with pytest.raises(ValueError, match="expects a temperature above 0"):
        write_calibrated(release, release, [0.1] * 7, {"temperature": 0.0})
    with pytest.raises(UserError, match="is not a file"):
        write_calibrated(release.with_name("no.safetensors"), release, [0.1] * 7, FACTS)
