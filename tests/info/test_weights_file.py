"""``dsct info FILE``: releases, checkpoints of a training, and files of others."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from dsct_detrex.info import describe_file
from dsct_detrex.info.screen import file_lines
from dsct_detrex.structures import get_emotions
from dsct_detrex.weights import Provenance, save_release
from dsct_detrex.weights.parameters import count_parameters
from dsct_detrex.weights.training_checkpoint import FORMAT
from tests.commands import info

CONFIG = """
dataloader: {train: {dataset: {_target_: dsct_detrex.data.CaerSDataset}}}
data: {root: datasets/CAER-S}
train: {init_checkpoint: r50.pth, max_iter: 90000, max_epoch: 12.0}
"""
HOST = {"host.transformer.level_embeds": torch.zeros(4, 8), "host.transformer.decoder.norm.weight": torch.ones(8)}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    path = tmp_path / "best.safetensors"
    made = Provenance("dsct train --config dino_dsct", 3, {"emotion/acc": 0.5}, iteration=1200)
    save_release(path, HOST, get_emotions("caer_s"), CONFIG, [0.25] * 7, made)
    return path


@pytest.fixture
def training(tmp_path: Path) -> Path:
    path = tmp_path / "last.pth"
    content = {
        "format": FORMAT,
        "iteration": 60,
        "max_iter": 120,
        "rng": [],
        "model": HOST,
        "ema": {"host.transformer.level_embeds": torch.zeros(4, 8)},
        "best": {"metric": "emotion/mAP", "value": 0.25, "iteration": 40},
        "config": {"emotions": {"_target_": "dsct_detrex.structures.get_emotions", "name": "emotic"}},
    }
    torch.save(content, path)
    environment = {"command": "dsct train -c x.py", "dsct_detrex": "0.1.0", "packages": {"torch": "2.9.0"}}
    (tmp_path / "environment.json").write_text(json.dumps(environment))
    return path


def test_a_release(release: Path) -> None:
    assert "card" not in describe_file(release)
    release.with_suffix(".md").write_text("# A card")
    found = describe_file(release)
    assert found["card"] == str(release.with_suffix(".md"))
    assert f"card          {found['card']}" in "\n".join(file_lines(found)).replace("\n" + " " * 14, "")
    assert found["kind"] == "release"
    assert found["host"] == {"name": "dino", "title": "DINO"}
    assert (found["tensors"], found["parameters"]) == (2, 40)
    assert found["emotions"]["kind"] == "one a person"
    assert found["thresholds"]["Anger"] == 0.25
    assert found["metrics"] == {"emotion/acc": 0.5}
    assert found["data"] == {"dataset": "CaerSDataset", "root": "datasets/CAER-S"}
    assert (found["start"], found["max_epoch"], found["epoch"]) == ("r50.pth", 12.0, 3)
    assert found["iteration"] == 1200
    assert found["command"] == "dsct train --config dino_dsct"


def test_a_checkpoint_of_a_training(training: Path) -> None:
    found = describe_file(training)
    assert found["kind"] == "training checkpoint"
    assert (found["iteration"], found["max_iter"]) == (60, 120)
    assert found["average"] is True
    assert found["emotions"]["name"] == "emotic"
    assert found["metrics"] == {"best emotion/mAP": 0.25}
    assert found["versions"] == {"dsct_detrex": "0.1.0", "torch": "2.9.0"}
    assert found["start"] == "random weights"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"model": {"transformer.level_embeds": torch.zeros(4, 8)}, "iteration": 7}, ("deformable_detr", 7)),
        ({"transformer.decoder.layers.0.multihead_attn.in_proj_weight": torch.zeros(3, 3)}, ("detr", None)),
        ({"layer1.0.conv1.weight": torch.zeros(3, 3)}, (None, None)),
    ],
)
def test_files_of_others(content: dict[str, Any], expected: tuple[str | None, int | None], tmp_path: Path) -> None:
    torch.save(content, tmp_path / "a.pth")
    found = describe_file(tmp_path / "a.pth")
    assert found["kind"] == "weights"
    assert (found.get("host", {}).get("name"), found.get("iteration")) == expected


def test_tensors_without_anything_else(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2, 3)}, tmp_path / "a.safetensors")
    found = describe_file(tmp_path / "a.safetensors")
    assert (found["made_by"], found["parameters"]) == ("no model this package knows", 6)


def test_parameters_are_counted_once_and_statistics_not() -> None:
    tied = torch.zeros(5)
    named = {"a": tied, "b": tied, "bn.running_mean": torch.zeros(9), "n": torch.zeros(3, dtype=torch.int64)}
    assert count_parameters(named.items()) == 5
    assert count_parameters({"a": torch.zeros(10)[:4], "b": torch.zeros(2)}.items()) == 6


def test_screens_fit_a_terminal(release: Path, training: Path) -> None:
    for path in (release, training):
        lines = file_lines({**describe_file(path), "file": "a.pth", "command": "dsct train " + "a.b=1 " * 30})
        assert max(map(len, lines)) <= 80
        text = "\n".join(lines)
        assert "DINO (dino)" in text
        assert "emotion/" in text


def test_json_is_what_was_found(release: Path, training: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert info([str(release), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(describe_file(release)))
    assert info([str(release), str(training), "--json"]) == 0
    assert [one["kind"] for one in json.loads(capsys.readouterr().out)] == ["release", "training checkpoint"]


def test_code_in_a_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"model": {"a": torch.zeros(1)}, "hook": print}, tmp_path / "a.pth")
    assert info([str(tmp_path / "a.pth")]) == 2
    assert "may run any code" in capsys.readouterr().err


def test_a_bad_file_does_not_cost_the_others(
    release: Path, training: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.pth"
    bad.write_text("hello")
    assert info([str(release), str(bad), str(training), "--json"]) == 1
    printed = capsys.readouterr()
    assert [one["kind"] for one in json.loads(printed.out)] == ["release", "training checkpoint"]
    assert (printed.err.count("\n"), "bad.pth is no checkpoint" in printed.err) == (1, True)
    assert info([str(bad), str(bad)]) == 2
    assert capsys.readouterr().err.count("bad.pth is no checkpoint") == 2
