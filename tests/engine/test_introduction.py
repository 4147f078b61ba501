"""What a run says of itself fits one screen of 80 x 24, and what is long is in ``log.txt``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_runs import ROOT
from omegaconf import DictConfig
from torch import nn

from dsct_detrex.cli.train import parse
from dsct_detrex.engine import build, run
from dsct_detrex.engine.compose import compose
from dsct_detrex.engine.headlines import data_notes, data_rows
from dsct_detrex.engine.initial_weights import InitialWeights
from dsct_detrex.engine.introduction import FULL_SIZE, introduce
from dsct_detrex.engine.model_facts import backbone_words, model_words
from dsct_detrex.engine.screen.block import block_lines
from dsct_detrex.engine.session import open_session
from dsct_detrex.structures import CAER_S, EMOTIC, Emotions, Headline

Toy = Callable[..., DictConfig]
PLAN = [("steps", "1"), ("batch", "1"), ("schedule", "1"), ("evaluations", "1"), ("checkpoints", "1")]


def headline(emotions: Emotions, split: str, **changes: Any) -> Headline:
    facts: dict[str, Any] = dict(
        name=f"{emotions.name}_{split}", split=split, images=23_266, listed_images=23_266, people=26_000, boxes="head",
        source=f"emotic_{split}_bi.json", labels={name: 1000 * i + 93 for i, name in enumerate(emotions.names)},
    )  # fmt: skip
    return Headline(**{**facts, **changes})


@pytest.mark.parametrize("emotions", [CAER_S, EMOTIC])
def test_it_is_one_screen(emotions: Emotions, toy: Toy) -> None:
    session = open_session(toy(), torch.device("cpu"), True, None)
    known = {"train": headline(emotions, "train"), "test": headline(emotions, "val")}
    told = introduce(
        session, nn.Linear(2, 2), InitialWeights("a.pth\na release: 1 of 1 tensors loaded"), known, None, PLAN
    )
    lines = ["".join(line) for line in block_lines(told.rows, 80)]
    assert len(lines) <= 20, "a few notes have room as well"
    assert max(len(line) for line in lines if str(session.output_dir) not in line) <= 80


def test_many_emotions_are_told_by_their_extremes() -> None:
    (row,) = data_rows({"test": headline(EMOTIC, "val")})
    assert row == (
        "evaluation",
        "emotic_val: 23,266 images, 26,000 people, head boxes from emotic_val_bi.json\n"
        "26 emotions, from Yearning (25,093 people) to Affection (93)",
    )


def test_few_are_all_told() -> None:
    (row,) = data_rows({"train": headline(CAER_S, "train", source=None, people=None)})
    assert row[0] == "training"
    first, second = row[1].split("\n")
    assert first == "caer_s_train: 23,266 images, people not counted"
    assert second.replace("\N{NO-BREAK SPACE}", " ").startswith("Anger 93, Disgust 1,093, Fear 2,093")


def test_boxes_that_a_detector_made_say_so() -> None:
    (row,) = data_rows({"test": headline(CAER_S, "val", boxes="face", source="val.txt", made_by="MTCNN 2.5.3")})
    assert row[1].split("\n")[0].endswith("face boxes from val.txt made by MTCNN 2.5.3")


def test_findings_beyond_the_second_are_left_to_the_log() -> None:
    found = headline(CAER_S, "train", findings=("1 cut", "2 cut", "3 cut", "4 cut"), warnings=("Careful.",))
    assert data_notes({"train": found, "test": found}, most=2) == [
        "caer_s_train: 1 cut", "caer_s_train: 2 cut", "caer_s_train: 2 more findings in log.txt", "Careful.",
    ]  # fmt: skip
    assert "caer_s_train: 4 cut" in data_notes({"train": found})


@pytest.mark.parametrize(
    ("random", "device", "weights", "short", "said"),
    [
        (True, "cpu", FULL_SIZE, False, True), (True, "cpu", FULL_SIZE - 1, False, False),
        (False, "cpu", FULL_SIZE, False, False), (True, "cuda", FULL_SIZE, False, False),
        (True, "cpu", FULL_SIZE, True, False),
    ],
)  # fmt: skip
def test_a_big_model_from_nothing_on_a_cpu_is_advised_against(
    random: bool, device: str, weights: int, short: bool, said: bool, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = open_session(toy(f"train.fast_dev_run.enabled={short}"), torch.device("cpu"), True, None)
    object.__setattr__(session, "device", torch.device(device))
    monkeypatch.setattr("dsct_detrex.engine.introduction.count_parameters", lambda model: (weights, weights))
    monkeypatch.setattr("dsct_detrex.engine.introduction.device_words", lambda *facts: "")
    told = introduce(session, nn.Linear(1, 1), InitialWeights("", random=random), {}, None)
    assert ("train --config demo (" in " ".join(told.notes)) == said


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"_target_": "dsct_detrex.hosts.resnet.ResNet", "depth": 50, "width_per_group": 64}, "ResNet-50"),
        ({"_target_": "dsct_detrex.hosts.resnet.ResNet", "depth": 50, "width_per_group": 128}, "ResNet-50 (width 128)"),
        ({"_target_": "detectron2.ResNet", "stages": {"_target_": "make_default_stages", "depth": 50}}, "ResNet-50"),
        ({"_target_": "detrex.TimmBackbone", "model_name": "convnext_tiny"}, "convnext_tiny"),
        ({"_target_": "detectron2.SwinTransformer", "depths": [2, 2, 6, 2]}, "SwinTransformer"),
        ("a built one", "a built one"),
    ],
)  # fmt: skip
def test_backbones_are_named(block: Any, words: str) -> None:
    assert backbone_words(block) == words


@pytest.mark.parametrize(
    ("project", "words"),
    [
        ("dino_dsct", "DSCT on dino, ResNet-50: 4 parameters, 4 trained"),
        ("demo", "DSCT on deformable_detr, ResNet-18: 4 parameters, 4 trained"),
        ("emo_net_r50", "EMONet, ResNet-50: 4 parameters, 4 trained"),
    ],
)
def test_models_of_projects_are_named(project: str, words: str) -> None:
    cfg = compose(parse(["--config", str(ROOT / "projects" / f"{project}.py")]))
    assert model_words(build.plain_config(cfg), nn.Linear(3, 1)) == words


def test_a_dry_run_leaves_nothing_to_a_log_that_is_not_there(
    toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(toy("train.max_iter=1", f"train.output_dir={tmp_path / 'first'}"), quiet=True)
    run(toy(f"train.init_checkpoint={tmp_path / 'first' / 'last.safetensors'}"), dry_run=True)
    said = capsys.readouterr().out
    assert "lr groups    lr 0.01, weight decay 0.0001: 8 tensors, 264 weights\n" in said
    assert "loaded            11  of 11, from" in said


def test_the_folder_of_a_run_has_a_log_which_a_resume_adds_to(toy: Toy, tmp_path: Path) -> None:
    run(toy("train.max_iter=2"), quiet=True, told=["note: told before"])
    run(toy("train.max_iter=3"), quiet=True, resume=True)
    text = (tmp_path / "run" / "log.txt").read_text()
    assert text.count("  command: ") == 2
    for told in (
        "note: told before",
        "lr 0.01, weight decay",
        "iter 2/2",
        "step 2  mAP",
        "emotion/AP-Anger",
        "done: 2 steps",
    ):
        assert told in text
    assert "last.pth\n" in text
    assert "resumed at iteration 2" in text
    assert "3 (by train.max_iter), 2 done" in text or "3 = 0.6 epochs of 5 (by train.max_iter), 2 done" in text


def test_an_evaluation_alone_adds_to_the_log_and_shows_its_tables(
    toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(toy("train.max_iter=1"), quiet=True)
    run(toy(f"train.init_checkpoint={tmp_path / 'run' / 'last.safetensors'}"), eval_only=True)
    said = capsys.readouterr().out
    assert said.count("evaluated  mAP 0.") == 1
    assert said.count("emotion/AP-Anger") == 1
    assert "evaluated  mAP 0." in (tmp_path / "run" / "log.txt").read_text()


def test_a_crash_is_in_the_log(toy: Toy, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the evaluator is broken"):
        run(toy("dataloader.evaluator.fail=true"), quiet=True)
    text = (tmp_path / "run" / "log.txt").read_text()
    assert text.rstrip().endswith("ValueError: the evaluator is broken")
    assert "saved iteration 5 before the error that follows" in text
