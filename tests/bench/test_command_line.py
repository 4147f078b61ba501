"""``dsct bench``: every suite for real at tiny sizes, what it writes, and mistakes in one sentence."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import DictConfig

from dsct_detrex.bench import command_line, models
from dsct_detrex.bench.floor import Rates
from dsct_detrex.bench.suites import data, growth, waiting
from dsct_detrex.names import suites
from tests.commands import bench
from tests.dsct.tiny import shrink

TINY = ["--quick", "--sizes", "64x64", "--hosts", "detr", "--repeats", "1", "--threads", "1"]

AXES = ("people", "contexts", "subjects", "megapixels")

ROW = {
    "candidate", "note", "samples", "calls", "median", "low", "high", "times", "difference", "operations", "traffic",
    "floor", "of_floor", "memory", "per_second", "x", "facts", "error",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Rates of a machine that needs no measuring, and hosts with small numbers, few points; everything else is real."""
    full = models.config_of

    def small(host: str, *changes: str) -> DictConfig:
        cfg = full(host, *changes)
        shrink(cfg.hosts[host])
        return cfg

    for name, points in (("PEOPLE", (1, 2)), ("CONTEXTS", (5, 9)), ("SUBJECTS", (1, 3)), ("SIDES", (1.0, 1.5))):
        monkeypatch.setattr(growth, name, points)
    monkeypatch.setattr(data, "WORKERS", (0, 1))
    monkeypatch.setattr(waiting, "WORKERS", (1,))
    monkeypatch.setattr(command_line, "measure_rates", lambda device: Rates(1e11, ((2**20, 1e10),)))
    monkeypatch.setattr(models, "config_of", small)
    models._prototype.cache_clear()
    yield
    models._prototype.cache_clear()


