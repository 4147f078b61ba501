"""The report of a run: what is left where, on which numbers, and that nothing it meets ends a finished run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig
from PIL import Image

from dsct_detrex import visualization
from dsct_detrex.config import LazyCall as L
from dsct_detrex.data import ImageError
from dsct_detrex.engine import run
from dsct_detrex.engine.report import _PictureLoader
from dsct_detrex.evaluation import EmotionEvaluator

Toy = Callable[..., DictConfig]


def measured(cfg: DictConfig) -> DictConfig:
    """The same run with our own evaluator, whose numbers a report shows."""
    cfg.dataloader.evaluator = L(EmotionEvaluator)(emotions=cfg.emotions)
    cfg.train.best.metric = "emotion/acc"
    cfg.train.report.enabled = True
    return cfg


def trained(toy: Toy) -> list[str]:
    """The override that names the weights of a training."""
    return [f"train.init_checkpoint={run(measured(toy()), quiet=True).output_dir / 'last.safetensors'}"]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the writer of pages was asked to write, which is all that is wanted here."""
    asked: list[dict[str, Any]] = []

    def write(path: Path, run: Any, galleries: Any, notes: Any, facts: Any, config: str, title: str) -> Path:
        asked.append({"path": path, "run": run, "notes": notes, "facts": facts, "config": config, "title": title})
        path.write_text("page")
        path.with_suffix("").mkdir(exist_ok=True)
        return path

    monkeypatch.setattr(visualization, "write_run_report", write)
    return asked


def test_a_training_leaves_a_page_and_its_pictures(
    toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(measured(toy("dataloader.test.split=val")))
    folder = tmp_path / "run"
    page = (folder / "report.html").read_text()
    value = json.loads((folder / "evaluation.json").read_text())["metrics"]["acc"]
    assert f"{100 * value:.1f} %" in page
    assert "The best weights were chosen on this split" in page
    assert "after iteration 10" in page
    assert {"learning.png", "emotions.png", "confusion.png", "precision_recall.png"} <= {
        path.name for path in (folder / "report").iterdir()
    }
    assert f"results in {folder}: report.html, " in capsys.readouterr().out
    assert f"report: {folder / 'report.html'} (" in (folder / "log.txt").read_text()


def test_a_training_tells_how_it_is_repeated(toy: Toy, tmp_path: Path, shown: list[dict[str, Any]]) -> None:
    run(measured(toy("dataloader.test.split=test")), quiet=True)
    (asked,) = shown
    facts = asked["facts"]
    assert facts["Seed"] == "3"
    assert facts["Weights measured"] == "last.safetensors, after iteration 10"
    assert facts["Best weights"] == "", "chosen on no test split"
    assert asked["notes"] == []
    assert "torch 2." in facts["Versions"]
    assert "max_iter: 10" in asked["config"]
    assert asked["title"] == "ToyModel on caer_s, test split"
    assert [row["iteration"] for row in asked["run"].history] == [2, 4, 5, 6, 8, 10]
    assert asked["run"].parameters > 0


def test_the_average_is_shown_where_it_chooses(toy: Toy, tmp_path: Path, shown: list[dict[str, Any]]) -> None:
    cfg = measured(toy("train.model_ema.enabled=true", "dataloader.test.split=val"))
    cfg.train.best.metric = "ema/emotion/acc"
    run(cfg, quiet=True)
    averaged = json.loads((tmp_path / "run" / "evaluation_ema.json").read_text())
    assert shown[0]["run"].report["metrics"] == averaged["metrics"]
    assert shown[0]["run"].prefix == "ema/"
    assert shown[0]["facts"]["Weights measured"].startswith("last_ema.safetensors")


def test_an_evaluation_keeps_the_page_of_an_earlier_one(toy: Toy, tmp_path: Path, shown: list[dict[str, Any]]) -> None:
    weights = trained(toy)
    shown.clear()
    for _ in range(2):
        run(measured(toy("dataloader.test.split=test", *weights)), quiet=True, eval_only=True)
    names = {path.name for path in (tmp_path / "run").iterdir() if path.name.startswith("report")}
    assert names == {"report.html", "report", *(f"report_test{n}{end}" for n in ("", "_1") for end in ("", ".html"))}
    assert shown[0]["run"].history == ()
    assert shown[0]["facts"]["Weights measured"] == str(tmp_path / "run" / "last.safetensors")


def test_a_run_in_the_same_folder_sets_the_page_aside(toy: Toy, tmp_path: Path, shown: list[dict[str, Any]]) -> None:
    for _ in range(2):
        run(measured(toy()), quiet=True)
    aside = tmp_path / "run" / "previous" / "1"
    assert (aside / "report.html").is_file()
    assert (aside / "report").is_dir()


def test_a_resumed_run_with_nothing_left_writes_it_again(toy: Toy, tmp_path: Path, shown: list[dict[str, Any]]) -> None:
    run(measured(toy()), quiet=True)
    run(measured(toy()), quiet=True, resume=True)
    assert len(shown) == 2
    assert shown[0]["run"].report == shown[1]["run"].report


@pytest.mark.parametrize("eval_only", [False, True])
def test_it_can_be_switched_off(toy: Toy, tmp_path: Path, shown: list[dict[str, Any]], eval_only: bool) -> None:
    weights = trained(toy) if eval_only else []
    shown.clear()
    cfg = measured(toy(*weights))
    cfg.train.report = {"enabled": False, "pictures": 6}
    run(cfg, quiet=True, eval_only=eval_only)
    assert shown == []
    written = tmp_path / "run" / f"evaluation{'_eval' if eval_only else ''}.json"
    assert json.loads(written.read_text())["pictures"] == {"best": [], "worst": []}


def test_as_many_pictures_are_kept_as_are_shown(toy: Toy, tmp_path: Path, shown: list[dict[str, Any]]) -> None:
    cfg = measured(toy())
    cfg.train.report = {"enabled": True, "pictures": 2}
    run(cfg, quiet=True)
    pictures = json.loads((tmp_path / "run" / "evaluation.json").read_text())["pictures"]
    assert [len(end) for end in pictures.values()] == [2, 2]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), PermissionError("read-only")])
