"""Every golden host of detrex: encoder, queries, decoder, heads, detections, whole tensors."""

import golden_io
import pytest
import torch

from dsct_detrex.layers.levels import flatten_levels

from .build import golden_arguments, golden_host, golden_maps

NAMES = [
    "deformable_detr",
    "deformable_detr_box_refine",
    "deformable_detr_two_stage",
    "dino",
    "dab_deformable_detr",
    "dab_deformable_detr_two_stage",
    "h_deformable_detr",
    "h_deformable_detr_box_refine",
    "h_deformable_detr_two_stage",
    "deta",
]
SINGLE_SCALE = ["detr", "conditional_detr", "dab_detr", "dab_detr_patterns", "dn_detr"]
WITH_MEMORY = [name for name in NAMES if name != "deta"]  # whose encoder output is not recorded


@pytest.fixture(scope="module", params=NAMES + SINGLE_SCALE)
def golden(request):
    fixture = golden_io.load(f"hosts/{request.param}")
    host = golden_host(fixture)
    with torch.no_grad():
        outputs = host.transformer(*golden_arguments(fixture, host))
        yield fixture, host, outputs, host.predict(*outputs)


def check(fixture, value, name):
    assert golden_io.max_abs_diff(value, fixture[name]) <= fixture.meta["tolerance"]["abs"], name


@pytest.mark.parametrize("golden", WITH_MEMORY, indirect=True)
def test_memory(golden):
    fixture, host, _, _ = golden
    levels = flatten_levels(*golden_maps(fixture), host.transformer.level_embeds)
    valid = ~levels.padding
    memory = host.transformer.encode(levels)
    assert memory.shape == fixture["out.memory"].shape
    assert golden_io.max_abs_diff(memory[valid], fixture["out.memory"][valid]) <= fixture.meta["tolerance"]["abs"]


@pytest.mark.parametrize("golden", SINGLE_SCALE, indirect=True)
def test_memory_of_one_map(golden):
    fixture, host, _, _ = golden
    arguments = golden_arguments(fixture, host)
    check(fixture, arguments[0], "out.projected")
    memory = host.transformer.decoder_inputs(*arguments)["value"]
    valid = ~fixture["in.mask"].flatten(1).T
    assert golden_io.max_abs_diff(memory[valid], fixture["out.memory"][valid]) <= fixture.meta["tolerance"]["abs"]


@pytest.mark.parametrize("golden", SINGLE_SCALE, indirect=True)
def test_states_and_references_of_one_map(golden):
    fixture, _, (states, second), _ = golden
    check(fixture, states, "out.hs")
    (name,) = fixture.tensors.keys() & {"out.memory_map", "out.reference", "out.references"}
    valid = ~fixture["in.mask"][:, None] if name == "out.memory_map" else torch.tensor(True)
    assert golden_io.max_abs_diff(second * valid, fixture[name] * valid) <= fixture.meta["tolerance"]["abs"]


@pytest.mark.parametrize("golden", NAMES, indirect=True)
def test_states_and_references(golden):
    fixture, _, (states, initial, after, *_), _ = golden
    check(fixture, states, "out.hs")
    check(fixture, initial, "out.init_reference")
    check(fixture, after, "out.inter_references")


def test_heads(golden):
    fixture, _, _, predictions = golden
    check(fixture, predictions["pred_logits"], "out.pred_logits")
    check(fixture, predictions["pred_boxes"], "out.pred_boxes")


@pytest.mark.parametrize("golden", NAMES, indirect=True)
def test_first_stage(golden):
    fixture, _, (_, _, _, first, second, *_), predictions = golden
    if "out.enc_states" in fixture.tensors:
        check(fixture, first, "out.enc_states")
        check(fixture, second, "out.enc_references")
        check(fixture, predictions["enc_pred_logits"], "out.enc_pred_logits")
        check(fixture, predictions["enc_pred_boxes"], "out.enc_references")
    elif "out.enc_logits" in fixture.tensors:
        check(fixture, first, "out.enc_logits")
        check(fixture, second, "out.enc_boxes_unact")
        check(fixture, predictions["enc_pred_logits"], "out.enc_logits")
        expected = fixture["out.enc_boxes_unact"].sigmoid()
        assert golden_io.max_abs_diff(predictions["enc_pred_boxes"], expected) <= fixture.meta["tolerance"]["abs"]
    else:
        assert first is None
        assert second is None
        assert set(predictions) == {"pred_logits", "pred_boxes"}


def test_detections(golden):
    fixture, host, _, predictions = golden
    host.select_box_nums_for_evaluation = 10
    size = tuple(fixture.meta["sizes"]["image"])
    found = host.inference(predictions["pred_logits"][-1], predictions["pred_boxes"][-1], [size, size])
    for column, name in [("scores", "scores"), ("pred_classes", "labels")]:
        check(fixture, torch.stack([f[column] for f in found]), f"out.det_{name}")
    # pixels: the tolerance of normalised boxes times the longer side
    boxes = torch.stack([f["pred_boxes"] for f in found])
    assert golden_io.max_abs_diff(boxes, fixture["out.det_boxes"]) <= fixture.meta["tolerance"]["abs"] * max(size)
