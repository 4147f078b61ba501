"""The W&B sweep file: exactly the cells, and words that ``dsct train`` takes."""

import math
from pathlib import Path

import pytest
import yaml

from dsct_detrex.cli.sweep import parse as parse_sweep
from dsct_detrex.cli.train import parse
from dsct_detrex.config.project import config_folder
from dsct_detrex.engine.compose import compose
from dsct_detrex.sweep import Cell
from dsct_detrex.sweep.plan import make_plan
from dsct_detrex.sweep.wandb_grid import grid_parameters, write_grid
from tests.sweep.conftest import STUB, commands, main


def cells(*overrides: list[str]) -> list[Cell]:
    return [Cell(f"c{i}", words) for i, words in enumerate(overrides)]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (cells(["host.name=detr"], ["host.name=dino"]), {"host.name": ["detr", "dino"]}),
        (
            cells(*[[f"m.a={a}", f"m.b={b}"] for a in "12" for b in "34"]),
            {"m.a": ["1", "2"], "m.b": ["3", "4"]},
        ),
        (cells([], ["m.a.x=1"], ["m.b=null", "m.a.y=[1,2]"]), {"m": ["{}", "{a: {x: 1}}", "{b: null, a: {y: [1,2]}}"]}),
        (cells(["m.a.x=1"], ["m.a.y=2"]), {"m.a": ["{x: 1}", "{y: 2}"]}),
        (cells(["host.name=detr"], ["model.a=1"]), None),
    ],
)
def test_parameters_are_the_cells(found, expected):
    assert grid_parameters(found) == expected


def test_every_cell_of_the_file_is_a_command_of_train(sweep, monkeypatch):
    sweep("--only", "dino")
    grid = yaml.safe_load(Path("out/wandb_sweep.yaml").read_text())
    assert grid["method"] == "grid"
    assert grid["metric"] == {"name": "emotion/acc", "goal": "maximize"}
    assert grid["parameters"] == {"host.name": {"values": ["dino", "deformable_detr"]}, "train.seed": {"values": [0]}}
    program, words = grid["command"][:5], grid["command"][5:]
    assert program == ["${env}", "${interpreter}", "-m", "${program}", "train"]
    assert grid["program"] == "dsct_detrex"
    assert words.pop() == "${args_no_hyphens}"
    monkeypatch.setenv("WANDB_RUN_ID", "abc")
    cfg = compose(parse([*words, "host.name=deformable_detr", "train.seed=0"]))
    assert cfg.train.output_dir == "out/wandb/abc"
    assert cfg.train.wandb.params.group == "two_hosts"
    assert cfg.hosts.deformable_detr.backbone.depth == cfg.hosts.dino.backbone.depth == 18


MIXED = """
from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

sweep = L(Sweep)(
    name="mixed",
    title="two models",
    paper_table="Table 4",
    axis="Model",
    cells=[dict(name="one"), dict(name="two", base="projects/emo_net_r50.py")],
)
"""


def test_cells_of_different_files_are_runs_of_the_sweep(tmp_path, monkeypatch, capsys):
    """An agent calls ``dsct sweep`` for one run; W&B's own code makes its command line."""
    agent = pytest.importorskip("wandb.sdk.launch.sweeps.utils")
    monkeypatch.chdir(tmp_path)
    Path("mixed.py").write_text(MIXED)
    words = ["--config", "mixed.py", "--output-dir", "out", "--seeds", "2", "train.max_iter=7"]
    assert main([*words, "--only", "one/seed1"]) == 1  # the stub has no such host; the file is there
    grid = yaml.safe_load(Path("out/wandb_sweep.yaml").read_text())
    assert grid["parameters"] == {"only": {"values": ["one/seed0", "two/seed0", "one/seed1", "two/seed1"]}}
    monkeypatch.setenv("WANDB_SWEEP_ID", "abc")
    command = agent.create_sweep_command(grid["command"])
    flags = agent.create_sweep_command_args({"args": {"only": {"value": "two/seed1"}}})["args"]
    assert command[:5] == ["${env}", "${interpreter}", "-m", "${program}", "sweep"]
    assert command[-1] == "${args}"
    capsys.readouterr()
    assert main([*command[5:-1], *flags, "--dry-run"]) == 0
    (said,) = commands(capsys.readouterr().out)
    assert "emo_net_r50.py --data synthetic" in said
    assert "train.output_dir=out/wandb/abc/two/seed1" in said
    for word in ("train.max_iter=7", "train.seed=1", "train.wandb.enabled=True", "train.wandb.params.group=mixed"):
        assert word in said


@pytest.mark.parametrize("path", sorted((config_folder() / "sweeps").glob("*_[0-9]*.py")), ids=lambda path: path.stem)
def test_every_table_of_the_paper_is_a_wandb_sweep(path, tmp_path):
    words = ["--config", str(path), "--seeds", "1", "--output-dir", str(tmp_path)]
    options = parse_sweep(words)
    plan = make_plan(options, words, STUB)
    write_grid(tmp_path / "grid.yaml", plan, options)
    grid = yaml.safe_load((tmp_path / "grid.yaml").read_text())
    combinations = math.prod(len(parameter["values"]) for parameter in grid["parameters"].values())
    assert combinations == len(plan.runs)


def test_a_merged_mapping_is_what_train_reads():
    project = Path(__file__).parents[2] / "projects" / "deformable_detr_dsct.py"
    words = ["--unused-overrides=note", "model={aggregation: {k_spatial: 0}, use_contexts: False}"]
    cfg = compose(parse(["--config", str(project), *words]), lambda note: None)
    assert cfg.model.aggregation.k_spatial == 0
    assert cfg.model.aggregation.k_semantic == 50
    assert cfg.model.use_contexts is False
