"""Two cells through the real ``dsct train``, as small as they get."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands import sweep as main

TINY = [
    "train.max_iter=2",
    "train.log_period=1",
    "dataloader.train.total_batch_size=2",
    "dataloader.train.num_workers=0",
    "dataloader.test.num_workers=0",
    "dataloader.test.dataset.length=4",
    "dataloader.train.dataset.size=[96,72]",
    "dataloader.test.dataset.size=[96,72]",
    "dataloader.train.mapper.transforms.scales=[72]",
    "dataloader.test.mapper.transforms.size=72",
]


@pytest.fixture
def measured(tmp_path, monkeypatch) -> Callable[..., dict[str, dict[str, str]]]:
    """Train cells of a table for real; the rows of ``results.csv`` by their cell."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("DSCT_MSDA_BACKEND", "pytorch")  # loads faster than it would gain

    def train(table: str, *cells: str, report: bool = False) -> dict[str, dict[str, str]]:
        words = ["--table", table, "--scale", "demo", "--only", *cells, "--seeds", "1"]
        assert main([*words, "--output-dir", str(tmp_path), *TINY, f"train.report.enabled={report}"]) == 0
        with (tmp_path / "results.csv").open(newline="") as file:
            return {row["cell"]: row for row in csv.DictReader(file)}

    return train


def test_two_hosts_for_real(measured, tmp_path):
    rows = measured("10", "deformable_detr", "detr", report=True)
    assert rows["dino"]["status"] == "not run"
    for name in ("deformable_detr", "detr"):
        assert rows[name]["status"] == "finished"
        assert int(rows[name]["iterations"]) == 2
        assert 14e6 < int(rows[name]["parameters_total"]) < 22e6
        assert int(rows[name]["parameters_trainable"]) < int(rows[name]["parameters_total"])
        assert float(rows[name]["seconds_per_iteration"]) > 0
        summary = json.loads(Path(tmp_path, name, "seed0", "summary.json").read_text())
        assert summary["seconds"] > 0
        assert not Path(tmp_path, name, "seed0", "last.pth").exists()
        assert f"DSCT ({name}) reads the emotion of" in Path(tmp_path, name, "seed0", "report.html").read_text()
    assert rows["detr"]["parameters_total"] != rows["deformable_detr"]["parameters_total"]
    assert "Exact bound: face only" in (tmp_path / "report.html").read_text()


def test_a_two_stage_baseline_beside_dsct(measured, tmp_path):
    """Table 4: models of two kinds under one command, and the metric by number of people."""
    rows = measured("4", "emo_net_r50_m", "dsct")
    assert [row["status"] for row in rows.values()] == ["not run", "finished", "finished"]
    assert float(rows["emo_net_r50_m"]["recall50"]) == 1.0, "it is given the annotated boxes"
    assert 22e6 < int(rows["emo_net_r50_m"]["parameters_total"]) < 23e6, "two ResNet-18"
    report = json.loads((tmp_path / "emo_net_r50_m" / "seed0" / "evaluation.json").read_text())
    assert report["protocol"]["name"] == "official"
    for group in report["by_count"]:
        written = rows["emo_net_r50_m"][f"acc_n{group['group']}"]
        assert written == ("" if group["acc"] is None else repr(group["acc"]))
    assert "Accuracy by number of annotated people in the image" in (tmp_path / "table.md").read_text()
    assert (tmp_path / "plot_by_people.png").is_file()