def record_of(folder: Path, suite: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((folder / f"{suite}.json").read_text())
    return record


NO_SAY = {"fusion": "--hosts and --sizes", "waiting": "--hosts and --sizes", "operator": "--hosts", "data": "--hosts"}


@pytest.mark.parametrize("suite", suites())
def test_every_suite_runs(suite: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = bench([suite, *TINY, "--out", str(tmp_path)])
    record = record_of(tmp_path, suite)
    assert {"suite", "title", "command", "date", "machine", "rates", "cases", "stopped", "schema"} == set(record)
    assert record["stopped"] is False
    assert record["schema"] == 1
    assert str(tmp_path) not in record["command"], "no folder of this machine"
    rows = [row for case in record["cases"] for row in case["rows"]]
    for row in rows:
        assert set(row) == ROW
        assert len(row["samples"]) == 1
        assert row["low"] <= row["median"] <= row["high"]
    assert [row["error"] for row in rows if row["error"]] == []
    assert status == 0
    lines = capsys.readouterr().out.splitlines()
    told = [f"note: {NO_SAY[suite]} made no difference to {suite}."] if suite in NO_SAY else []
    assert [line for line in lines if line.startswith("note: --")] == told
    for case in record["cases"]:
        if case["same"]:
            apart = [row["difference"] for row in case["rows"]]
            assert max(apart) < 1e-4, case["name"]
            assert not any(map(math.isnan, apart)), case["name"]
            assert all(row["floor"] > 0 for row in case["rows"])
    page = (tmp_path / f"{suite}.md").read_text()
    assert all(f"## {case['name']}\n" in page for case in record["cases"])
    assert all((tmp_path / picture).is_file() for picture in _pictures(page))
    pictures = {path.stem for path in tmp_path.glob("*.png")}
    assert suite != "growth" or pictures == {f"growth_{axis}" for axis in AXES}
    assert max(map(len, lines)) <= 120


def _pictures(page: str) -> list[str]:
    return [line.partition("](")[2].rstrip(")") for line in page.splitlines() if line.startswith("![")]


def test_results_are_not_replaced_unless_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fusion.json").write_text("mine")
    assert bench(["fusion", *TINY, "--out", str(tmp_path)]) == 2
    assert (tmp_path / "fusion.json").read_text() == "mine"
    assert "fusion.json exists; choose another --out, or replace it with --overwrite." in capsys.readouterr().err
    assert bench(["fusion", *TINY, "--out", str(tmp_path), "--overwrite"]) == 0
    assert record_of(tmp_path, "fusion")["suite"] == "fusion"


@pytest.mark.parametrize("mine", ["fusion.md", "goals.md"])
def test_a_page_of_the_user_is_not_replaced_either(
    mine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / mine).write_text("mine")
    assert bench(["fusion", *TINY, "--out", str(tmp_path)]) == 2
    assert (tmp_path / mine).read_text() == "mine"
    assert f"{mine} exists;" in capsys.readouterr().err


def test_the_list_is_of_what_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench(["--list", "--suite", "fusion"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("fusion ")


def test_who_stops_keeps_what_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measure, measured = command_line.measure_case, []

    def once(*arguments: Any) -> Any:
        if measured:
            raise KeyboardInterrupt
        measured.append(measure(*arguments))
        return measured[0]

    monkeypatch.setattr(command_line, "measure_case", once)
    assert bench(["fusion", *TINY, "--out", str(tmp_path)]) == 130
    (case,) = record_of(tmp_path, "fusion")["cases"]
    page = (tmp_path / "fusion.md").read_text()
    assert f"## {case['name']}\n" in page
    assert "Stopped before the end" in page
    assert record_of(tmp_path, "fusion")["stopped"]
    assert "Interrupted in suite fusion; the cases finished so far are kept." in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fusion.json", "fusion.md", "goals.md"]


def test_stopped_it_goes_on_under_the_same_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The finished suite is kept, the one that was stopped is measured anew; other words are refused as ever."""
    words = ["fusion", "operator", *TINY, "--out", str(tmp_path)]
    measure, stops = command_line.measure_case, ["operator"]

    def stopping(suite: str, *arguments: Any) -> Any:
        if suite in stops:
            raise KeyboardInterrupt
        return measure(suite, *arguments)

    monkeypatch.setattr(command_line, "measure_case", stopping)
    assert bench(words) == 130
    said = capsys.readouterr().err
    assert (
        "Interrupted in suite operator; no case was finished. The same command goes on, with this suite anew." in said
    )
    fusion = record_of(tmp_path, "fusion")
    assert bench([*words, "--repeats", "2"]) == 2
    assert "exists; choose another --out" in capsys.readouterr().err
    stops.clear()
    assert bench(words) == 0
    assert "measured already, kept: fusion\n" in capsys.readouterr().out
    assert record_of(tmp_path, "fusion") == fusion
    assert record_of(tmp_path, "operator")["stopped"] is False
    assert bench(words) == 2, "all is there"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["modle"], "error: bench: there is no suite 'modle'. Did you mean `model`?"),
        (["--suite", "x"], "error: bench: there is no suite 'x'. Suites: batches, data, fusion, growth,"),
        (
            ["model", "--hosts", "dinno"],
            "error: bench: --hosts expects names of hosts. Got 'dinno'. Did you mean `dino`?",
        ),
        (
            ["--sizes", "480"],
            "error: bench: --sizes expects HEIGHTxWIDTH in pixels, each at least 32, such as 480x640. Got 480",
        ),
        (["--sizes", "8x8"], "each at least 32, such as 480x640. Got 8x8"),
        (["--repeats", "0"], "error: bench: --repeats expects a whole number of at least 1. Got 0."),
        (["--device", "cuda:99"], "error: bench: --device=cuda:99 needs a GPU"),
        (["--against", "."], "error: bench: --against expects a checkout of the official DSCT code"),
        (["--against", "nowhere"], "Got nowhere, which is no folder."),
    ],
)
def test_mistakes(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    if "cuda:99" in words and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert bench(words) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_out_is_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert bench(["fusion", "--out", str(tmp_path / "file")]) == 2
    assert "--out expects a folder. Got the file" in capsys.readouterr().err


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == suites()
    assert all(len(line.split()) > 3 for line in lines)
