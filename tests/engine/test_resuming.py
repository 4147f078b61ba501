"""``--resume`` with other settings: they take effect from the next iteration on and are told, or refused by name."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from omegaconf import DictConfig, OmegaConf

from dsct_detrex.engine import run
from dsct_detrex.errors import UserError

Toy = Callable[..., DictConfig]
RULES = "lr_factor_func={_target_: dsct_detrex.config.LrFactors, rules: {logits: 0.1}}"


def _resume(toy: Toy, *changes: str, first: tuple[str, ...] = ()) -> None:
    run(toy("train.max_iter=4", *first), quiet=True)
    run(toy("train.max_iter=6", *first, *changes), resume=True)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("optimizer.lr=0.5", "optimizer.lr 0.01 -> 0.5 from iteration 5 on"),
        ("optimizer.weight_decay=0.5", "optimizer.weight_decay 0.0001 -> 0.5 from iteration 5 on"),
        ("+optimizer.betas=[0.5,0.9]", "optimizer.betas absent -> [0.5, 0.9] from iteration 5 on"),
        ("+optimizer.params.weight_decay_bias=0", "optimizer.params.weight_decay_bias absent -> 0"),
        ("lr_multiplier.value=0.5", "lr_multiplier.value 1.0 -> 0.5"),
        ("model.dropout=0.3", "model.dropout 0.1 -> 0.3"),
        ("train.accumulate=2", "train.accumulate 1 -> 2"),
        ("dataloader.train.total_batch_size=2", "dataloader.train.total_batch_size 4 -> 2"),
        ("train.clip_grad.params.max_norm=9.0", "train.clip_grad.params.max_norm 1.0 -> 9.0"),
        ("train.amp={enabled: true, dtype: float16}", "train.amp.enabled False -> True"),
        ("train.best.mode=min", "train.best.mode max -> min from iteration 5 on: the best so far is looked for anew"),
        ("train.model_ema.enabled=true", "train.model_ema.enabled False -> True"),
    ],
)
def test_a_changed_setting_is_used_and_told(
    toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str, told: str
) -> None:
    _resume(toy, change)
    assert f"note: {told}" in capsys.readouterr().out
    saved = torch.load(tmp_path / "run" / "last.pth", weights_only=True)
    config = OmegaConf.load(tmp_path / "run" / "config.yaml")
    for group in saved["optimizer"]["param_groups"]:
        for name in ("weight_decay", "betas"):
            if name in config.optimizer and name not in {"weight_decay"} & set(config.optimizer.params):
                wanted = config.optimizer[name]
                assert list(group[name]) == list(wanted) if name == "betas" else group[name] in (wanted, 0)
    assert OmegaConf.load(tmp_path / "run" / "config_until_4.yaml").train.max_iter == 4


def test_other_groups_keep_the_state_of_each_weight(toy: Toy, tmp_path: Path) -> None:
    run(toy("train.max_iter=4"), quiet=True)
    before = torch.load(tmp_path / "run" / "last.pth", weights_only=True)
    run(toy("train.max_iter=4", f"+optimizer.params.{RULES}"), resume=True, quiet=True)
    run(toy("train.max_iter=5", f"+optimizer.params.{RULES}"), resume=True, quiet=True)
    after = torch.load(tmp_path / "run" / "last.pth", weights_only=True)
    assert (len(before["optimizer"]["param_groups"]), len(after["optimizer"]["param_groups"])) == (1, 2)
    assert {float(state["step"]) for state in after["optimizer"]["state"].values()} == {5.0}
    rates = {
        tuple(names): group["lr"] for names, group in zip(after["optimizer_names"], after["optimizer"]["param_groups"])
    }
    assert [rate for names, rate in rates.items() if "logits.weight" in names] == [pytest.approx(0.001)]


@pytest.mark.parametrize(
    ("first", "change", "telling"),
    [
        ((), "train.seed=4", "train.seed was 3 .* and is 4 now: the random states of that run continue"),
        ((), "optimizer._target_=torch.optim.SGD", "the state of one optimizer means nothing to another"),
        ((), "+optimizer.amsgrad=true", "optimizer.amsgrad was absent .* needs a state"),
        ((), "emotions.name=emotic", "emotions.name was caer_s .* and is emotic now"),
        ((), "model.hidden=9", r"checkpoint of another model.*Changed since: model.hidden 8 -> 9"),
        (("train.max_epoch=5",), "train.accumulate=2", "the epochs done so far would be counted anew"),
        (("train.max_epoch=5",), "dataloader.train.total_batch_size=2", "the epochs done so far"),
    ],
)
def test_what_cannot_change_is_refused_by_name(
    toy: Toy, tmp_path: Path, first: tuple[str, ...], change: str, telling: str
) -> None:
    run(toy("train.max_iter=4", *first), quiet=True)
    kept = (tmp_path / "run" / "config.yaml").read_text()
    with pytest.raises(UserError, match=telling):
        run(toy("train.max_iter=6", *first, change), resume=True, quiet=True)
    assert (tmp_path / "run" / "config.yaml").read_text() == kept


def test_a_drawn_seed_is_kept(toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _resume(toy, first=("train.seed=-1",))
    first, second = (OmegaConf.load(tmp_path / "run" / name) for name in ("config_until_4.yaml", "config.yaml"))
    assert first.train.seed == second.train.seed
    assert "train.seed" not in capsys.readouterr().out


def test_nothing_is_told_where_nothing_changed(toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(toy("train.max_iter=4"), quiet=True)
    run(toy("train.max_iter=4", f"train.output_dir={tmp_path / 'run'}"), resume=True)
    assert "note:" not in capsys.readouterr().out
    assert not list((tmp_path / "run").glob("config_until_*"))


def test_checkpoints_of_before_are_continued(toy: Toy, tmp_path: Path) -> None:
    run(toy("train.max_iter=4"), quiet=True)
    path = tmp_path / "run" / "last.pth"
    content = torch.load(path, weights_only=True)
    torch.save({key: value for key, value in content.items() if key not in ("config", "optimizer_names")}, path)
    result = run(toy("train.max_iter=6", "optimizer.weight_decay=0.5"), resume=True, quiet=True)
    assert result.iteration == 6
    groups = torch.load(path, weights_only=True)["optimizer"]["param_groups"]
    assert {group["weight_decay"] for group in groups} == {0.5}
