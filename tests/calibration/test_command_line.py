"""``dsct calibrate``: a release in, one with thresholds and a temperature out, that everything else reads."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from dsct_detrex.calibration import temperature
from dsct_detrex.calibration.command_line import _described
from dsct_detrex.cli.calibrate import parse
from dsct_detrex.data.synthetic import SyntheticScenes
from dsct_detrex.errors import UserError
from dsct_detrex.evaluation import protocols
from dsct_detrex.info import describe_file
from dsct_detrex.info.screen import file_lines
from dsct_detrex.prediction import Predictor
from dsct_detrex.weights import load_release, write_calibrated
from tests.commands import calibrate, evaluate
from tests.prediction.tiny_release import write_release

SMALL = (
    "--device",
    "cpu",
    "dataloader.test.dataset.length=12",
    "dataloader.test.num_workers=0",
    "dataloader.test.dataset.size=[64,48]",
)


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_release(tmp_path_factory.mktemp("several") / "best.safetensors", "emotic")


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_release(tmp_path_factory.mktemp("one") / "best.safetensors")


@pytest.fixture
def anything_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is untrained, and its boxes lie where they lie."""
    monkeypatch.setattr(protocols, "FOUND_IOU", 0.0)


@pytest.mark.usefixtures("anything_is_found")
def test_a_new_release_beside_the_old_one(several: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = several.read_bytes()
    assert calibrate([str(several), *SMALL]) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert several.read_bytes() == before
    new = load_release(several.with_name("best_calibrated.safetensors"))
    facts = new.calibration
    assert facts is not None
    assert (facts["data"]["name"], facts["data"]["split"]) == ("synthetic_emotic_val", "val")
    assert (facts["data"]["images"], facts["thresholds_for"]) == (12, "f1")
    assert 0 < facts["data"]["found"] <= facts["data"]["people"]
    assert facts["temperature"] == new.emotions.temperature != 1.0
    assert facts["after"]["NLL"] < facts["before"]["NLL"]
    assert facts["before"]["temperature"] == 1.0
    assert new.thresholds == tuple(row["value"] for row in facts["after"]["per_emotion"])
    assert all(
        row["f1"] is None or row["f1"] >= old["f1"]
        for old, row in zip(facts["before"]["per_emotion"], facts["after"]["per_emotion"])
    )
    picture = several.with_name("best_calibrated_reliability.png")
    assert Image.open(picture).format == "PNG"
    for part in ("12 images", "of them found", "expected calibration error", f"release: {new_path(several)}"):
        assert part in said
    lines = "\n".join(file_lines(describe_file(new_path(several))))
    assert f"temperature {new.emotions.temperature:.3g}" in lines
    assert "synthetic_emotic_val (val split)" in " ".join(lines.split())


def new_path(release: Path) -> Path:
    return release.with_name("best_calibrated.safetensors")


@pytest.mark.usefixtures("anything_is_found")
def test_one_emotion_a_person_and_a_precision_out_of_reach(one: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = one.with_name("careful.safetensors")
    assert calibrate([str(one.parent), "--for", "precision=1", "--out", str(out), *SMALL]) == 0
    said = " ".join(capsys.readouterr().out.split())
    facts = load_release(out).calibration
    assert facts is not None
    assert facts["thresholds_for"] == "precision=1"
    rows = facts["after"]["per_emotion"]
    never = [row for row in rows if row["value"] == 1.0]
    assert never, "a model that has learnt nothing is not always right about any emotion"
    assert all("a precision of 100 % is not reached" in row["note"] for row in never)
    assert all(row["precision"] == 1.0 for row in rows if row not in never)
    assert f"note: {never[0]['label']}: a precision of 100 % is not reached" in said
    assert "the most probable one, whatever its threshold" in said


@pytest.mark.usefixtures("anything_is_found")
def test_nothing_is_replaced_unless_asked(one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "best.safetensors"
    copy.write_bytes(one.read_bytes())
    taken = tmp_path / "taken.safetensors"
    taken.write_bytes(b"mine")
    assert calibrate([str(copy), "--out", str(taken), *SMALL]) == 2
    assert (
        "taken.safetensors exists and is not replaced: give another --out, or --overwrite." in capsys.readouterr().err
    )
    assert taken.read_bytes() == b"mine"
    assert calibrate([str(copy), "--overwrite", *SMALL]) == 0
    assert load_release(copy).calibration is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "best.safetensors",
        "best_reliability.png",
        "taken.safetensors",
    ]


@pytest.mark.usefixtures("anything_is_found")
def test_the_test_split_may_be_said(one: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = one.with_name("tested.safetensors")
    words = [str(one), "--out", str(out), *SMALL]
    assert calibrate([*words, "--split", "test"]) == 0
    said = capsys.readouterr().out
    assert "note: calibrated on the test split: later scores on it" in said
    facts = load_release(out).calibration
    assert facts is not None
    assert facts["data"]["split"] == "test"


def test_a_test_split_that_nobody_asked_for_is_refused() -> None:
    """Where the config has no key for the split, the data set itself says which it is."""
    loader = SimpleNamespace(dataset=SyntheticScenes("caer_s", "test", 2))
    with pytest.raises(UserError, match=r"the data of this config is the test split. .* or say --split test"):
        _described(loader, split_said=False)
    assert _described(loader, split_said=True)["split"] == "test"
    loader.dataset = SyntheticScenes("caer_s", "val", 2)
    assert _described(loader, split_said=False)["split"] == "val"


def test_nobody_found_is_a_sentence(
    one: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocols, "FOUND_IOU", 1.5)
    assert calibrate([str(one), "--out", str(one.with_name("none.safetensors")), *SMALL]) == 2
    assert "people of synthetic_caer_s_val is found at IoU 0.5, so there is nothing" in capsys.readouterr().err
    assert not one.with_name("none.safetensors").exists()


def test_scores_stay_and_probabilities_change(one: Path, tmp_path: Path) -> None:
    """A temperature changes how sure people of one emotion rank among each other; no score may notice."""
    hot = tmp_path / "hot.safetensors"
    write_calibrated(one, hot, [0.2] * 7, {"temperature": 3.0})
    reports = []
    for number, path in enumerate((one, hot)):
        out = tmp_path / str(number)
        assert evaluate([str(path), "--split", "test", "--out", str(out), "train.report.enabled=False", *SMALL]) == 0
        reports.append(json.loads((out / "evaluation_test.json").read_text()))
    old, new = reports
    for key in ("metrics", "strict", "per_class", "by_count", "groups", "confusion", "pr_curves"):
        assert old[key] == new[key], key
    assert (old["calibration"]["temperature"], new["calibration"]["temperature"]) == (1.0, 3.0)
    assert old["samples"] != new["samples"]
    pictures = [Image.effect_noise((64, 48), 80).convert("RGB") for _ in range(2)]
    before, after = (Predictor.from_checkpoint(path, "cpu", threshold=0.0, nms=1.0) for path in (one, hot))
    assert after.emotion_thresholds == (0.2,) * 7
    for cold, warm in zip(before(pictures), after(pictures), strict=True):
        torch.testing.assert_close(warm.pred_logits, cold.pred_logits)
        torch.testing.assert_close(warm.scores, cold.scores)
        torch.testing.assert_close(warm.emotion_probs, (cold.pred_logits[:, :7] / 3).softmax(-1))
        assert not torch.allclose(warm.emotion_probs, cold.emotion_probs)
        assert warm.pred_classes.tolist() == cold.pred_classes.tolist()


@pytest.mark.usefixtures("anything_is_found")
def test_a_temperature_that_does_not_exist_is_kept(
    one: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("dsct_detrex.calibration.outcome.fit_temperature", lambda *_: None)
    hot, out = tmp_path / "hot.safetensors", tmp_path / "out.safetensors"
    write_calibrated(one, hot, [0.2] * 7, {"temperature": 3.0})
    assert calibrate([str(hot), "--out", str(out), *SMALL]) == 0
    assert load_release(out).emotions.temperature == 3.0
    assert f"to {temperature.HOTTEST:g} is the most likely" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "calibrate expects one release. Got none."),
        (["a.safetensors", "b.safetensors"], "Got a.safetensors, b.safetensors."),
        (
            ["last.pth"],
            "error: calibrate expects a release (*.safetensors), for thresholds and temperature are written",
        ),
        (["no.safetensors"], "calibrate: no.safetensors is not there: check the path."),
        (["{folder}"], "holds none of best.safetensors, last.safetensors; give a release."),
        (["{one}", "--out", "a.pth"], "--out expects the name of a release, which ends in .safetensors. Got a.pth."),
        (["{one}", "--for", "recall=1"], "expects f1, or precision=X with X above 0 and at most 1. Got recall=1"),
        (["{one}", "--for", "precision=0"], "Got precision=0"),
        (["{one}", "--for", "precision=80"], "Got precision=80"),
        (["{one}", "--splt", "val"], "unknown flag --splt. Did you mean `--split`?"),
    ],
)
def test_mistakes_are_told(
    words: Sequence[str], message: str, one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert calibrate([word.format(folder=tmp_path, one=one) for word in words]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], False),
        (["--split", "val"], True),
        (["dataloader.test.dataset.split=test"], True),
        (["data.split=test"], False),
    ],
)
def test_who_says_the_split(words: Sequence[str], said: bool, one: Path) -> None:
    assert parse([str(one), *words]).split_said is said
