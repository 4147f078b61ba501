"""W&B offline: what is logged is read back from the run's own file (``wandb leet inspect``)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
import torch
from engine_toys import ToyModel, image
from omegaconf import DictConfig

from dsct_detrex.engine import run
from dsct_detrex.engine.loggers import Prediction
from dsct_detrex.engine.loggers.wandb_pictures import annotated_words, confident, predicted_words
from dsct_detrex.engine.loggers.wandb_run import WandbLogger, has_api_key
from dsct_detrex.errors import UserError
from dsct_detrex.structures import CAER_S, EMOTIC, Boxes, Instances
from tests.wandb_offline import read_records

Toy = Callable[..., DictConfig]

pytestmark = pytest.mark.usefixtures("no_account")


def _run_id(folder: Path) -> str:
    """The id in ``offline-run-DATE_TIME-ID``; W&B adds ``-1`` when that name was taken within the same second."""
    return folder.name.split("-")[3]


def test_an_offline_run_reads_back(toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(toy("train.wandb.enabled=true"))
    assert "W&B: no API key found, so this run is kept offline" in capsys.readouterr().out
    (folder,) = (tmp_path / "run" / "wandb").glob("offline-run-*")
    records = read_records(folder)
    text = [json.dumps(record) for record in records]

    history = [record for record in records if record["type"] == "history"]
    assert len(history) == 6, "one record for each of the iterations 2, 4, 5, 6, 8, 10"
    values = [record["history"]["item"] for record in history]
    assert [(v["iteration"], v["_step"]) for v in values] == [(i, i) for i in (2, 4, 5, 6, 8, 10)]
    names = {key.split(".")[0] for key in values[-1]}  # of a table: predictions._type, predictions.path, ...
    assert {"total_loss", "lr", "epoch", "emotion/mAP", "per_class_AP", "predictions"} <= names
    assert values[-1]["total_loss"] == pytest.approx(result.metrics["total_loss"])

    config = next(line for record, line in zip(records, text) if record["type"] == "run")
    assert '"_target_": "engine_toys.ToyModel"' in config
    assert "Linear(" not in config, "the config is logged before the optimizer gets the model"
    assert any(record["type"] == "metric" and "emotion/*" in line for record, line in zip(records, text))
    tables = sorted((folder / "files" / "media").rglob("predictions*.table.json"))
    assert len(tables) == 2
    row = json.loads(tables[0].read_text())["data"][1]
    assert row[:2] == [1, "image_1.jpg"]
    assert row[4] == "Disgust"
    staged = [path.read_bytes()[:4] for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert staged.count(b"\x89PNG") == 4, "two pictures of each evaluation"

    run_id = torch.load(tmp_path / "run" / "last.pth", weights_only=True)["wandb_run_id"]
    assert _run_id(folder) == run_id
    run(toy("train.wandb.enabled=true", "train.max_iter=12"), resume=True, quiet=True)
    assert [_run_id(path) for path in (tmp_path / "run" / "wandb").glob("offline-run-*")] == [run_id, run_id]


def test_the_run_says_what_it_was_measured_on(toy: Toy, tmp_path: Path) -> None:
    ours = "dataloader.evaluator={_target_:dsct_detrex.evaluation.EmotionEvaluator,emotions:${emotions}}"
    lost = ("dataloader.test.split=val", "dataloader.test.unreadable=[3]")
    run(toy("train.wandb.enabled=true", ours, "train.best.metric=null", *lost), quiet=True)
    (folder,) = (tmp_path / "run" / "wandb").glob("offline-run-*")
    text = [json.dumps(record) for record in read_records(folder)]
    assert any("toy_val: 14 images, people not counted" in line for line in text), "the headline, in the config"
    assert any("data/coverage" in line and "13 of 14 images" in line for line in text), "in the summary"
    assert any("caer_s, val split: 13 people in 13 of 14 images" in line for line in text)
    assert any("data/listed_images" in line for line in text)


@pytest.mark.parametrize(
    ("params", "environment", "expected"),
    [
        ({}, {}, {"project": "dsct_detrex", "dir": "run"}),
        ({"project": None, "tags": []}, {"WANDB_PROJECT": "p"}, {"project": "p", "dir": "run"}),
        ({"dir": None}, {"WANDB_DIR": "~/w"}, {"project": "dsct_detrex", "dir": "home/w"}),
        ({"dir": "~/own"}, {"WANDB_DIR": "w"}, {"project": "dsct_detrex", "dir": "home/own"}),
        ({"project": "own"}, {"WANDB_PROJECT": "p", "WANDB_ENTITY": "e"}, {"project": "own", "dir": "run"}),
        ({"mode": "offline"}, {"WANDB_MODE": "disabled"}, {"project": "dsct_detrex", "dir": "run", "mode": "offline"}),
        ({"entity": None}, {"WANDB_NAME": "n", "WANDB_TAGS": "a,b"}, {"project": "dsct_detrex", "dir": "run"}),
    ],
)
def test_the_environment_rules_where_the_config_is_silent(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    params: dict[str, Any],
    environment: dict[str, str],
    expected: dict[str, str],
) -> None:
    """What is handed to ``wandb.init``; what is not, it takes from the environment itself."""
    wandb = pytest.importorskip("wandb")
    asked: dict[str, Any] = {}
    monkeypatch.setattr(wandb, "init", lambda **options: asked.update(options) or MagicMock())
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WANDB_MODE", "offline")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    WandbLogger(params, tmp_path / "run", {})
    del asked["config"]
    folder = {"dir": str(tmp_path / expected["dir"])}
    assert asked == {**expected, **folder}


def test_the_environment_names_the_run_to_continue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = pytest.importorskip("wandb")
    asked: dict[str, Any] = {}
    monkeypatch.setattr(wandb, "init", lambda **options: asked.update(options) or MagicMock())
    WandbLogger({"mode": "offline"}, tmp_path, {}, run_id="saved")
    assert (asked["id"], asked["resume"]) == ("saved", "allow")
    monkeypatch.setenv("WANDB_RUN_ID", "named")
    WandbLogger({"mode": "offline"}, tmp_path, {}, run_id="saved")
    assert asked["id"] == "named"


def test_disabled_mode_writes_nothing(toy: Toy, tmp_path: Path) -> None:
    run(toy("train.wandb.enabled=true", "train.wandb.params.mode=disabled", "train.max_iter=2"), quiet=True)
    assert not list((tmp_path / "run").glob("wandb/offline-run-*"))


def test_key_in_the_environment_or_in_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not has_api_key()
    (tmp_path / "netrc").write_text("machine example.org login user password x\n")
    assert not has_api_key()
    monkeypatch.setenv("WANDB_BASE_URL", "https://example.org")
    assert has_api_key()
    monkeypatch.delenv("WANDB_BASE_URL")
    monkeypatch.setenv("WANDB_API_KEY", "x" * 40)
    assert has_api_key()


def _people(scores: list[float]) -> Instances:
    n = len(scores)
    return Instances((8, 8), pred_boxes=Boxes(torch.zeros(n, 4)), scores=torch.tensor(scores))


@pytest.mark.parametrize(("scores", "kept"), [([0.9, 0.1, 0.6], [0.9, 0.6]), ([0.2, 0.4], [0.4]), ([], [])])
def test_people_worth_drawing(scores: list[float], kept: list[float]) -> None:
    assert confident(_people(scores)).scores.tolist() == pytest.approx(kept)


def test_emotions_in_words() -> None:
    probabilities = torch.tensor([0.1, 0.0, 0.25, 0.5, 0.05, 0.05, 0.05])
    assert predicted_words(probabilities, CAER_S) == "Happy 0.50, Fear 0.25, Anger 0.10"
    truth = Instances((8, 8), gt_multilabels=EMOTIC.encode([[0, 16], []]))
    assert annotated_words(truth, EMOTIC) == ["Affection, Happiness", ""]


def test_own_drawings_take_the_place_of_wandbs_boxes() -> None:
    pytest.importorskip("wandb")
    from PIL import Image

    from dsct_detrex.engine.loggers.wandb_pictures import prediction_table

    model = ToyModel().eval()
    inputs = image(3, 2)
    prediction = Prediction(inputs, model([inputs])[0])
    drawn: list[Prediction] = []

    def draw(one: Prediction) -> Image.Image:
        drawn.append(one)
        return Image.new("RGB", (4, 4))

    table = prediction_table([prediction], CAER_S, draw)
    assert drawn == [prediction]
    assert table.columns == ["image_id", "file_name", "picture", "predicted", "annotated"]
    assert table.data[0][:2] == [3, "image_3.jpg"]
    assert table.data[0][4] == "Fear"
    boxed = prediction_table([prediction], CAER_S).data[0][2]
    assert set(boxed._boxes) == {"predictions", "ground_truth"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [("mode=quiet", "Input should be 'online', 'offline'"), ("foo=1", "unexpected keyword .*'foo'")],
)
def test_what_wandb_cannot_use_is_one_sentence(toy: Toy, words: str, reason: str) -> None:
    key, value = words.split("=")
    with pytest.raises(UserError, match=rf"train\.wandb\.params: wandb\.init says: .*{reason}") as refused:
        run(toy("train.wandb.enabled=true", f"+train.wandb.params.{key}={value}", "train.max_iter=2"), quiet=True)
    assert "\n" not in str(refused.value)
