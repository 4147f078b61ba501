"""The W&B sweep file: exactly the cells, and words that ``scripts/train.py`` takes."""

from pathlib import Path

import pytest
import yaml

from dsct_detrex.engine.arguments import parse_arguments
from dsct_detrex.engine.compose import compose
from dsct_detrex.sweep import Cell
from dsct_detrex.sweep.wandb_grid import grid_parameters


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
    program, words = grid["command"][:3], grid["command"][3:]
    assert program == ["${env}", "${interpreter}", "${program}"]
    assert words.pop() == "${args_no_hyphens}"
    monkeypatch.setenv("WANDB_RUN_ID", "abc")
    cfg = compose(parse_arguments([*words, "host.name=deformable_detr", "train.seed=0"]))
    assert cfg.train.output_dir == "out/wandb/abc"
    assert cfg.train.wandb.params.group == "two_hosts"
    assert cfg.hosts.deformable_detr.backbone.depth == cfg.hosts.dino.backbone.depth == 18


def test_a_merged_mapping_is_what_train_reads():
    words = ["--config", "projects/deformable_detr_dsct.py", "model={aggregation: {k_spatial: 0}, use_contexts: False}"]
    cfg = compose(parse_arguments([words[0], str(Path(__file__).parents[2] / words[1]), words[2]]))
    assert cfg.model.aggregation.k_spatial == 0
    assert cfg.model.aggregation.k_semantic == 50
    assert cfg.model.use_contexts is False
