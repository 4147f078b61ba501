"""Which number chooses the best checkpoint, on which split, and what is refused before the first step."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig

from dsct_detrex.cli.train import parse
from dsct_detrex.engine import run
from dsct_detrex.engine.choice import check_metric, check_split, settled_rule
from dsct_detrex.engine.compose import compose
from dsct_detrex.engine.settings import BestRule, EarlyStop, TrainSettings
from dsct_detrex.errors import UserError
from dsct_detrex.evaluation import EmotionEvaluator
from dsct_detrex.structures import CAER_S, EMOTIC, Emotions

Toy = Callable[..., DictConfig]
OURS = "dataloader.evaluator={_target_:dsct_detrex.evaluation.EmotionEvaluator,emotions:${emotions}}"


@pytest.mark.parametrize(
    ("metric", "emotions", "settled"),
    [
        (None, EMOTIC, "emotion/mAP"),
        (None, CAER_S, "emotion/acc"),
        ("auto", CAER_S, "emotion/acc"),
        (None, None, "emotion/mAP"),
        ("emotion/mAP", CAER_S, "emotion/mAP"),
        ("ema/bbox/recall50", EMOTIC, "ema/bbox/recall50"),
    ],
)
def test_the_data_sets_own_metric_unless_another_is_named(
    metric: str | None, emotions: Emotions | None, settled: str
) -> None:
    assert settled_rule(BestRule(metric, "min"), emotions) == BestRule(settled, "min")


@pytest.mark.parametrize(("data", "metric"), [("caer_s", None), ("emotic", None), ("synthetic", None)])
def test_no_data_set_has_a_metric_of_another(data: str, metric: str | None) -> None:
    root = Path(__file__).parents[2]
    for project in ("demo.py", "dino_dsct.py"):
        cfg = compose(parse(["--config", str(root / "projects" / project), "--data", data]))
        assert cfg.train.best.metric is metric


@pytest.mark.parametrize(
    ("metric", "emotions", "ema", "message"),
    [
        ("emotion/accuracy", CAER_S, False, "Got 'emotion/accuracy'. Did you mean `emotion/acc`?"),
        ("mAP", EMOTIC, False, "Got 'mAP'."),
        ("emotion/acc_any", CAER_S, False, "Got 'emotion/acc_any'."),
        ("strict/acc", EMOTIC, False, "Got 'strict/acc'."),
        ("emotion/AP-Happyness", CAER_S, False, "Did you mean `emotion/AP-Happy`?"),
        ("bbox/recal50", CAER_S, False, "Did you mean `bbox/recall50`?"),
        ("ema/emotion/mAp", EMOTIC, True, "Got 'ema/emotion/mAp'. Did you mean `emotion/mAP`"),
        ("ema/emotion/mAP", EMOTIC, False, "weight average, which is off: set train.model_ema.enabled=True, or"),
        ("emotion/acc", CAER_S, False, None),
        ("strict/acc", CAER_S, False, None),
        ("emotion/AP-Yearning", EMOTIC, False, None),
        ("ema/emotion/mAP_n5plus", EMOTIC, True, None),
    ],
)
def test_an_unknown_metric_is_refused(metric: str, emotions: Emotions, ema: bool, message: str | None) -> None:
    settings = TrainSettings.read({"model_ema": {"enabled": ema}})
    if message is None:
        check_metric(metric, EmotionEvaluator(emotions), settings)
        return
    with pytest.raises(UserError) as error:
        check_metric(metric, EmotionEvaluator(emotions), settings)
    assert message in str(error.value)
    assert "train.best.metric" in str(error.value)


@pytest.mark.parametrize("words", [{}, {"dry_run": True}])
def test_an_unknown_metric_is_found_before_the_first_step(toy: Toy, tmp_path: Path, words: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"train\.best\.metric expects a number of the evaluation \(emotion/mAP, "):
        run(toy(OURS, "train.best.metric=emotion/nothing"), quiet=True, **words)
    assert not (tmp_path / "run").exists()


def test_an_evaluator_of_another_kind_is_asked_at_the_first_evaluation(toy: Toy, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Got 'emotion/nothing'"):
        run(toy("train.best.metric=emotion/nothing"), quiet=True)
    assert (tmp_path / "run" / "last.pth").exists()


def test_the_best_is_kept_by_accuracy_where_that_is_the_metric(toy: Toy, tmp_path: Path) -> None:
    result = run(toy(OURS, "train.best.metric=null", "dataloader.test.split=val"), quiet=True)
    assert result.best is not None
    assert result.best["metric"] == "emotion/acc"
    assert (tmp_path / "run" / "best.safetensors").is_file()


@pytest.mark.parametrize("evaluator", [(), (OURS,)])
def test_the_test_split_chooses_nothing(
    toy: Toy, evaluator: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metric = "train.best.metric=null" if evaluator else "train.best.metric=emotion/mAP"
    result = run(toy(*evaluator, metric, "dataloader.test.split=test"))
    said = capsys.readouterr().out
    assert "note: no best.safetensors is kept, because the test split must not choose it; last.safetensors" in said
    assert "best emotion" not in said
    assert result.best is None
    assert not (tmp_path / "run" / "best.safetensors").exists()
    assert (tmp_path / "run" / "last.safetensors").exists()


def test_the_test_split_does_not_end_the_training(toy: Toy, tmp_path: Path) -> None:
    words = ("train.early_stop.patience=2", "dataloader.test.split=test")
    for dry_run in (True, False):
        with pytest.raises(UserError, match=r"train\.early_stop\.patience would let the test split decide") as error:
            run(toy(*words), quiet=True, dry_run=dry_run)
        assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()
    run(toy(words[0], "dataloader.test.split=val"), quiet=True)


def test_other_splits_may_choose() -> None:
    for split in (None, "val", "train", "minival"):
        assert check_split(split, EarlyStop(3)) == ""


def test_scenes_are_watched_on_val_and_the_sweeps_ask_for_test() -> None:
    root = Path(__file__).parents[2]
    cfg = compose(parse(["--config", str(root / "projects" / "dino_dsct.py")]))
    assert cfg.dataloader.test.dataset.split == "val"


@pytest.mark.parametrize("project", ["demo", "dino_dsct", "emo_net_r50"])
@pytest.mark.parametrize("data", ["synthetic", "emotic", "caer_s"])
def test_the_protocol_is_one_override_on_any_data_set(project: str, data: str) -> None:
    file = Path(__file__).parents[2] / "projects" / f"{project}.py"
    words = ["--config", str(file), "--data", data, "evaluation.protocol=strict"]
    assert compose(parse(words)).dataloader.evaluator.protocol == "strict"
