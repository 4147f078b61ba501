"""JSON lines, CSV and TensorBoard."""

import csv
import json
import sys
from pathlib import Path

import pytest

from dsct_detrex.engine.loggers import CsvLogger, JsonlLogger, Record, TensorboardLogger
from dsct_detrex.errors import UserError


def test_csv_grows_columns(tmp_path: Path) -> None:
    logger = CsvLogger(tmp_path / "metrics.csv")
    logger.log(Record(1, {"total_loss": 2.0}))
    logger.log(Record(2, {"total_loss": 1.0, "emotion/mAP": 0.5}))
    logger.log(Record(3, {"total_loss": 0.1 + 0.2}))
    rows = list(csv.DictReader((tmp_path / "metrics.csv").open()))
    assert [row["iteration"] for row in rows] == ["1", "2", "3"]
    assert [row["emotion/mAP"] for row in rows] == ["", "0.5", ""]
    assert float(rows[2]["total_loss"]) == 0.1 + 0.2
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.csv"]


def test_csv_continues_with_the_columns_it_has(tmp_path: Path) -> None:
    first = CsvLogger(tmp_path / "metrics.csv")
    for number in (1, 2, 3):
        first.log(Record(number, {"a": number, "b": 1.0}))
    second = CsvLogger(tmp_path / "metrics.csv", resumed_at=2)
    second.log(Record(3, {"b": 5.0, "c": 7.0}))
    assert (tmp_path / "metrics.csv").read_text().split() == [
        "iteration,a,b,c",
        "1,1.0,1.0,",
        "2,2.0,1.0,",
        "3,,5.0,7.0",
    ]


def test_jsonl_survives_a_line_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"iteration": 1, "a": 1.0}\n{"iteration": 2, "a": 2.0}\n{"iteration": 3, "a')
    logger = JsonlLogger(path, resumed_at=2)
    logger.log(Record(3, {"a": float("nan"), "b": 0.5}))
    logger.close(failed=False)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert rows == [{"iteration": 1, "a": 1.0}, {"iteration": 2, "a": 2.0}, {"iteration": 3, "a": None, "b": 0.5}]


def test_tensorboard_reads_back(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logger = TensorboardLogger(tmp_path)
    logger.log(Record(10, {"total_loss": 2.0}))
    logger.log(Record(20, {"total_loss": 1.0, "emotion/mAP": 0.5}))
    logger.close(failed=False)
    events = EventAccumulator(str(tmp_path)).Reload()
    assert [(e.step, e.value) for e in events.Scalars("total_loss")] == [(10, 2.0), (20, 1.0)]
    assert [(e.step, e.value) for e in events.Scalars("emotion/mAP")] == [(20, 0.5)]


def test_missing_packages_name_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dsct_detrex.engine.loggers import WandbLogger

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UserError, match=r'pip install "dsct-detrex\[tensorboard\]"'):
        TensorboardLogger(tmp_path)
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UserError, match=r'pip install "dsct-detrex\[wandb\]"'):
        WandbLogger({}, tmp_path, {})
