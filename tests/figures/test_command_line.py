"""``dsct visualize``: files, the list of what they show, and mistakes in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dsct_detrex.baselines import EMONet
from dsct_detrex.config import LazyCall as L
from dsct_detrex.config import instantiate
from dsct_detrex.engine.build import release_config
from dsct_detrex.figures import command_line
from dsct_detrex.hosts import ResNet
from dsct_detrex.structures import MultiClassEmotions
from dsct_detrex.weights import save_release
from tests.commands import visualize
from tests.prediction.tiny_release import tiny_config, write_release

FEW = ["--images", "1", "--people", "1", "--many", "2", "--threshold", "0", "--device", "cpu", "--dpi", "40"]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    (folder / "metrics.jsonl").write_text('{"iteration": 1, "loss_class": 1, "loss_bbox": 1, "loss_giou": 1}\n')
    return write_release(folder / "best.safetensors")


def listed(folder: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((folder / "figures.json").read_text())
    return facts


def test_stopped_the_same_command_draws_them_anew(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "seen"
    words = [str(release.parent), "--out", str(out), *FEW, "--figure", "predictions", "losses"]
    make, made = command_line.figure_file, []

    def once(*given: Any) -> bytes:
        made.append(given)
        if len(made) == 2:
            raise KeyboardInterrupt
        return make(*given)

    monkeypatch.setattr(command_line, "figure_file", once)
    assert visualize(words) == 130
    said = capsys.readouterr().err
    assert (
        said == f"Interrupted; 1 picture so far in {out}, without a list of them. The same command draws them anew.\n"
    )
    assert len(list(out.glob("*.png"))) == 1
    (out / "mine.png").write_bytes(b"mine")
    assert visualize(words) == 0
    assert {figure["file"] for figure in listed(out)["figures"]} == {"predictions_1.png", "losses.png"}
    assert (out / "mine.png").read_bytes() == b"mine"
    assert visualize(words) == 2, "now they are finished"


def test_all_figures_of_drawn_scenes(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert visualize([str(release.parent), "--out", str(tmp_path / "seen"), *FEW]) == 0
    facts = listed(tmp_path / "seen")
    assert set(facts) == {"schema", "command", "weights", "beside", "pictures", "figures", "absent", "finished"}
    assert [figure["file"] for figure in facts["figures"]] == [
        "activation_1.png",
        "contexts_1_person_1.png",
        "losses.png",
        "places.png",
        "predictions_1.png",
        "sampling_1_person_1.png",
    ]
    assert facts["absent"] == []
    assert facts["weights"] == str(release)
    assert facts["pictures"].startswith("synthetic_caer_s_test: 1,000 drawn scenes")
    assert str(tmp_path) not in facts["command"], "no folder of this machine"
    for figure in facts["figures"]:
        assert set(figure) == {"figure", "file", "shows", "pictures"}
        with Image.open(tmp_path / "seen" / figure["file"]) as picture:
            assert picture.format == "PNG"
            assert picture.info["dpi"] == pytest.approx((40, 40), abs=0.1)
    assert len(list((tmp_path / "seen").iterdir())) == 7
    assert f"weights: {release}\n" in capsys.readouterr().out


def test_nothing_is_replaced_unless_asked(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(release), "--figure", "losses", "--out", str(tmp_path), *FEW]
    (tmp_path / "losses.png").write_text("mine")
    assert visualize(words) == 2
    expected = f"error: visualize: {tmp_path / 'losses.png'} exists; choose another --out, or replace figures with "
    assert capsys.readouterr().err == f"{expected}--overwrite.\n"
    assert (tmp_path / "losses.png").read_text() == "mine"
    assert visualize([*words, "--overwrite"]) == 0
    assert visualize(words) == 2
    assert f"visualize: {tmp_path / 'figures.json'} exists" in capsys.readouterr().err


def test_own_pictures(release: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (60, 80), "teal").save(tmp_path / "photos" / "a.png")
    words = [
        str(release),
        str(tmp_path / "photos"),
        "--figure",
        "predictions",
        "places",
        "--out",
        str(tmp_path / "out"),
    ]
    assert visualize([*words, *FEW]) == 0
    facts = listed(tmp_path / "out")
    assert facts["figures"][0]["pictures"] == [str(tmp_path / "photos" / "a.png")]
    assert facts["figures"][1]["pictures"] == [f"the first 1 of: 1 picture of {tmp_path / 'photos'}"]


def test_emo_net_beside(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    branch = L(ResNet)(depth=18, out_features=["res3"], freeze_at=0, norm="BN")
    model = L(EMONet)(subject_backbone=branch, context_backbone=branch, emotions="${emotions}", subject_size=32)
    cfg = tiny_config()
    other = write_emo_net(tmp_path / "emo_net" / "best.safetensors", cfg, model)
    words = [str(release), "--figure", "activation", "losses", "--beside", str(other), "--out", str(tmp_path / "out")]
    assert visualize([*words, *FEW]) == 0
    assert listed(tmp_path / "out")["beside"] == str(other)
    assert "EMO-Net, people" in listed(tmp_path / "out")["figures"][0]["shows"]
    assert visualize([str(other), "--out", str(tmp_path / "alone"), *FEW]) == 2
    assert "is a two-stage baseline" in capsys.readouterr().err


def write_emo_net(path: Path, cfg: Any, model: Any) -> Path:
    path.parent.mkdir()
    cfg.model = model
    built, labels = instantiate(cfg.model), instantiate(cfg.emotions)
    save_release(path, built.state_dict(), labels, release_config(cfg), [0.5] * labels.num_emotions)
    return path


def test_what_does_not_exist_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lonely = write_release(tmp_path / "best.safetensors")
    words = ["--figure", "losses", "--out", str(tmp_path / "out"), *FEW]
    assert visualize([str(lonely), *words]) == 1
    reason = "there is no metrics.jsonl with losses in {}, beside the checkpoint, where a training leaves it."
    assert f"no figure losses: {reason.format(tmp_path)}\n" in capsys.readouterr().out
    assert not (tmp_path / "out").exists(), "nothing was drawn, so nothing is in the way of the next try"
    monkeypatch.chdir(tmp_path)
    assert visualize(["best.safetensors", *words]) == 1
    assert f"no figure losses: {reason.format('the working directory')}\n" in capsys.readouterr().out
    assert visualize(["best.safetensors", *words, "--figure", "predictions"]) == 0
    absent = {"figure": "losses", "reason": reason.format("the working directory")}
    assert listed(tmp_path / "out")["absent"] == [absent]


def test_two_of_a_kind_are_told_apart_by_their_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_release(tmp_path / "best.safetensors")
    monkeypatch.chdir(tmp_path)
    words = ["best.safetensors", "--beside", "best.safetensors", "--figure", "activation", "--out", "out", *FEW]
    assert visualize(words) == 0
    assert f"DSCT of {tmp_path.name}, " in listed(tmp_path / "out")["figures"][0]["shows"]


def test_nobody_found_is_said(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(release), "--figure", "contexts", "--out", str(tmp_path / "out"), *FEW, "--threshold", "1"]
    assert visualize(words) == 1
    assert "no figure contexts: nobody was found in these pictures; a lower --threshold finds more.\n" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--figure", "context"],
            "--figure expects one of activation, contexts, losses, places, predictions, sampling.",
        ),
        (["--data", "emotics"], "visualize: there is no data set 'emotics'. Did you mean `emotic`?"),
        (["--data-root", "x"], "visualize: --data-root x needs --data NAME, one of caer_s, "),
        (["photo.jpg", "--data", "emotic"], "visualize: --data names a data set and photo.jpg a picture; give one of"),
        (["photo.jpg", "--split", "val"], "visualize: --split names a data set and photo.jpg a picture"),
        (["photo.jpg"], "visualize: photo.jpg is neither a file nor a folder; check the path."),
        (["--beside", "nothing.safetensors"], "checkpoint: nothing.safetensors does not exist; check the path."),
        (["--dpi", "0"], "--dpi expects a whole number of at least 1. Got 0."),
        (["--out", "FILE"], "visualize: --out expects a folder. Got the file "),
    ],
)
def test_mistakes(
    release: Path, words: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    words = [str(tmp_path / "file") if word == "FILE" else word for word in words]
    out = [] if "--out" in words else ["--out", str(tmp_path / "out")]
    assert visualize([str(release), *out, *words]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_drawn_scenes_need_their_emotions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = L(MultiClassEmotions)(name="pets", names=["calm", "playful"] + [f"other {n}" for n in range(5)])
    cfg = tiny_config()
    cfg.emotions = own
    path = write_emo_net(tmp_path / "run" / "best.safetensors", cfg, cfg.model)
    assert visualize([str(path), "--out", str(tmp_path / "out")]) == 2
    said = (
        "visualize: drawn scenes show the emotions of caer_s or emotic, and this model reads pets; name pictures, or a "
    )
    assert said in capsys.readouterr().err
