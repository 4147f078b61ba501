"""Sweep files: those of the paper load and fit the configs they change; mistakes are sentences."""

import copy
import functools
from pathlib import Path

import pytest

from dsct_detrex.config import apply_overrides, load_config
from dsct_detrex.config.project import config_folder
from dsct_detrex.errors import UserError
from dsct_detrex.sweep import Cell, Sweep, load_sweep
from dsct_detrex.sweep.description import table_file
from dsct_detrex.sweep.scale import get_scale, host_of

ROOT = config_folder().parent
FILES = sorted((config_folder() / "sweeps").glob("*_[0-9]*.py"))


@functools.cache
def base_config(base: str):
    return load_config(ROOT / base)


def test_every_table_of_the_paper_is_there():
    names = {*(f"table_{number}" for number in range(3, 14)), "figure_11"}
    assert {path.stem for path in FILES} == names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_cells_of_the_papers_tables_fit_their_config(path):
    sweep = load_sweep(path)
    assert sweep.name == path.stem
    assert sweep.paper_table.lower().replace(" ", "_") == path.stem
    for cell in sweep.cells:
        cfg = base_config(sweep.base_of(cell))
        host = host_of(cfg, cell.overrides)
        words = get_scale("demo").overrides(cfg, host, "synthetic")
        apply_overrides(copy.deepcopy(cfg), [*words, *sweep.overrides, *cell.overrides])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_papers_main_result_stands_once_in_every_table(path):
    """91.81 % and 37.26 mAP, in the row of the full model; Table 10 is known whole, and has no EMOTIC column."""
    papers = [cell.paper for cell in load_sweep(path).cells]
    assert [paper["caer_s"] for paper in papers if "caer_s" in paper].count(91.81) == 1
    assert [paper["emotic"] for paper in papers if "emotic" in paper] == ([] if path.stem == "table_10" else [37.26])


def test_the_full_models_row_is_the_default():
    """What carries the main result on CAER-S sets nothing but what the config has already."""
    for path in FILES:
        sweep = load_sweep(path)
        (cell,) = [cell for cell in sweep.cells if cell.paper.get("caer_s") == 91.81]
        assert not cell.base
        cfg = base_config(sweep.base)
        words = [word for word in cell.overrides if "num_layers=6" not in word]
        assert apply_overrides(copy.deepcopy(cfg), words) == cfg, (path.stem, words)


def test_table_10_is_the_papers():
    cells = {cell.name: cell.paper for cell in load_sweep(table_file("10")).cells}
    assert len(cells) == 10
    assert cells["detr"] == {"caer_s": 89.74}
    assert cells["deformable_detr"] == {"caer_s": 91.81}
    assert sum(paper["caer_s"] for paper in cells.values()) == pytest.approx(903.40)


def test_table_5_has_a_best_number_for_each_data_set():
    papers = {cell.name: cell.paper for cell in load_sweep(table_file("5")).cells if cell.paper}
    assert papers == {"n4": {"emotic": 37.26}, "n9": {"caer_s": 91.81}}


def test_a_table_is_found_by_its_number_and_a_figure_by_its_name():
    assert table_file("10").name == "table_10.py"
    assert table_file("figure_11").name == "figure_11.py"
    with pytest.raises(UserError, match=r"--table expects one of 3, 4, 5, .*, 12, 13, figure_11. Got '99'"):
        table_file("99")


def test_unknown_numbers_stay_unknown():
    assert Cell("one", paper={"emotic": None, "caer_s": 90}).paper == {"caer_s": 90}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Cell("My cell"), "expects small letters, digits and _ . - for a folder. Got 'My cell'"),
        (lambda: Cell("a", paper={"coco": 1.0}), "expects keys of caer_s, emotic. Got 'coco'"),
        (lambda: Sweep("s", "t", "Table 1", "Row", []), "Got no cell"),
        (lambda: Sweep("s", "t", "Table 1", "Row", [{"name": "a"}, {"name": "a"}]), "Got two cells called 'a'"),
    ],
)
def test_mistakes_in_a_description(make, sentence):
    with pytest.raises(UserError) as caught:
        make()
    assert sentence in str(caught.value)


def test_a_file_without_a_sweep(tmp_path: Path):
    path = tmp_path / "nothing.py"
    path.write_text("train = dict(a=1)\n")
    with pytest.raises(UserError, match="defines no `sweep`"):
        load_sweep(path)
