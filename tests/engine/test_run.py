"""Whole runs: what they leave behind, and how they end."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from engine_runs import read_jsonl
from omegaconf import DictConfig

from dsct_detrex.config import instantiate, load_config
from dsct_detrex.engine import run
from dsct_detrex.engine.step import TrainStep
from dsct_detrex.errors import UserError
from dsct_detrex.weights import load_release

Toy = Callable[..., DictConfig]


def test_what_a_run_leaves_behind(toy: Toy, tmp_path: Path) -> None:
    cfg = toy("train.model_ema.enabled=true")
    before = str(cfg)
    result = run(cfg, quiet=True)
    assert str(cfg) == before, "the caller's config must stay as it was"
    folder = tmp_path / "run"
    assert sorted(path.name for path in folder.iterdir()) == [
        "best.md", "best.safetensors", "config.yaml", "environment.json", "evaluation.json", "evaluation_ema.json",
        "last.md", "last.prev.pth", "last.pth", "last.safetensors", "last_ema.md", "last_ema.safetensors", "log.txt",
        "metrics.csv", "metrics.jsonl", "model_0000005.md", "model_0000005.safetensors", "model_0000010.md",
        "model_0000010.safetensors", "summary.json",
    ]  # fmt: skip
    assert result.iteration == 10
    assert result.seconds > 0
    assert result.output_dir == folder
    assert {"total_loss", "emotion/mAP", "ema/emotion/mAP", "lr", "epoch"} <= result.metrics.keys()
    assert json.loads((folder / "evaluation.json").read_text())["images"] == 14
    environment = json.loads((folder / "environment.json").read_text())
    assert environment["packages"]["torch"] == torch.__version__
    assert environment["seed"] == 3


def test_logged_names_are_those_of_detectron2(toy: Toy, tmp_path: Path) -> None:
    run(toy("train.clip_grad.enabled=false"), quiet=True)
    rows = read_jsonl(tmp_path / "run" / "metrics.jsonl")
    assert [row["iteration"] for row in rows] == [2, 4, 5, 6, 8, 10]
    losses = {"loss_class", "loss_class_0", "loss_bbox", "total_loss"}
    expected = losses | {"lr", "time", "data_time", "eta_seconds", "grad_norm", "epoch", "mem_mb", "iteration"}
    assert rows[0].keys() == expected
    assert rows[0]["total_loss"] == pytest.approx(sum(rows[0][name] for name in losses - {"total_loss"}))
    assert rows[0]["epoch"] == pytest.approx(0.4)
    assert rows[2].keys() == {
        "iteration",
        "epoch",
        "emotion/mAP",
        "emotion/AP-Anger",
        "emotion/AP-Fear",
        "bbox/recall50",
    }
    assert rows[-1].keys() == expected | rows[2].keys(), "log, evaluation and end of one iteration are one record"
    assert rows[-1]["eta_seconds"] == 0


def test_learning_rate_follows_the_schedule(toy: Toy, tmp_path: Path) -> None:
    steps = "lr_multiplier={_target_:dsct_detrex.config.MultiStepParamScheduler,values:[1.0,0.1],milestones:[6,10]}"
    run(toy(steps, "train.log_period=1"), quiet=True)
    rates = [row["lr"] for row in read_jsonl(tmp_path / "run" / "metrics.jsonl")]
    assert rates == pytest.approx([0.01] * 6 + [0.001] * 4)


def test_it_learns(toy: Toy, tmp_path: Path) -> None:
    easy = ("dataloader.train.total_batch_size=28", "dataloader.train.noisy=false", "model.dropout=0.0")
    result = run(toy("train.max_epoch=20", "train.eval_period=0", "optimizer.lr=0.1", *easy), quiet=True)
    assert result.iteration == 100
    rows = [row["loss_class"] for row in read_jsonl(tmp_path / "run" / "metrics.jsonl") if "loss_class" in row]
    assert sum(rows[-5:]) < 0.6 * sum(rows[:5])
    assert result.best is not None
    assert result.best["value"] > 2 / 7


def test_average_does_not_take_the_place_of_the_weights(toy: Toy, tmp_path: Path) -> None:
    plain = run(toy(f"train.output_dir={tmp_path / 'plain'}"), quiet=True)
    averaged = run(toy("train.model_ema={enabled:true,decay:0.5}"), quiet=True)
    assert averaged.metrics["emotion/mAP"] == plain.metrics["emotion/mAP"]
    weights = load_release(tmp_path / "run" / "last.safetensors").state_dict
    average = load_release(tmp_path / "run" / "last_ema.safetensors").state_dict
    for name, value in load_release(tmp_path / "plain" / "last.safetensors").state_dict.items():
        assert torch.equal(weights[name], value)
    assert not torch.equal(weights["logits.weight"], average["logits.weight"])


def test_average_follows_every_step(toy: Toy, tmp_path: Path) -> None:
    """Two steps: average_2 = decay * average_1 + (1 - decay) * weights_2."""
    saved = []
    for steps in (1, 2):
        folder = tmp_path / str(steps)
        changes = ("train.model_ema={enabled:true,decay:0.75}", f"train.max_iter={steps}", f"train.output_dir={folder}")
        run(toy(*changes), quiet=True)
        saved.append(torch.load(folder / "last.pth", weights_only=True))
    for name in ("logits.weight", "hidden.0.bias"):
        expected = 0.75 * saved[0]["ema"][name] + 0.25 * saved[1]["model"][name]
        torch.testing.assert_close(saved[1]["ema"][name], expected)


def test_release_holds_labels_thresholds_and_config(toy: Toy, tmp_path: Path) -> None:
    run(toy(), quiet=True)
    best = load_release(tmp_path / "run" / "best.safetensors")
    assert best.emotions.name == "caer_s"
    assert best.thresholds == pytest.approx([0.1 * k for k in range(1, 8)])  # chosen by the evaluation
    assert best.provenance.metrics["emotion/mAP"] >= 0
    assert load_release(tmp_path / "run" / "last.safetensors").thresholds == (0.5,) * 7
    config = tmp_path / "best.yaml"
    config.write_text(best.config)
    model = instantiate(load_config(config).model)
    model.load_state_dict(best.state_dict)


def test_saved_config_runs_again(toy: Toy, tmp_path: Path) -> None:
    first = run(toy("train.seed=-1"), quiet=True)
    cfg = load_config(tmp_path / "run" / "config.yaml")
    assert cfg.train.seed >= 0, "the seed drawn is written down"
    assert cfg.train.device == "cpu"
    cfg.train.output_dir = str(tmp_path / "again")
    again = run(cfg, quiet=True)
    assert again.metrics["total_loss"] == first.metrics["total_loss"]


def test_numbered_releases_are_limited(toy: Toy, tmp_path: Path) -> None:
    run(toy("train.checkpointer={period:2,max_to_keep:2}"), quiet=True)
    names = sorted(path.name for path in (tmp_path / "run").glob("model_*.safetensors"))
    assert {path.stem for path in (tmp_path / "run").glob("model_*.md")} == {"model_0000008", "model_0000010"}
    assert names == ["model_0000008.safetensors", "model_0000010.safetensors"]


def test_best_is_that_of_the_best_evaluation(toy: Toy, tmp_path: Path) -> None:
    falling = run(toy("dataloader.evaluator.worse=1.0"), quiet=True)
    assert falling.best is not None
    assert falling.best["iteration"] == 5
    best, early = (load_release(tmp_path / "run" / f"{n}.safetensors").state_dict for n in ("best", "model_0000005"))
    assert all(torch.equal(best[name], early[name]) for name in best)
    lowest = run(toy("dataloader.evaluator.worse=1.0", "train.best.mode=min"), quiet=True)
    assert lowest.best is not None
    assert lowest.best["iteration"] == 10


def test_best_of_the_average_holds_the_average(toy: Toy, tmp_path: Path) -> None:
    changes = ("train.model_ema={enabled:true,decay:0.5}", "train.best.metric=ema/emotion/mAP", "train.max_iter=5")
    run(toy(*changes), quiet=True)
    best, average = (load_release(tmp_path / "run" / f"{n}.safetensors").state_dict for n in ("best", "last_ema"))
    assert all(torch.equal(best[name], average[name]) for name in best)


def test_unknown_best_metric_lists_the_known_ones_and_loses_nothing(toy: Toy, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"train.best.metric expects .*bbox/recall50, emotion/mAP.* Got 'emotion/acc'"):
        run(toy("train.best.metric=emotion/acc"), quiet=True)
    assert torch.load(tmp_path / "run" / "last.pth", weights_only=True)["iteration"] == 5
    assert run(toy(), resume=True, quiet=True).best is not None


def test_broken_evaluator_loses_no_training(toy: Toy, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the evaluator is broken"):
        run(toy("dataloader.evaluator.fail=true", "train.checkpointer.period=10"), quiet=True)
    assert torch.load(tmp_path / "run" / "last.pth", weights_only=True)["iteration"] == 5


def test_early_stop(toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    changes = (
        "train.early_stop.patience=2",
        "dataloader.evaluator.worse=1.0",
        "train.eval_period=2",
        "train.max_iter=100",
    )
    result = run(toy(*changes))
    assert result.iteration == 6
    assert "stopped early after iteration 6: 2 evaluations in a row" in capsys.readouterr().out


def test_a_loss_that_is_not_finite(toy: Toy, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        run(toy("dataloader.train.poison=6"), quiet=True)
    message = str(caught.value)
    assert "loss_class is nan in iteration 7, on image_24.jpg, image_25.jpg, image_26.jpg, image_27.jpg" in message
    assert f"The last good checkpoint is {tmp_path / 'run' / 'last.pth'} (iteration 5)" in message
    dump = json.loads((tmp_path / "run" / "non_finite.json").read_text())
    assert dump["iteration"] == 7
    assert dump["images"][0] == "image_24.jpg"
    assert dump["losses"]["loss_class"] == "nan"
    weights = torch.load(tmp_path / "run" / "last.pth", weights_only=True)["model"]
    assert all(torch.isfinite(value).all() for value in weights.values())


@pytest.mark.parametrize(
    ("clips", "advice"),
    [(True, "or train.clip_grad.params.max_norm."), (False, "or set train.clip_grad.enabled=True.")],
)
def test_only_what_is_not_done_already_is_advised(toy: Toy, clips: bool, advice: str) -> None:
    with pytest.raises(UserError) as caught:
        run(toy("dataloader.train.poison=2", f"train.clip_grad.enabled={clips}"), quiet=True)
    assert str(caught.value).endswith(advice)


def test_accumulated_poison_names_its_own_batch(toy: Toy) -> None:
    with pytest.raises(UserError, match=r"in iteration 4, on image_28.jpg, image_29.jpg"):
        run(toy("dataloader.train.poison=7", "train.accumulate=2"), quiet=True)


def test_a_loader_that_ends(toy: Toy) -> None:
    cfg = toy()
    cfg.dataloader.train = {"_target_": "engine_toys.ToyTestLoader"}
    with pytest.raises(UserError, match=r"The training loader ended in iteration 8. dataloader.train must be endless."):
        run(cfg, quiet=True)


def test_fast_dev_run(toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    warm = "lr_multiplier={_target_:dsct_detrex.config.LinearParamScheduler,start_value:0.0,end_value:1.0}"
    result = run(toy("train.fast_dev_run={enabled:true,overrides:['model.hidden=4']}", "train.max_epoch=50", warm))
    assert result.iteration == 4
    rows = read_jsonl(tmp_path / "run" / "metrics.jsonl")
    assert [row["iteration"] for row in rows] == [1, 2, 3, 4]
    assert [row["lr"] for row in rows] == [0.01] * 4, "no warm-up, no schedule"
    assert "emotion/mAP" in rows[-1]
    assert json.loads((tmp_path / "run" / "evaluation.json").read_text())["images"] == 4
    saved = load_config(tmp_path / "run" / "config.yaml")
    assert saved.dataloader.train.total_batch_size == 2
    assert saved.model.hidden == 4
    assert result.best is None, "four steps are no real evaluation"
    assert capsys.readouterr().out.count("total_loss") == 4
    assert not list((tmp_path / "run").glob("*.pth")), "nothing to go on from"
    assert [path.name for path in (tmp_path / "run").glob("*.safetensors")] == ["last.safetensors"]
    assert (
        "run of four steps (train.fast_dev_run)" in load_release(tmp_path / "run" / "last.safetensors").provenance.note
    )
    with pytest.raises(UserError, match=r"--resume with train\.fast_dev_run\.enabled=True: .* leaves nothing to go on"):
        run(toy("train.fast_dev_run.enabled=true"), resume=True, quiet=True)


def test_dry_run_prints_the_plan_and_writes_nothing(
    toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(toy("train.max_epoch=4"), dry_run=True)
    said = capsys.readouterr().out
    assert "steps        20 = 4 epochs of 5" in said
    assert "lr groups    lr 0.01, weight decay 0.0001: 8 tensors, 264 weights" in said
    assert result.iteration == 0
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("dry_run", [True, False])
def test_boxes_of_training_and_evaluation_are_compared_before_anything_is_written(
    dry_run: bool, toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(train: object, test: object) -> None:
        raise UserError("two kinds of boxes")

    monkeypatch.setattr("dsct_detrex.engine.parts.check_same_boxes", refuse)
    with pytest.raises(UserError, match="two kinds of boxes"):
        run(toy(), dry_run=dry_run, quiet=True)
    assert not (tmp_path / "run").exists()


def test_evaluation_of_a_release_and_of_a_checkpoint(toy: Toy, tmp_path: Path) -> None:
    trained = run(toy("train.model_ema={enabled:true,decay:0.5}"), quiet=True)
    metrics = (tmp_path / "run" / "metrics.jsonl").read_bytes()
    for name in ("last.safetensors", "last.pth"):
        result = run(toy(f"train.init_checkpoint={tmp_path / 'run' / name}"), eval_only=True, quiet=True)
        assert result.metrics["emotion/mAP"] == trained.metrics["emotion/mAP"]
        assert result.iteration == 0
    assert (tmp_path / "run" / "metrics.jsonl").read_bytes() == metrics


def test_average_of_a_checkpoint_is_evaluated_on_request(
    toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ema = "train.model_ema={enabled:true,decay:0.5,use_ema_weights_for_eval_only:true}"
    trained = run(toy(ema), quiet=True)
    result = run(toy(ema, f"train.init_checkpoint={tmp_path / 'run' / 'last.pth'}"), eval_only=True)
    assert result.metrics["emotion/mAP"] == trained.metrics["ema/emotion/mAP"]
    assert "the weight average of this checkpoint is used" in capsys.readouterr().out


def test_evaluation_needs_weights(toy: Toy) -> None:
    with pytest.raises(UserError, match=r"--eval-only evaluates the weights of train\.init_checkpoint, which is empty"):
        run(toy(), eval_only=True, quiet=True)


def test_start_from_weights_that_fit_in_part(toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(toy(), quiet=True)
    release = tmp_path / "run" / "last.safetensors"
    changes = (f"train.output_dir={tmp_path / 'next'}", f"train.init_checkpoint={release}", "model.spare=true")
    run(toy(*changes))
    said = capsys.readouterr().out
    assert f"weights      {release}\n             a release: 11 of 13 tensors loaded\n" in said
    assert (
        "note: 2 weights are not in last.safetensors, or of another shape, and start afresh: spare.weight, spare"
        in said
    )
    assert "missing            2  spare.weight, spare.bias" in (tmp_path / "next" / "log.txt").read_text()
    assert "note: the first step gave no gradient to 2 trainable weights: spare.weight, spare.bias." in said


def test_evaluating_a_partly_random_model_is_announced(
    toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(toy(), quiet=True)
    checkpoint = f"train.init_checkpoint={tmp_path / 'run' / 'last.pth'}"
    run(toy("model.spare=true", checkpoint), eval_only=True)
    assert "WARNING: 2 weights are not in the file and stay random" in capsys.readouterr().out


def test_a_config_without_evaluation_or_emotions_trains(
    toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(toy("~dataloader.evaluator", "~emotions"))
    said = capsys.readouterr().out
    assert "note: nothing is evaluated, because the config has no dataloader.evaluator." in said
    assert "note: no *.safetensors is written, because the config has no `emotions`." in said
    assert result.iteration == 10
    assert not list((tmp_path / "run").glob("*.safetensors"))


def test_a_config_that_cannot_be_saved_trains(toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cfg = toy()
    cfg.optimizer.params.lr_factor_func = lambda name: 0.1 if "boxes" in name else 1.0
    run(cfg)
    said = capsys.readouterr().out
    assert (
        "note: config.yaml is not written; config_to_read.yaml has what can be written. save_config: `optimizer" in said
    )
    to_read = " ".join((tmp_path / "run" / "config_to_read.yaml").read_text().split())
    assert "cannot be loaded again: save_config: `optimizer.params.lr_factor_func` is a lambda" in to_read
    assert "max_iter: 10" in to_read
    assert "schedule     lr 0.01 and 0.001, no warm-up, no drops\n" in said
    assert "lr 0.001, weight decay 0.0001: 2 tensors" in (tmp_path / "run" / "log.txt").read_text()
    assert (tmp_path / "run" / "last.pth").exists()


def test_a_dry_run_says_what_cannot_be_saved(toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cfg = toy()
    cfg.optimizer.params.lr_factor_func = lambda name: 1.0
    run(cfg, dry_run=True)
    said = capsys.readouterr().out
    assert "note: no *.safetensors is written. save_config: `optimizer.params.lr_factor_func` is a lambda" in said
    assert "note: no config.yaml will be written that loads again." in said
    assert not (tmp_path / "run").exists()


def test_missing_top_level_names(toy: Toy) -> None:
    with pytest.raises(UserError, match=r"This one lacks model, lr_multiplier; it has train, emotions"):
        run(toy("~model", "~lr_multiplier"), quiet=True)


def test_wrong_thresholds_are_found_before_training(toy: Toy, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"train.thresholds expects 7 numbers"):
        run(toy("train.thresholds=[0.5,0.4]"), quiet=True)
    assert not (tmp_path / "run" / "metrics.jsonl").exists() or not read_jsonl(tmp_path / "run" / "metrics.jsonl")


def test_unwritable_folder(toy: Toy, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(UserError, match=r"train.output_dir=.*run cannot be written"):
        run(toy(), quiet=True)


@pytest.mark.parametrize("device", ["cuda", "tpu"])
def test_devices_that_are_not_there(toy: Toy, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(
        UserError, match="use --device cpu" if device == "cuda" else "expects one of auto, cpu, cuda, mps"
    ):
        run(toy(f"train.device={device}"), quiet=True)


def test_nan_of_a_class_is_null_in_json_and_never_best(toy: Toy, tmp_path: Path) -> None:
    result = run(toy("train.best.metric=emotion/AP-Fear"), quiet=True)
    assert result.best is None
    assert read_jsonl(tmp_path / "run" / "metrics.jsonl")[2]["emotion/AP-Fear"] is None
    assert math.isnan(result.metrics["emotion/AP-Fear"])


def test_a_cost_that_is_not_finite_names_the_images(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The matcher meets NaN before there is a loss; the user reads the same sentence as for a loss."""

    def fail(self: TrainStep, batch: object, last: bool) -> None:
        raise FloatingPointError("HungarianMatcher got costs that are not finite")

    monkeypatch.setattr(TrainStep, "backward", fail)
    with pytest.raises(UserError, match=r"Training stopped: matching cost is nan in iteration 1, on image_\d+.jpg"):
        run(toy(), quiet=True)
    assert (tmp_path / "run" / "non_finite.json").is_file()


def test_an_average_kept_nowhere_is_one_sentence(toy: Toy) -> None:
    with pytest.raises(UserError, match=r"train\.model_ema\.device expects a device, such as cpu or cuda\. Got 'gpu'"):
        run(toy("train.model_ema={enabled:true,device:gpu}"), dry_run=True, quiet=True)


def test_an_average_that_is_not_there_is_announced(
    toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(toy("train.max_iter=2"), quiet=True)
    start = f"train.init_checkpoint={tmp_path / 'run' / 'last.pth'}"
    run(toy(start, "train.model_ema.use_ema_weights_for_eval_only=true"), eval_only=True)
    assert "use_ema_weights_for_eval_only has no effect: no average stands beside" in capsys.readouterr().out
