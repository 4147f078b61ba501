"""The host's own heads on contexts: on every host what the host itself predicts, and a loss that keeps it."""

import pytest
import torch

from dsct_detrex.dsct import ContextDetection, ContextHeads
from dsct_detrex.objective import DSCTCriterion, HungarianMatcher, focal_for
from dsct_detrex.structures import Boxes, Instances, ObjectClasses
from tests.dsct.tiny import HOSTS, TABLE, batch, images, tiny_dsct

on_every_host = pytest.mark.parametrize("name", HOSTS)
THINGS = ObjectClasses("things", [f"thing {number}" for number in range(80)])


@on_every_host
@torch.no_grad()
def test_predictions_are_those_of_the_host(name):
    """Whose own forward equals detrex's golden detections (tests/hosts/test_host_golden.py).

    Pictures of one size: single-scale hosts of detrex do not tell their decoder what is padding.
    """
    model = tiny_dsct(name, num_subjects=0).eval()
    pixels, mask = model.normalizer(images((96, 128), (96, 128)))
    mine = ContextHeads(model.decoder.adapter, 80).predictions(model.decode_batch(pixels, mask))
    own = model.host(pixels, mask)
    assert mine["pred_boxes"].shape == own["pred_boxes"].shape
    torch.testing.assert_close(mine["pred_boxes"], own["pred_boxes"], atol=2e-6, rtol=0)
    told = own["pred_logits"].shape[-1]
    assert mine["pred_logits"].shape[-1] == 81
    torch.testing.assert_close(mine["pred_logits"][..., :told], own["pred_logits"], atol=2e-5, rtol=0)
    assert not mine["pred_logits"][..., told:].any()


def test_another_number_of_classes_is_refused():
    with pytest.raises(ValueError, match=r"made for, 80\. Got 7: set num_classes of the host, hosts\.<name>\.num_c"):
        ContextHeads(tiny_dsct("dino").decoder.adapter, 7)


def detection(weight: float = 1.0) -> ContextDetection:
    focal = focal_for(THINGS)
    return ContextDetection(THINGS, DSCTCriterion(HungarianMatcher(focal), focal), weight)


def with_things(count: int = 3) -> list:
    """A training batch of people, with things beside them."""
    data = batch()
    for entry in data:
        height, width = entry["image"].shape[-2:]
        boxes = Boxes(torch.tensor([[4.0, 6.0, 0.5 * width, 0.5 * height]] * count).reshape(-1, 4))
        entry["objects"] = Instances((height, width), gt_boxes=boxes, gt_classes=torch.arange(count))
    return data


@pytest.mark.parametrize("name", ["deformable_detr", "dino", "detr", "anchor_detr"])
def test_a_loss_on_contexts_beside_that_of_subjects(name):
    model, loss = tiny_dsct(name, contexts_see_subjects=False).train(), detection()
    data = with_things()
    layers = model.decode([entry["image"] for entry in data])
    losses = loss(ContextHeads(model.decoder.adapter, 80), layers, loss.targets(data))
    assert set(losses) == {f"loss_{t}_objects{s}" for t in ("class", "bbox", "giou") for s in ("", "_0")}
    assert all(torch.isfinite(value) for value in losses.values())
    twice = detection(2.0)(ContextHeads(model.decoder.adapter, 80), layers, loss.targets(data))
    assert all(torch.equal(2 * losses[key], twice[key]) for key in losses)
    sum(losses.values()).backward()
    heard = {name for name, p in model.host.named_parameters() if p.grad is not None and p.grad.any()}
    assert any(name.startswith("backbone") for name in heard)
    assert not any("subject" in name for name, p in model.named_parameters() if p.grad is not None and p.grad.any())


def test_things_are_asked_for_and_none_is_an_answer():
    loss = detection()
    with pytest.raises(ValueError, match=r"expects 'objects' in every input, .* Got image, height, width, instances"):
        loss.targets(batch())
    assert [len(target) for target in loss.targets(with_things(0))] == [0, 0]
    with pytest.raises(ValueError, match=r"ContextDetection\(weight=\) expects a positive number\. Got 0"):
        detection(0)


def test_a_host_that_looks_forward_twice_learns_from_the_refinement_before():
    """DINO's box of layer 1 trains the head of layer 0 as well."""
    model = tiny_dsct("dino", num_subjects=0).train()
    assert TABLE["dino"].transformer.decoder.look_forward_twice
    heads = ContextHeads(model.decoder.adapter, 80)
    model.host.bbox_embed.requires_grad_(True)
    boxes = heads.predictions(model.decode(images()))["pred_boxes"]
    boxes[1].sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.host.bbox_embed[0].parameters())
