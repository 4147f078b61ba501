"""What is built, and what it reads: the quick answers are those of trying."""

import pytest
from omegaconf import OmegaConf

from dsct_detrex.config import apply_overrides, load_config
from dsct_detrex.config.overrides import dotted_keys
from dsct_detrex.engine.built import BUILT, Built
from dsct_detrex.engine.words import is_below

ABSENT = (
    "hosts.dino.nothing",
    "hosts.detr.nothing",
    "subject_training.dino.nothing",
    "train.nothing",
    "nothing.at.all",
)


@pytest.fixture(scope="module")
def built() -> Built:
    cfg = load_config("projects/dino_dsct.py")
    for table in (cfg.hosts, cfg.subject_training):
        for name in [name for name in table if name not in ("dino", "detr", "default")]:
            del table[name]
    return Built(apply_overrides(cfg, ["model.criterion.weight_class=${data.weight}", "+data.weight=1.0"]))


def test_quick_answers_are_those_of_trying(built: Built) -> None:
    keys = [key for key in dotted_keys(built._cfg) if not is_below(key, (*BUILT, "train", "dataloader"))]
    answers = {key: built.reads(key) for key in (*keys[::3], *ABSENT)}
    assert answers == {key: built._changes_with(key) for key in answers}
    assert set(answers.values()) == {True, False}


@pytest.mark.parametrize(
    ("key", "read"),
    [
        ("host.name", True),
        ("hosts.dino.num_queries", True),
        ("hosts.dino.backbone.depth", True),
        ("hosts.dino.a_new_key", True),
        ("hosts.detr.num_queries", False),
        ("hosts.detr", False),
        ("subject_training.dino.denoising.num_groups", True),
        ("subject_training.default.num_subjects.caer_s", True),
        ("subject_training.default.num_subjects.emotic", False),
        ("data.weight", True),
        ("data.root", False),
        ("evaluation.protocol", True),
    ],
)
def test_what_a_model_on_dino_reads(built: Built, key: str, read: bool) -> None:
    assert OmegaConf.is_config(built._cfg)
    assert built.reads(key) is read
