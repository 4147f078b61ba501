"""Precision: off is float32 bit for bit, others are near it, and a machine without the arithmetic says so."""

from pathlib import Path

import pytest
import torch

from dsct_detrex.errors import UserError
from dsct_detrex.prediction import Predictor
from dsct_detrex.prediction.precision import PRECISIONS, autocast_for, spoken_precision
from dsct_detrex.structures import CAER_S
from tests.commands import predict as main
from tests.prediction.finds import finder
from tests.prediction.stubs import picture
from tests.prediction.tiny_release import write_release

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_release(tmp_path_factory.mktemp("release") / "best.safetensors"))


@pytest.mark.parametrize("amp", PRECISIONS)
def test_numbers_are_near_those_of_float32(amp: str, release: str, tmp_path: Path) -> None:
    path = picture(str(tmp_path / "a.png"))
    exact = Predictor.from_checkpoint(release, "cpu", threshold=0, nms=1)(path)
    found = Predictor.from_checkpoint(release, "cpu", threshold=0, nms=1, amp=amp)(path)
    for result in (exact, found):
        assert result.emotion_probs.dtype == result.pred_boxes.tensor.dtype == torch.float32
    scores = [result.scores.sort().values for result in (exact, found)]
    torch.testing.assert_close(*scores, atol=0.03, rtol=0)
    same = torch.equal(*scores)
    assert same or amp != "off"
    if amp in ("on", "bfloat16", "float16"):
        assert not same, "it multiplies in 16 bits"


@pytest.mark.parametrize(
    ("amp", "able", "words"),
    [
        ("auto", (), "float32: this CPU has no bfloat16 arithmetic"),
        ("auto", ("bfloat16",), "bfloat16 autocast, in which this CPU multiplies"),
        ("auto", ("float16",), "float16 autocast, in which this CPU multiplies"),
        ("on", (), "bfloat16 autocast, slower than float32: this CPU has no bfloat16 arithmetic"),
        ("on", ("bfloat16",), "bfloat16 autocast"),
        ("float16", ("bfloat16",), "float16 autocast, slower than float32: this CPU has no float16 arithmetic"),
    ],
)
def test_a_sentence_says_what_is_done(
    amp: str, able: tuple[str, ...], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("prediction", "engine"):
        monkeypatch.setattr(f"dsct_detrex.{module}.precision.multiplies", lambda name, _: name in able)
    assert spoken_precision(amp, CPU) == words


def test_the_command_says_it(release: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(picture(str(tmp_path / "a.png")))
    words = [release, path, "--out", str(tmp_path / "out"), "--device", "cpu", "--no-pictures"]
    assert main([*words, "--amp", "bfloat16"]) == 0
    assert "\nprecision: bfloat16 autocast" in capsys.readouterr().out
    assert main(words) == 0
    assert "precision" not in capsys.readouterr().out


def test_an_unknown_precision_is_one_sentence() -> None:
    predictor = finder(CAER_S)
    with pytest.raises(
        UserError, match=r"Predictor\(amp=\) expects one of off, auto, on, bfloat16, float16\. Got 'yes'"
    ):
        Predictor(predictor.model, predictor.emotions, predictor.transforms, predictor.emotion_thresholds, amp="yes")


def test_a_model_without_weights_of_its_own_computes_as_it_was_exported() -> None:
    with autocast_for("bfloat16", torch.nn.Identity()):
        assert not torch.is_autocast_enabled("cpu")
