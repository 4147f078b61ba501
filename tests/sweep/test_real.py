"""Two cells through the real ``scripts/train.py``, as small as they get."""

import csv
import json
from pathlib import Path

from dsct_detrex.sweep.command_line import main

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


def test_two_hosts_for_real(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("DSCT_MSDA_BACKEND", "pytorch")  # loads faster than it would gain
    words = ["--table", "10", "--scale", "demo", "--only", "deformable_detr", "detr", "--seeds", "1"]
    assert main([*words, "--output-dir", str(tmp_path), *TINY]) == 0
    with (tmp_path / "results.csv").open(newline="") as file:
        rows = {row["cell"]: row for row in csv.DictReader(file)}
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
    assert rows["detr"]["parameters_total"] != rows["deformable_detr"]["parameters_total"]
    assert "Exact bound: face only" in (tmp_path / "report.html").read_text()
