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


CSV = "iteration,total_loss\n1,2.0\n2,1.5\n"
JSONL = '{"iteration": 1, "total_loss": 2.0}\n{"iteration": 2, "total_loss": 1.5}\n'


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("metrics.csv", CSV.replace(",", ";"), 1),
        ("metrics.csv", "\ufeff" + CSV, 1),  # both as a spreadsheet saves
        ("metrics.csv", CSV.replace("1,2.0", "1,2,0"), 2),
        ("metrics.csv", CSV.replace("2,1.5", "2"), 3),
        ("metrics.csv", CSV.replace("2,1.5", "2 000,1.5"), 3),
        ("metrics.csv", CSV.replace("2,1.5", "\0\0\0"), 3),
        ("metrics.csv", CSV + "<<<<<<< HEAD\n", 4),
        ("metrics.csv", "\n" + CSV.partition("\n")[2], 1),
        ("metrics.jsonl", "\ufeff" + JSONL, 1),
        ("metrics.jsonl", JSONL.replace("{", "[", 1), 1),
        ("metrics.jsonl", JSONL + "5\n", 3),
        ("metrics.jsonl", JSONL + "\0\0\n", 3),
        ("metrics.jsonl", JSONL + '{"iteration": null}\n', 3),
        ("metrics.jsonl", JSONL.replace("iteration", "step"), 1),
    ],
)
def test_a_run_does_not_go_on_with_a_file_that_something_else_wrote(
    name: str, content: str, line: int, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    make = {"metrics.csv": CsvLogger, "metrics.jsonl": JsonlLogger}[name]
    with pytest.raises(UserError, match=rf"{name}, line {line}: expected .*move it away and --resume"):
        make(path, resumed_at=2)
    assert path.read_text(encoding="utf-8") == content
    path.unlink()
    make(path, resumed_at=2).close(failed=False)  # as the sentence says


@pytest.mark.parametrize("name", ["metrics.csv", "metrics.jsonl"])
def test_bytes_that_are_no_text_are_named(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes((CSV if name.endswith("csv") else JSONL).encode() + b"3,\xff\xfe\n")
    with pytest.raises(UserError, match=rf"{name}, line \d: expected UTF-8 text"):
        {"metrics.csv": CsvLogger, "metrics.jsonl": JsonlLogger}[name](path, resumed_at=2)


def test_a_second_writer_is_noticed_when_a_column_is_added(tmp_path: Path) -> None:
    logger = CsvLogger(tmp_path / "metrics.csv")
    logger.log(Record(1, {"total_loss": 2.0}))
    with (tmp_path / "metrics.csv").open("a") as file:
        file.write("1,2.0,3.0\n")
    with pytest.raises(UserError, match=r"metrics\.csv, line 3: expected an iteration and 1 numbers"):
        logger.log(Record(2, {"emotion/mAP": 0.5}))


def test_tensorboard_reads_back(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logger = TensorboardLogger(tmp_path)
    logger.log(Record(10, {"total_loss": 2.0}))
    logger.log(Record(20, {"total_loss": 1.0, "emotion/mAP": 0.5}))
    logger.close(failed=False)
    events = EventAccumulator(str(tmp_path)).Reload()
    assert [(e.step, e.value) for e in events.Scalars("total_loss")] == [(10, 2.0), (20, 1.0)]
    assert [(e.step, e.value) for e in events.Scalars("emotion/mAP")] == [(20, 0.5)]


def test_missing_packages_name_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dsct_detrex.engine.loggers import WandbLogger

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UserError, match=r"pip install tensorboard\."):
        TensorboardLogger(tmp_path)
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UserError, match=r"pip install wandb\b"):
        WandbLogger({}, tmp_path, {})