def test_a_disk_that_refuses_is_a_sentence_and_the_run_ends_well(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: OSError
) -> None:
    def refuse(*_: Any) -> None:
        raise error

    monkeypatch.setattr(visualization, "write_run_report", refuse)
    assert run(measured(toy())).iteration == 10
    said = capsys.readouterr().out
    assert f"report.html could not be written ({error}); weights and numbers of the run are complete." in said
    assert "done: 10 steps" in said


def test_ctrl_c_while_a_page_is_written_says_that_the_rest_is_complete(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(visualization, "write_run_report", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(measured(toy()))
    said = capsys.readouterr().out
    assert (
        "report.html is not written, because it was interrupted; weights and numbers of the run are complete." in said
    )


def test_numbers_of_a_foreign_evaluator_have_no_page_and_that_is_said(
    toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(toy("train.report.enabled=True"))
    assert "note: no report.html is written, because the evaluation is not one of EmotionEvaluator." in (
        capsys.readouterr().out
    )
    assert not (tmp_path / "run" / "report.html").exists()


def test_a_training_without_evaluation_has_no_page_and_that_is_said(
    toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cfg = toy("train.report.enabled=True")
    cfg.dataloader.evaluator = None
    run(cfg)
    assert "note: no report.html is written, because nothing is evaluated." in capsys.readouterr().out
    assert not (tmp_path / "run" / "report.html").exists()


class Pictures:
    """A data set whose image ids begin at ``first``; the picture of the second cannot be read."""

    def __init__(self, first: int) -> None:
        self.first, self.asked = first, 0

    def __len__(self) -> int:
        return 3

    def record(self, index: int) -> dict[str, int]:
        self.asked += 1
        return {"image_id": self.first + index}

    def load_image(self, index: int) -> Image.Image:
        if index == 1:
            raise ImageError("b.jpg is broken.")
        return Image.new("RGB", (4, 4), (index, 0, 0))


@pytest.mark.parametrize("first", [0, 1, 700])
def test_pictures_are_found_by_their_id_whatever_it_counts_from(first: int) -> None:
    loader = _PictureLoader(Pictures(first))
    images = [loader.load({"image_id": first + k}) for k in range(3)]
    assert [None if image is None else image.getpixel((0, 0))[0] for image in images] == [0, None, 2]
    assert loader.lost == ["one of the pictures is not shown: b.jpg is broken."]
    assert loader.load({"image_id": 5000}) is None


def test_a_data_set_without_pictures_shows_none() -> None:
    assert _PictureLoader(object()).load({"image_id": 1}) is None
    assert _PictureLoader(None).load({"image_id": 1}) is None
