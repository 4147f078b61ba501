"""A detrex checkpoint of every host, in full size, into the host and the DSCT model that our configs build.

Files and models have true names and shapes and no memory (expanded scalars, meta device). A host whose config appears
in ``configs/common/hosts`` joins by itself. A failure means that a zoo checkpoint would not load whole.
"""

from typing import Any

import golden_io
import pytest
import torch
from key_models import read_keys
from omegaconf import OmegaConf
from torch import Tensor, nn

from dsct_detrex.config import get_config, instantiate
from dsct_detrex.dsct import DSCT, RelationalAggregation
from dsct_detrex.structures import EMOTIC
from dsct_detrex.weights import load_weights

pytestmark = pytest.mark.filterwarnings("ignore:.*copying from a non-meta parameter")

KEYS = {"h_deformable_detr": "h_deformable_detr_two_stage_r50"}  # its configs default to the released checkpoints' form
CONFIGS = get_config("common/hosts.py").hosts
LISTED = {path.stem for path in (golden_io.ROOT / "keys").glob("*.json")}
CASES = {name: KEYS.get(name, f"{name}_r50") for name in CONFIGS if KEYS.get(name, f"{name}_r50") in LISTED}
# detrex keeps the loss's class weights in DETR's checkpoints; a host of ours has no loss
LEFT_OVER = {"detr": ("criterion.empty_weight",)}


def meta_host(name: str) -> nn.Module:
    with torch.device("meta"):
        return instantiate(OmegaConf.create({"host": CONFIGS[name]}, flags={"allow_objects": True}).host)


def meta_dsct(name: str) -> DSCT:
    host = meta_host(name)
    with torch.device("meta"):
        return DSCT(host, EMOTIC, aggregation=RelationalAggregation(embed_dim=256), device="meta")


def checkpoint(keys: dict[str, Any]) -> dict[str, Tensor]:
    return {name: torch.zeros(()).expand(entry["shape"]) for name, entry in keys.items()}


def test_the_configs_of_the_paper_are_among_the_cases() -> None:
    assert {"deformable_detr", "deformable_detr_box_refine", "deformable_detr_two_stage", "dino"} <= set(CASES)


@pytest.mark.parametrize(
    "name",
    [
        "deformable_detr",
        "deformable_detr_box_refine",
        "deformable_detr_two_stage",
        "h_deformable_detr",
        "deta",
    ],
)
def test_a_bare_host_reports_as_many_boxes_as_detrex(name: str) -> None:
    host = meta_host(name)
    logits, boxes = torch.randn(1, 900, 80), torch.rand(1, 900, 4)
    (found,) = host.inference(logits, boxes, [(64, 96)])
    assert len(found["scores"]) == len(found["pred_boxes"]) == 300


@pytest.mark.parametrize("name", CASES)
def test_a_zoo_checkpoint_fills_the_bare_host(name: str) -> None:
    host, weights = meta_host(name), checkpoint(read_keys(CASES[name]))
    report = load_weights(host, weights)
    left_over = LEFT_OVER.get(name, ())
    assert set(report.loaded) == set(weights) - set(left_over) == set(host.state_dict())
    assert (report.missing, report.reinitialised, report.renamed, report.unexpected) == ((), (), {}, left_over)
    assert report.file_host == report.model_host


@pytest.mark.parametrize("name", CASES)
def test_a_zoo_checkpoint_fills_the_host_of_a_dsct_model(name: str) -> None:
    model, weights = meta_dsct(name), checkpoint(read_keys(CASES[name]))
    report = load_weights(model, weights)
    left_over = LEFT_OVER.get(name, ())
    assert set(report.loaded) == {f"host.{key}" for key in weights if key not in left_over}
    assert (report.reinitialised, report.unexpected) == ((), left_over)
    assert {key.split(".")[0] for key in report.missing} <= {"subject_queries", "heads"}
    assert not any(key.startswith("host.") for key in report.missing)


@pytest.mark.parametrize("name", CASES)
def test_names_left_out_because_they_are_tied_are_not_missed(name: str) -> None:
    """Files of ``convert_checkpoint`` in safetensors hold tied tensors once."""
    keys = read_keys(CASES[name])
    once = checkpoint({key: entry for key, entry in keys.items() if "alias_of" not in entry})
    assert not load_weights(meta_host(name), once).missing


@pytest.mark.parametrize("name", CASES)
def test_other_numbers_of_queries_and_classes_are_fresh_and_the_rest_loads(name: str) -> None:
    """A head of 91 classes and twice the queries: only those tensors are re-initialised."""
    keys = read_keys(CASES[name])
    weights = checkpoint(keys)
    changed = {key for key in keys if "class_embed" in key or key.startswith(("query_embed", "label_enc", "tgt_embed"))}
    for key in changed:
        weights[key] = torch.zeros(()).expand(2 * keys[key]["shape"][0], *keys[key]["shape"][1:])
    report = load_weights(meta_dsct(name), weights)
    assert {mismatch.name for mismatch in report.reinitialised} == {f"host.{key}" for key in changed}
    assert len(report.loaded) == len(weights) - len(changed) - len(LEFT_OVER.get(name, ()))


@pytest.mark.parametrize("variant", ["", "_box_refine", "_two_stage"])
def test_official_deformable_detr_fills_the_same_host(variant: str) -> None:
    weights = checkpoint(read_keys(f"deformable_detr_official{variant}_r50"))
    report = load_weights(meta_dsct(f"deformable_detr{variant}"), weights)
    assert len(report.loaded) == len(report.renamed) == len(weights)
    assert not any(key.startswith("host.") for key in report.missing)
    assert (report.reinitialised, report.unexpected) == ((), ())


def test_official_dsct_fills_all_but_the_heads_of_its_host() -> None:
    """The official model has no COCO heads; on a static host DSCT never reads them."""
    report = load_weights(meta_dsct("deformable_detr"), checkpoint(read_keys("dsct_official_emotic_r50")))
    assert all(key.startswith(("host.class_embed.", "host.bbox_embed.")) for key in report.missing)
    assert {mismatch.name for mismatch in report.reinitialised} == {
        "subject_queries.position",
        "subject_queries.content",
    }  # 4 subjects there, 9 here
    assert report.unexpected == ()
