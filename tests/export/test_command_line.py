"""``dsct export`` and what comes after it: ``dsct predict`` on the file gives what the release gives."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from dsct_detrex.dsct import DSCT
from dsct_detrex.errors import UserError
from dsct_detrex.export import PeopleOfPictures, command_line, program_of
from dsct_detrex.prediction import Predictor
from dsct_detrex.prediction.checkpoints import load
from dsct_detrex.prediction.onnx_model import OnnxModel
from tests.commands import explain, export, predict, visualize
from tests.dsct.tiny import tiny_dsct
from tests.prediction.tiny_release import write_release

WORDS = ("--threshold", "0", "--nms", "1", "--device", "cpu")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_release(tmp_path_factory.mktemp("release") / "best.safetensors", "emotic")


@pytest.fixture(scope="module")
def exported(release: Path) -> Path:
    assert export([str(release), "--threshold", "0.4"]) == 0
    return release.with_suffix(".onnx")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Three pictures: two of one size for the model, one of another."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for index, (height, width) in enumerate([(60, 80), (120, 160), (90, 50)]):
        pixels = np.random.default_rng(index).integers(0, 255, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_predictor_of_the_file_is_one_of_the_release(
    batch_size: int, release: Path, exported: Path, pictures: Path
) -> None:
    ours, theirs = (Predictor.from_checkpoint(path, "cpu", threshold=0, nms=1) for path in (release, exported))
    assert (theirs.emotions, theirs.emotion_thresholds) == (ours.emotions, ours.emotion_thresholds)
    assert theirs.origin == f"{exported} (onnxruntime)"
    expected = ours(str(pictures), batch_size=1)
    found = theirs(str(pictures), batch_size=batch_size)
    for one, other in zip(expected, found, strict=True):
        assert len(one) == 8
        assert one.image_size == other.image_size
        for name in ("scores", "emotion_probs", "pred_logits"):
            torch.testing.assert_close(getattr(other, name), getattr(one, name), rtol=0, atol=1e-4)
        boxes, frame = (one.pred_boxes.tensor, other.pred_boxes.tensor), max(one.image_size)
        torch.testing.assert_close(boxes[1] / frame, boxes[0] / frame, rtol=0, atol=1e-4)
        assert [person.emotions for person in one] == [person.emotions for person in other]
        assert other.plot().size == one.plot().size


def test_the_command_predicts_with_it(exported: Path, pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert predict([str(exported), str(pictures), "--out", str(out), *WORDS]) == 0
    rows = json.loads((out / "predictions.json").read_text())
    assert [len(row["people"]) for row in rows] == [8, 8, 8]
    assert (out / rows[0]["drawn"]).is_file()


def test_it_is_in_no_precision_of_torch(
    exported: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(exported), str(pictures), "--out", str(tmp_path / "out"), "--no-pictures", *WORDS]
    for amp in ("on", "bfloat16", "float16"):
        assert predict([*words, "--amp", amp]) == 2
        assert capsys.readouterr().err == (
            f"error: checkpoint: {exported} computes as it was exported, and not in 16 bits by torch (amp={amp}); "
            "leave that out.\n"
        )
        assert not (tmp_path / "out").exists()
    assert predict([*words, "--amp", "auto"]) == 0


def test_commands_that_look_inside_say_that_it_tells_nothing(
    exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (visualize, explain):
        assert command([str(exported), "--out", str(tmp_path / "out")]) == 2
        said = capsys.readouterr().err
        assert "holds an exported model, which tells whom it finds and not what it looks at; " in said
        assert said.count("\n") == 1
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", [predict, export, visualize, explain])
def test_a_checkpoint_that_is_not_there_is_said_in_the_same_words(
    command: Callable[[list[str]], int],
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    inputs = [str(pictures)] if command is predict else []
    assert command(["nope.safetensors", *inputs]) == 2
    assert capsys.readouterr().err == "error: checkpoint: nope.safetensors does not exist; check the path.\n"


def test_the_header_has_all_that_a_user_needs(release: Path, exported: Path) -> None:
    header, known = load(exported).header, load(release)
    assert header.emotions == known.emotions
    assert header.thresholds == known.thresholds
    assert header.threshold == 0.4
    assert header.transforms["size"] == 48
    content = json.loads(header.to_json())
    assert {"input", "outputs", "use", "package_version", "provenance"} <= content.keys()


def test_nothing_is_replaced_unasked(
    release: Path, exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = exported.read_bytes()
    assert export([str(release)]) == 2
    assert f"{exported} is there already; name another with --out, or replace it with --overwrite." in (
        capsys.readouterr().err
    )
    assert export([str(release), "--out", str(tmp_path / "a.pt2")]) == 2
    assert "--format onnx writes a file that ends in .onnx. Got --out" in capsys.readouterr().err
    assert export([str(exported)]) == 2
    assert f"{exported} is exported already; give the release it was made of." in capsys.readouterr().err
    assert exported.read_bytes() == before


def test_a_file_that_computes_something_else_is_not_delivered(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command_line, "TOLERANCE", 0.0)
    out = tmp_path / "a.onnx"
    out.write_text("older")
    assert export([str(release), "--out", str(out), "--overwrite"]) == 2
    said = capsys.readouterr()
    assert f"so it is kept as {out}.wrong" in said.err
    assert "largest difference to PyTorch (1 of 416 x 320," in said.out
    assert out.read_text() == "older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.onnx", "a.onnx.wrong"]


def test_a_program_loads_without_this_package_and_is_not_opened_by_it(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, model = load(release), tiny_dsct("detr", "emotic")  # the host that is traced fastest
    monkeypatch.setattr(command_line, "load", lambda _: replace(loaded, model=model))
    out = tmp_path / "a.pt2"
    assert export([str(release), "--format", "torch", "--out", str(out)]) == 0  # which compares it with the model
    assert out.stat().st_size < 1.1 * sum(4 * value.numel() for value in model.state_dict().values())
    extra = {"dsct_detrex.json": ""}
    program = torch.export.load(out, extra_files=extra)
    assert json.loads(extra["dsct_detrex.json"])["emotions"]["name"] == "emotic"
    run = program.module()
    for batch, height, width in [(1, 64, 96), (3, 75, 130)]:
        images = torch.rand(batch, 3, height, width) * 255
        for found, expected in zip(run(images), PeopleOfPictures(model.eval())(images), strict=True):
            torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    with pytest.raises(
        UserError, match=r"a\.pt2 is a program of torch\.export, which can carry code, so it is not ope"
    ):
        Predictor.from_checkpoint(out)


def test_onnx_files_of_others_and_broken_ones_are_one_sentence(exported: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(exported.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"broken\.onnx is damaged or no ONNX file \(.*\)\.$"):
        OnnxModel(broken)
    other = tmp_path / "other.onnx"
    plain = onnx.load(exported)
    del plain.metadata_props[:]
    onnx.save(plain, other)
    with pytest.raises(UserError, match=r"other\.onnx is an ONNX file without label set and thresholds inside"):
        OnnxModel(other)
    with pytest.raises(UserError, match=r"^onnxruntime here cannot compute on mps; say --device cpu\.$"):
        OnnxModel(exported).to("mps")


def test_a_model_that_cannot_be_traced_is_one_sentence(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DSCT, "decode_batch", lambda _self, pixels, _mask: [pixels, 0][int(pixels.sum().item())])
    with pytest.raises(
        UserError, match=r"^export: torch\.export cannot trace this model \(.*\); its host is dsct_detr"
    ):
        program_of(load(release).model)
