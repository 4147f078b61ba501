"""Sweep files: those of the paper load and fit the configs they change; mistakes are sentences."""

import copy
import functools
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from dsct_detrex.config import apply_overrides, instantiate, load_config
from dsct_detrex.config.project import config_folder
from dsct_detrex.data.catalogue import label_sets
from dsct_detrex.errors import UserError
from dsct_detrex.sweep import Cell, Sweep, load_sweep
from dsct_detrex.sweep.description import table_file
from dsct_detrex.sweep.printed import Quoted
from dsct_detrex.sweep.scale import get_scale, host_of

ROOT = config_folder().parent
KINDS = ", ".join(label_sets())
FILES = sorted((config_folder() / "sweeps").glob("*_[0-9]*.py"))


@functools.cache
def base_config(base: str):
    return load_config(ROOT / base)


def test_every_table_of_the_paper_is_there():
    names = {*(f"table_{number}" for number in range(1, 14)), "figure_2", "figure_11"}
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


def test_every_fusion_of_the_sweep_differs_from_its_control_by_one_word():
    sweep = load_sweep(ROOT / "configs/sweeps/fusions.py")
    words = {cell.name: set(cell.overrides) for cell in sweep.cells}
    control = "model.aggregation.gather=self"
    controls = {name for name in words if control in words[name]}
    assert {name for name in words if name.endswith("_control")} == controls != set()
    for name in controls:
        fusion = "objects_multi_head" if name == "objects_control" else name.removesuffix("_control")
        assert words[name] == words[fusion] | {control}
    cfg = base_config(sweep.base_of(sweep.cells[0]))
    for cell in sweep.cells:
        apply_overrides(copy.deepcopy(cfg), [*sweep.overrides, *cell.overrides])


FULL_MODEL = {
    **dict.fromkeys(("table_1", "table_2", "table_9", "figure_2"), "r50"),
    "table_3": "theta2_lambda5",
    "table_4": "dsct",
    "table_6": "both",
    "table_7": "semantic",
    "table_8": "all",
    "table_10": "deformable_detr",
    "table_11": "l1_5",
    "table_12": "early",
    "table_13": "none",
    "figure_11": "sp100_sm50",
}
"""The row of each sweep that is the paper's full model; Table 5's depends on the data."""


@pytest.mark.parametrize("name", FULL_MODEL)
def test_the_full_models_row_is_the_default(name):
    """It sets nothing but what the config has already."""
    sweep = load_sweep(config_folder() / "sweeps" / f"{name}.py")
    (cell,) = [cell for cell in sweep.cells if cell.name == FULL_MODEL[name]]
    assert not cell.base
    assert not cell.ours
    cfg = base_config(sweep.base)
    assert apply_overrides(copy.deepcopy(cfg), [*sweep.overrides, *cell.overrides]) == cfg


@pytest.mark.parametrize(("kind", "best"), [("emotic", "n4"), ("caer_s", "n9")])
def test_the_full_models_row_of_table_5_is_the_default_of_the_data(kind, best):
    cfg = apply_overrides(copy.deepcopy(base_config("projects/deformable_detr_dsct.py")), [f"emotions.name={kind}"])
    cells = load_sweep(table_file("5")).cells
    assert max(cells, key=lambda cell: cell.paper[kind]).name == best
    assert f"n{cfg.model.num_subjects}" == best


def values(table: str, *keys: str) -> dict[str, tuple[object, ...]]:
    """What every cell of ours and the paper's sets these keys to, by its label."""
    sweep = load_sweep(table_file(table))
    found = {}
    for cell in sweep.cells:
        if not cell.base:
            cfg = apply_overrides(copy.deepcopy(base_config(sweep.base)), [*sweep.overrides, *cell.overrides])
            found[cell.label] = tuple(OmegaConf.select(cfg, key) for key in keys)
    return found


