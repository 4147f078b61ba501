"""Every run says what its splits hold, and every result on how much of them it stands."""

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_runs import read_jsonl, start_ranks
from omegaconf import DictConfig
from PIL import Image

from dsct_detrex.config import apply_overrides, get_config
from dsct_detrex.data import EmoticDataset
from dsct_detrex.data.images import ImageError
from dsct_detrex.data.synthetic.writer import write_dataset
from dsct_detrex.engine import run
from dsct_detrex.engine.examine import Examiner
from dsct_detrex.engine.screen import Console
from dsct_detrex.errors import UserError
from dsct_detrex.evaluation import EmotionEvaluator
from dsct_detrex.structures import EMOTIC, Headline
from tests.commands import train as main

Toy = Callable[..., DictConfig]
OURS = "dataloader.evaluator={_target_:dsct_detrex.evaluation.EmotionEvaluator,emotions:${emotions},dataset_name:toy}"
LOST = ("dataloader.test.split=val", "dataloader.test.unreadable=[3,12]")
AUTO = "train.best.metric=null"


def report_of(folder: Path, name: str = "evaluation.json") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / name).read_text())
    return content


@pytest.mark.parametrize("how", [{}, {"dry_run": True}])
def test_start_up_says_what_the_splits_hold(toy: Toy, how: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    run(toy(OURS, AUTO, *LOST), **how)
    said = capsys.readouterr().out
    assert said.startswith("evaluation   toy_val: 14 images, people not counted\nmodel        ToyModel: ")


def test_a_run_of_drawn_scenes_describes_both_splits(toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    cfg = toy()
    data = get_config("common/data/synthetic.py")
    for loader in ("train", "test"):
        cfg.dataloader[loader] = data.dataloader[loader]
    cfg.emotions = data.emotions
    run(apply_overrides(cfg, ["dataloader.train.dataset.length=40", "dataloader.test.dataset.length=9"]), dry_run=True)
    said = capsys.readouterr().out
    assert "training     synthetic_caer_s_train: 40 images, 85 people\n             Anger 11, Disgust 15" in said
    assert re.search(r"\nevaluation   synthetic_caer_s_val: 9 images, \d+ people\n             Anger \d", said)
    assert "note: synthetic_caer_s_val: nobody shows Sad\n" in said


def test_lost_pictures_are_said_wherever_the_number_is(
    toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(toy(OURS, AUTO, *LOST))
    said = capsys.readouterr().out
    assert "toy, val split: 12 people in 12 of 14 images" in said
    assert "Note: Measured on 12 of 14 images: 2 unreadable while evaluating (first: image_3.jpg)." in said
    first, second = [line for line in said.splitlines() if line.startswith("step ")]
    assert first.startswith("step 5  accuracy ")
    assert "% (12 of 14 images)  best so far  " in first
    assert "% (12 of 14 images) (+" in second
    assert said.count("paper protocol (12 of 14 images)") == 3, "the three tables of the last evaluation"
    logged = (tmp_path / "run" / "log.txt").read_text()
    assert logged.count("paper protocol (12 of 14 images)") == 6, "those of both"
    report = report_of(tmp_path / "run")
    assert report["dataset"]["coverage"] == "12 of 14 images"
    assert report["dataset"]["headline"] == "toy_val: 14 images, people not counted"
    last = read_jsonl(tmp_path / "run" / "metrics.jsonl")[-1]
    assert (last["data/images"], last["data/listed_images"]) == (12.0, 14.0)
    assert json.loads((tmp_path / "run" / "data.json").read_text())["test"]["split"] == "val"


def test_the_pictures_that_other_processes_skipped_count_too(
    config_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["-c", str(config_file), OURS, AUTO, *LOST, "train.max_iter=1", "train.eval_period=1"]
    children = start_ranks([partial(main, words)] * 2)
    for child in children:
        child.join(100)
    assert [child.exitcode for child in children] == [0, 0]
    assert "Measured on 12 of 14 images: 2 unreadable while evaluating" in capfd.readouterr().out
    assert report_of(tmp_path / "run")["counts"]["lost_images"] == 2, "one on each rank"


def test_a_short_run_does_not_claim_the_split(toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(toy(OURS, AUTO, "dataloader.test.split=val", "train.fast_dev_run.enabled=true"))
    said = capsys.readouterr().out
    assert "note: only the first 2 batches are evaluated (train.fast_dev_run)" in said
    assert "4 people in the first 4 of 14 images" in said
    assert report_of(tmp_path / "run")["dataset"]["coverage"] == "the first 4 of 14 images"


def test_an_evaluator_of_another_kind_says_it_in_a_note(toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    run(toy(*LOST, "train.max_iter=5"))
    assert "note: 2 images could not be read; these numbers stand on the others." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("split", "name"), [("test", "evaluation_test"), ("val", "evaluation_val"), (None, "evaluation_eval")]
)
@pytest.mark.parametrize("evaluator", [(), (OURS, AUTO)])
def test_an_evaluation_alone_leaves_the_runs_own_result(
    toy: Toy, split: str | None, name: str, evaluator: tuple[str, ...], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    words = (*evaluator, f"dataloader.test.split={split or 'null'}", "train.max_iter=5")
    run(toy(*words), quiet=True)
    before = (folder / "evaluation.json").read_bytes()
    weights = f"train.init_checkpoint={folder / 'last.safetensors'}"
    run(toy(*words, weights), eval_only=True, quiet=True)
    first = report_of(folder, f"{name}.json")
    run(toy(*words, weights, "dataloader.test.num_images=6"), eval_only=True, quiet=True)
    assert (folder / "evaluation.json").read_bytes() == before
    assert report_of(folder, f"{name}_1.json") == first, "the older one under a number"
    assert report_of(folder, f"{name}.json") != first


def test_an_evaluator_that_writes_into_the_runs_folder_spares_its_result(toy: Toy, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    words = (OURS, AUTO, "dataloader.test.split=val", "train.max_iter=5", f"+dataloader.evaluator.output_dir={folder}")
    run(toy(*words), quiet=True)
    before = {name: (folder / name).read_bytes() for name in ("evaluation.json", "coco_instances_results.json")}
    changes = (f"train.init_checkpoint={folder / 'last.safetensors'}", "dataloader.test.split=test")
    run(toy(*words, *changes, "dataloader.test.num_images=6"), eval_only=True, quiet=True)
    assert (folder / "evaluation.json").read_bytes() == before["evaluation.json"]
    assert (folder / "coco_instances_results_1.json").read_bytes() == before["coco_instances_results.json"]
    assert report_of(folder, "evaluation_test.json")["counts"]["images"] == 6


@pytest.fixture
def emotic(tmp_path: Path) -> Path:
    """EMOTIC's layout with six training pictures."""
    write_dataset("emotic", tmp_path / "emotic", {"train": 6}, annotations="json", size=(64, 48))
    return tmp_path / "emotic"


def damaged(root: Path, damage: str) -> Path:
    """The second picture of the data, damaged."""
    path = Path(EmoticDataset(str(root), "train").record(1)["file_name"])
    if damage == "missing":
        path.unlink()
    elif damage == "broken":
        path.write_bytes(b"broken")
    else:
        Image.new("RGB", (40, 30)).save(path)
    return path


def on_disk(toy: Toy, root: Path, on_error: str) -> DictConfig:
    """A toy run whose training loader reads EMOTIC's files, and whose model does not care."""
    cfg = toy("~dataloader.evaluator", "train.max_iter=3")
    emotic = get_config("common/data/emotic.py")
    cfg.emotions, cfg.data, cfg.classification = emotic.emotions, emotic.data, emotic.classification
    cfg.dataloader.train = emotic.dataloader.train
    cfg.model = {"_target_": "engine_toys.IndifferentModel"}
    return apply_overrides(
        cfg,
        [f"data.root={root}", f"data.on_error={on_error}", "dataloader.train.total_batch_size=2",
         "dataloader.train.num_workers=0", "dataloader.train.mapper.transforms.scales=[24]",
         "dataloader.train.mapper.transforms.crop_probability=0"],
    )  # fmt: skip


@pytest.mark.parametrize(("split", "shared"), [("train", True), ("val", False)])
def test_pictures_that_are_trained_on_are_said(
    toy: Toy, split: str, shared: bool, emotic: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dataset("emotic", emotic, {"val": 2}, annotations="json", size=(64, 48), overwrite=True)
    cfg = on_disk(toy, emotic, "raise")
    cfg.dataloader.test = get_config("common/data/emotic.py").dataloader.test
    run(apply_overrides(cfg, [f"+{OURS}", AUTO, f"dataloader.test.dataset.split={split}"]), dry_run=True)
    said = capsys.readouterr().out
    assert ("note: 6 of the 6 images that are evaluated are trained on as well (first: " in said) == shared


def test_a_warning_of_an_examiner_reaches_headline_and_evaluator(tmp_path: Path) -> None:
    evaluator = EmotionEvaluator(EMOTIC)
    examiner = Examiner([], evaluator, Console(quiet=True), tmp_path, headline=Headline("emotic_val", 0, 0))
    for headline in (examiner.with_warning("Careful.").headline, evaluator.dataset.headline):
        assert headline is not None
        assert headline.warnings == ("Careful.",)


@pytest.mark.parametrize(("caution", "said"), [(None, ()), ("Boxes are given.", ("Boxes are given.",))])
def test_what_a_model_must_have_said_stands_beside_its_scores(
    caution: str | None, said: tuple[str, ...], tmp_path: Path
) -> None:
    model = torch.nn.Identity()
    model.caution = caution  # type: ignore[assignment]
    examiner = Examiner(
        [], EmotionEvaluator(EMOTIC), Console(quiet=True), tmp_path, headline=Headline("emotic_val", 0, 0)
    ).cautioned(model)
    assert examiner.headline is not None
    assert examiner.headline.warnings == said


def test_pictures_that_training_skipped_are_said_at_once_and_in_the_end(
    toy: Toy, tmp_path: Path, emotic: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = damaged(emotic, "broken")
    run(on_disk(toy, emotic, "skip"))
    said = capsys.readouterr().out
    assert f"note: {broken} cannot be read; another picture takes its place." in said
    assert "1 time a training picture could not be read and another took its place (first: " in said
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["skipped_pictures"] == 1


@pytest.mark.parametrize("damage", ["missing", "broken", "resized"])
def test_the_key_that_works_in_a_config_is_named(toy: Toy, damage: str, emotic: Path) -> None:
    name = damaged(emotic, damage).name
    with pytest.raises(ImageError, match=rf"{name}.*Or set data\.on_error=skip to go on without such pictures\.$"):
        run(on_disk(toy, emotic, "raise"), quiet=True)
    run(on_disk(toy, emotic, "skip"), quiet=True)


def test_in_python_the_argument_is_named_and_where_nothing_works_nothing(emotic: Path) -> None:
    damaged(emotic, "missing")
    with pytest.raises(UserError, match=r'Or set on_error="skip" to go on without such pictures\.$'):
        EmoticDataset(str(emotic), "train")
    assert "Or set" not in str(ImageError("The image is broken."))
    told = ImageError("The image is broken.", "x").with_skip("--on-error skip")
    assert str(told) == "The image is broken. Or set --on-error skip to go on without such pictures."
