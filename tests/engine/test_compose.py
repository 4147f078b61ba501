"""File < --data < flags < overrides."""

from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf

from dsct_detrex.cli.train import parse
from dsct_detrex.engine.compose import compose
from dsct_detrex.errors import UserError


def _compose(config_file: Path, *words: str) -> DictConfig:
    return compose(parse(["-c", str(config_file), *words]))


def test_flags_set_their_keys(config_file: Path) -> None:
    cfg = _compose(config_file, "--epochs", "2", "--amp", "--wandb=offline", "--device", "cpu")
    assert cfg.train.max_epoch == 2
    assert cfg.train.amp.enabled is True
    assert cfg.train.wandb.enabled is True
    assert cfg.train.wandb.params.mode == "offline"
    assert cfg.train.device == "cpu"


def test_overrides_win_over_flags_and_that_is_said(config_file: Path) -> None:
    with pytest.warns(RuntimeWarning, match="--epochs 2 gives way to the override train.max_epoch=7"):
        cfg = _compose(config_file, "train.max_epoch=7", "--epochs", "2")
    assert cfg.train.max_epoch == 7


def test_num_gpus_zero_means_cpu(config_file: Path) -> None:
    assert _compose(config_file, "--num-gpus", "0", "train.device=auto").train.device == "auto"
    assert _compose(config_file, "--num-gpus", "0").train.device == "cpu"


def test_data_replaces_the_blocks_it_defines_and_keeps_the_rest(config_file: Path) -> None:
    cfg = _compose(config_file, "--data", "emotic", "--data-root", "somewhere", "emotions.name=caer_s")
    assert "EmoticDataset" in str(cfg.dataloader.train.dataset._target_)
    assert cfg.data.root == "somewhere"
    assert cfg.emotions.name == "caer_s"
    assert "ToyModel" in str(cfg.model._target_)


def test_data_root_without_data_set(config_file: Path) -> None:
    config_file.write_text(config_file.read_text() + "del data\n")
    with pytest.raises(UserError, match=r"--data-root sets data\.root, which this config does not have"):
        _compose(config_file, "--data-root", "x")


def test_unknown_names_are_errors(config_file: Path) -> None:
    with pytest.raises(
        UserError, match=r"--data expects one of .*synthetic.* Got 'synthetik'. Did you mean `synthetic`"
    ):
        _compose(config_file, "--data", "synthetik")
    with pytest.raises(UserError, match=r"unknown key `train.max_iters`. Did you mean `train.max_iter`"):
        _compose(config_file, "train.max_iters=3")
    with pytest.raises(UserError, match=r"nowhere.py is neither. Projects: "):
        compose(parse(["-c", "nowhere.py"]))


def test_a_file_without_train_is_no_config_of_a_run(tmp_path: Path) -> None:
    path = tmp_path / "data.py"
    path.write_text("data = dict(root=None)\n")
    with pytest.raises(UserError, match="defines no `train`"):
        compose(parse(["-c", str(path)]))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("\nimport no_such_module", r"line 2: ModuleNotFoundError: No module named 'no_such_module'"),
        ("train = undefined", r"line 1: NameError: name 'undefined'"),
        ("from dsct_detrex.config import get_config\nm = get_config('common/base.py').modle", r"line 2: .*key modle"),
    ],
)
def test_what_a_config_file_fails_at_is_told_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(UserError, match=rf"--config .*mine\.py, {sentence}") as refused:
        compose(parse(["--config", str(path)]))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("host", "owner"), [("dino", "dino"), ("anchor_detr", "anchor_detr.transformer")])
def test_class_heads_are_made_for_the_things_that_are_annotated(host: str, owner: str) -> None:
    for words, number in (((), 80), (("data.objects=True",), 44)):
        cfg = compose(parse(["-c", f"{host}_dsct", *words]))
        assert OmegaConf.select(cfg, f"hosts.{owner}.num_classes") == number
        assert OmegaConf.select(cfg, f"model.host{owner.removeprefix(host)}.num_classes") == number
        classes = cfg.data.object_classes
        assert classes is None if number == 80 else len(classes.names) == number
