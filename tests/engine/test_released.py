"""A release is evaluated by the config inside it, and its config may not do what it likes."""

import json
from pathlib import Path

import pytest
from omegaconf import DictConfig

from dsct_detrex.cli.evaluate import parse
from dsct_detrex.config import config_to_yaml
from dsct_detrex.engine.compose import compose
from dsct_detrex.engine.released import released_config
from dsct_detrex.errors import UserError
from dsct_detrex.structures import get_emotions
from dsct_detrex.weights import save_release
from tests.commands import evaluate
from tests.prediction.tiny_release import write_release


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_release(tmp_path_factory.mktemp("run") / "best.safetensors")


def test_evaluated_beside_itself(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--split", "test", "--device", "cpu", "dataloader.test.dataset.length=2", "dataloader.test.num_workers=0"]
    assert evaluate([str(release), *words, "dataloader.test.dataset.size=[64,48]"]) == 0, capsys.readouterr().err
    report = json.loads((release.parent / "evaluation_test.json").read_text())
    assert report["dataset"]["split"] == "test"
    assert report["counts"]["images"] == 2


def test_flags_change_the_config_inside(release: Path) -> None:
    cfg = compose(parse([str(release), "--split", "test", "--out", "elsewhere", "--device", "cpu"]))
    assert cfg.train.output_dir == "elsewhere"
    assert cfg.train.init_checkpoint == str(release)
    assert cfg.dataloader.test.dataset.split == "test"
    cfg = compose(parse([str(release), "--data", "emotic", "--data-root", "there"]))
    assert cfg.dataloader.test.dataset.root == "there"


def _released(path: Path, **changes: object) -> Path:
    """A release whose config has these entries; its weights are of no interest."""
    import torch

    block = {"_target_": "dsct_detrex.structures.get_emotions", "name": "caer_s"}
    test = {"_target_": "dsct_detrex.data.build_test_loader"}
    evaluator = {"_target_": "dsct_detrex.evaluation.EmotionEvaluator"}
    cfg = DictConfig(
        {
            "data": {"root": "theirs"},
            "train": {"output_dir": "runs/theirs"},
            "emotions": block,
            "model": {"_target_": "torch.nn.Identity"},
            "dataloader": {"test": test, "evaluator": evaluator},
        }
    )
    cfg.merge_with(changes)
    save_release(path, {"a": torch.zeros(1)}, get_emotions("caer_s"), config_to_yaml(cfg))
    return path


def test_folders_follow_the_keys_again(tmp_path: Path) -> None:
    dataset = {"_target_": "dsct_detrex.data.CaerSDataset", "root": "theirs", "split": "val"}
    changes = {"test": {"dataset": dataset}, "evaluator": {"output_dir": "/home/somebody"}}
    cfg = released_config(str(_released(tmp_path / "a.safetensors", dataloader=changes)))
    cfg.data.root, cfg.train.output_dir = "mine", "out"
    assert cfg.dataloader.test.dataset.root == "mine"
    assert cfg.dataloader.evaluator.output_dir == "out"


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "dsct_detrex.data.synthetic.write_dataset",
        "dsct_detrex.visualization.gallery.draw_gallery",
        "dsct_detrex.data.loader.torch.save",
        "dsct_detrex.evaluation.files.keep_older",
        "dsct_detrex.config.load_config",
        "subprocess.Popen",
    ],
)
def test_code_that_is_not_trusted(target: str, tmp_path: Path) -> None:
    path = _released(tmp_path / "a.safetensors", dataloader={"test": {"dataset": {"_target_": target}}})
    with pytest.raises(UserError, match="not on the list of trusted"):
        released_config(str(path))


def test_a_config_that_cannot_evaluate(tmp_path: Path) -> None:
    path = _released(tmp_path / "a.safetensors", dataloader={"evaluator": None})
    with pytest.raises(UserError, match=r"has no dataloader.evaluator: name the config to evaluate it with, --config"):
        released_config(str(path))


def test_live_hosts_are_trusted_where_they_were_asked_for(tmp_path: Path) -> None:
    path = _released(tmp_path / "a.safetensors", model={"_target_": "projects.detr.modeling.DETR"})
    with pytest.raises(UserError, match=r"a part of the user's own detrex. If that is wanted, say --hosts-from detrex"):
        released_config(str(path))