def test_the_rows_of_table_3_set_the_weights_they_name():
    matcher = "model.criterion.matcher"
    found = values("3", f"{matcher}.cost_class", "model.criterion.weight_class", f"{matcher}.cost_bbox")
    assert len(found) == 16
    for label, (theta, weight, box) in found.items():
        assert label == f"{theta:g}, {weight:g}"
        assert box == 5


def test_the_rows_of_table_11_set_the_weight_they_name():
    for label, (weight, theta) in values(
        "11", "model.criterion.weight_bbox", "model.criterion.matcher.cost_bbox"
    ).items():
        assert label.startswith(f"{weight:g}")
        assert theta == 5 or label == f"5, theta of the box {theta:g}"


def test_the_rows_of_table_8_fuse_in_the_layers_they_name():
    found = {label: layers for label, (layers,) in values("8", "model.fusion_layers").items()}
    assert found == {
        "1st to 6th": None,
        "2nd to 6th": [1, 2, 3, 4, 5],
        "4th to 6th": [3, 4, 5],
        "6th": [5],
        "1st": [0],
        "1st to 3rd": [0, 1, 2],
        "none": None,
    }
    assert values("8", "model.aggregation")["none"] == (None,)


def test_the_rows_of_table_6_build_on_each_other():
    keys = ["model.use_contexts", "model.aggregation.k_spatial", "model.aggregation.k_semantic"]
    assert list(values("6", *keys).values()) == [
        (False, 100, 50),  # of no contexts
        (True, None, None),
        (True, 300, 0),
        (True, 100, 0),
        (True, 0, 50),
        (True, 100, 50),
    ]


def test_the_backbones_of_table_9_have_the_printed_parameters():
    """In whole millions, the host's unused heads and what DSCT adds included: at most two more."""
    sweep = load_sweep(table_file("9"))
    for cell in sweep.cells:
        cfg = apply_overrides(copy.deepcopy(base_config(sweep.base)), list(cell.overrides))
        cfg.model.device = "meta"
        with torch.device("meta"):
            model = instantiate(cfg.model)
        count = sum(parameter.numel() for parameter in model.parameters()) / 1e6
        assert cell.params_m < count < cell.params_m + 2, cell.name


def test_a_table_is_found_by_its_number_and_a_figure_by_its_name():
    assert table_file("10").name == "table_10.py"
    assert table_file("figure_11").name == "figure_11.py"
    with pytest.raises(UserError, match=r"--table expects one of 1, 2, 3, .*, 12, 13, figure_2, figure_11. Got '99'"):
        table_file("99")


GAP = {"better": "a", "worse": "b", "paper": {"emotic": 1.0}, "about": "a above b"}


def test_unknown_numbers_stay_unknown():
    assert Cell("one", paper={"emotic": None, "caer_s": 90}).paper == {"caer_s": 90}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Cell("My cell"), "expects small letters, digits and _ . - for a folder. Got 'My cell'"),
        (lambda: Cell("a", paper={"coco": 1.0}), f"expects keys of {KINDS}. Got 'coco'"),
        (lambda: Cell("a", paper_by_people={"emotic": {"6": 1.0}}), "expects keys of 1, 2, 3, 4, 5plus. Got '6'"),
        (lambda: Cell("a", paper_by_people={"coco": {"1": 1.0}}), f"expects keys of {KINDS}. Got 'coco'"),
        (lambda: Cell("a", paper={"emotic": 1.0}, ours=True), "expects a row without numbers of the paper. Got some"),
        (lambda: Quoted("HECO", {"coco": 1.0}), f"Quoted(paper=) of 'HECO' expects keys of {KINDS}. Got 'coco'"),
        (lambda: Sweep("s", "t", "Row", [{"name": "a"}], gaps=[GAP]), "names of its cells. Got 'b'"),
        (lambda: Sweep("s", "t", "Row", []), "Got no cell"),
        (lambda: Sweep("s", "t", "Row", [{"name": "a"}, {"name": "a"}]), "Got two cells called 'a'"),
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
