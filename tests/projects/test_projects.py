"""Every file of ``projects/``: it loads, takes overrides, survives saving, and builds its full-size model (on meta)."""

from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from dsct_detrex.config import apply_overrides, instantiate, load_config, save_config
from dsct_detrex.engine.arguments import parse_arguments
from dsct_detrex.engine.compose import compose

FOLDER = Path(__file__).parents[2] / "projects"
PROJECTS = sorted(path.stem for path in FOLDER.glob("*.py"))
KINDS = (
    "anchor_detr",
    "conditional_detr",
    "dab_deformable_detr",
    "dab_detr",
    "deformable_detr",
    "deta",
    "detr",
    "dino",
    "dn_detr",
    "h_deformable_detr",
)
RUN = {"train", "model", "dataloader", "optimizer", "lr_multiplier", "emotions", "classification", "data"}


def resolved(cfg):
    return OmegaConf.to_container(cfg.model, resolve=True)


def test_there_is_one_project_for_each_kind_of_host():
    assert {name.removesuffix("_dsct") for name in PROJECTS if name.endswith("_dsct")} == set(KINDS)


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_takes_overrides_and_survives_saving(name, tmp_path):
    cfg = load_config(FOLDER / f"{name}.py")
    assert set(cfg) - RUN in ({"evaluation"}, {"evaluation", "host", "hosts", "subject_training"})
    apply_overrides(cfg, ["train.seed=3", "optimizer.lr=1e-5"])
    save_config(cfg, tmp_path / "saved.yaml")
    again = load_config(tmp_path / "saved.yaml")
    assert (again.train.seed, again.optimizer.lr) == (3, 1e-5)
    again.model.device = "meta"
    with torch.device("meta"):
        model = instantiate(again.model)
    assert model.state_dict()
    if name.endswith("_dsct"):
        assert model.decoder.adapter.kind == name.removesuffix("_dsct")


@pytest.mark.parametrize("data", ["synthetic", "emotic", "caer_s"])
@pytest.mark.parametrize(
    ("name", "protocol"),
    [("emo_net_r50", "official"), ("emo_net_r50_m", "official"), ("deformable_detr_dsct", "paper")],
)
def test_given_boxes_are_not_suppressed_whatever_the_data(name, protocol, data):
    cfg = compose(parse_arguments(["--config", str(FOLDER / f"{name}.py"), "--data", data]))
    assert cfg.dataloader.evaluator.protocol == protocol


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_names_what_it_imports(name):
    """detectron2's loader, under which detrex's ``train_net.py`` reads these files, cannot import a star."""
    assert "import *" not in (FOLDER / f"{name}.py").read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_swapping_the_host_is_one_override(kind):
    """``host.name=<kind>`` on the paper's own project builds what that kind's project builds."""
    swapped = load_config(FOLDER / "deformable_detr_dsct.py")
    apply_overrides(swapped, [f"host.name={kind}"])
    assert resolved(swapped) == resolved(load_config(FOLDER / f"{kind}_dsct.py"))
