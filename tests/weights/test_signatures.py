"""Which host a list of names belongs to: every key list of the real models, bare and inside DSCT."""

import pytest
import torch
from key_models import read_keys

from dsct_detrex.weights import convert, likely_host
from dsct_detrex.weights.signatures import HOSTS

KINDS = {
    "h_deformable_detr_two_stage_r50": "h_deformable_detr",
    "h_deformable_detr_r50": "deformable_detr",  # one-stage: the same names
    "deformable_detr_official_r50": "deformable_detr",
    "deformable_detr_official_box_refine_r50": "deformable_detr_box_refine",
    "deformable_detr_official_two_stage_r50": "deformable_detr_two_stage",
    "dsct_official_emotic_r50": "deformable_detr",
    **{f"{name}_r50": name for name in HOSTS if name != "h_deformable_detr"},
}


@pytest.mark.parametrize(("keys", "kind"), KINDS.items())
def test_every_real_model_is_told_by_its_names(keys: str, kind: str) -> None:
    names = convert({n: torch.zeros(1).expand(e["shape"]) for n, e in read_keys(keys).items()}).state_dict
    assert likely_host(names) == kind
    bare = [name.removeprefix("host.") for name in names]
    assert likely_host(f"host.{name}" for name in bare) == kind


def test_what_is_no_host_has_no_kind() -> None:
    assert likely_host([]) is None
    assert likely_host(["stem.conv1.weight", "host.backbone.stem.conv1.weight", "heads.class_embed.bias"]) is None
