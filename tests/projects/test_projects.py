"""Every file of ``projects/``: it loads, takes overrides, survives saving, and builds its full-size model (on meta)."""

from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from dsct_detrex.cli.train import parse
from dsct_detrex.config import apply_overrides, instantiate, load_config, save_config
from dsct_detrex.engine.build import plain_config
from dsct_detrex.engine.compose import compose
from tests.dsct.tiny import HOSTS, kind_of

FOLDER = Path(__file__).parents[2] / "projects"
PROJECTS = sorted(path.stem for path in FOLDER.glob("*.py"))
KINDS = sorted({kind_of(host) for host in HOSTS})
KINDS = sorted({kind_of(host) for host in HOSTS})
RUN = {"train", "model", "dataloader", "optimizer", "lr_multiplier", "emotions", "classification", "data"}


def resolved(cfg):
    return OmegaConf.to_container(cfg.model, resolve=True)


def test_there_is_one_project_for_each_kind_of_host():
    """And none for a variant, which ``host.name=`` chooses: docs/hosts.md."""
    assert {name.removesuffix("_dsct") for name in PROJECTS if name.endswith("_dsct")} == set(KINDS)


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_takes_overrides_and_survives_saving(name, tmp_path):
    cfg = load_config(FOLDER / f"{name}.py")
    of_hosts = {"host", "hosts", "subject_training"}
    assert set(cfg) - RUN in ({"evaluation"}, {"evaluation", *of_hosts}, of_hosts)
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
    cfg = compose(parse(["--config", str(FOLDER / f"{name}.py"), "--data", data]))
    assert cfg.dataloader.evaluator.protocol == protocol


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ([], 9),  # drawn scenes with CAER-S's emotions
        (["emotions.name=emotic"], 4),
        (["--data", "emotic"], 4),
        (["--data", "caer_s"], 9),
        (["--data", "emotic", "host.name=dino"], 4),
        (["--data", "emotic", "model.num_subjects=7"], 7),
        (["model={num_subjects: 6}", "--data", "caer_s"], 6),
    ],
)
def test_the_number_of_subjects_follows_the_data_and_the_override_wins(words, number):
    cfg = compose(parse(["--config", str(FOLDER / "deformable_detr_dsct.py"), *words]))
    assert cfg.model.num_subjects == number
    assert plain_config(cfg)["model"]["num_subjects"] == number, "a saved config says the number itself"


def test_emotions_of_ones_own_have_nine_subjects(tmp_path):
    (tmp_path / "mine.py").write_text(
        f"""
from dsct_detrex.config import LazyCall as L, load_config
from dsct_detrex.structures import MultiClassEmotions

_base = load_config({str(FOLDER / "deformable_detr_dsct.py")!r})
train, dataloader, optimizer, lr_multiplier = _base.train, _base.dataloader, _base.optimizer, _base.lr_multiplier
model, host, hosts, subject_training = _base.model, _base.host, _base.hosts, _base.subject_training
classification, emotions = _base.classification, L(MultiClassEmotions)(name="moods", names=("calm", "tense"))
"""
    )
    assert load_config(tmp_path / "mine.py").model.num_subjects == 9


def test_the_demo_keeps_the_number_it_was_measured_with():
    words = ["--config", str(FOLDER / "demo.py"), "--data", "emotic"]
    assert compose(parse(words)).model.num_subjects == 8


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
