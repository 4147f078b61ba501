"""DSCT as a detector: detectron2's dialect, images without people, batches, devices and switches."""

import pytest
import torch
from torch import nn

from dsct_detrex.dsct import DSCT, RelationalAggregation, adapter_for, register_adapter
from dsct_detrex.dsct.adapters import registry
from dsct_detrex.dsct.adapters.deformable_detr import DeformableDetrAdapter
from dsct_detrex.structures import Boxes, Instances
from tests.dsct.tiny import HOSTS, batch, images, tiny_dsct, tiny_host

on_every_host = pytest.mark.parametrize("name", HOSTS)
one_host = "deformable_detr"


@on_every_host
@pytest.mark.parametrize("emotions", ["emotic", "caer_s"])
def test_training_returns_weighted_losses_of_every_layer(name, emotions):
    losses = tiny_dsct(name, emotions).train()(batch(emotions))
    assert set(losses) == {f"loss_{term}{layer}" for term in ("class", "bbox", "giou") for layer in ("", "_0")}
    assert all(value.ndim == 0 and torch.isfinite(value) for value in losses.values())


@on_every_host
@pytest.mark.parametrize("people", [(0, 2), (0, 0), (5, 1)])
def test_images_without_people_or_with_more_than_queries_train(name, people):
    model = tiny_dsct(name, num_subjects=3).train()
    total = sum(model(batch(people=people)).values())
    total.backward()
    assert torch.isfinite(total)
    assert model.heads.bbox_embed is not None
    assert all(p.grad is not None for p in model.heads.parameters())


@torch.no_grad()
def test_evaluation_returns_people_in_the_frame_of_the_original_image():
    model = tiny_dsct(one_host, "emotic").eval()
    picture = images((64, 96))[0]
    small, large = model([{"image": picture}, {"image": picture, "height": 640, "width": 960}])
    found = small["instances"]
    assert isinstance(found, Instances)
    assert found.image_size == (64, 96)
    assert isinstance(found.pred_boxes, Boxes)
    assert found.pred_logits.shape == (3, 27)
    assert found.emotion_probs.shape == (3, 26)
    assert found.scores.shape == found.pred_classes.shape == (3,)
    torch.testing.assert_close(large["instances"].pred_boxes.tensor, found.pred_boxes.tensor * 10)


@on_every_host
@torch.no_grad()
def test_a_batch_gives_what_its_images_give_alone(name):
    model = tiny_dsct(name).eval()
    pictures = images((96, 128), (96, 128))
    together = model([{"image": p} for p in pictures])
    for picture, entry in zip(pictures, together):
        alone = model([{"image": picture}])[0]["instances"]
        torch.testing.assert_close(alone.pred_logits, entry["instances"].pred_logits, rtol=0, atol=1e-4)
        torch.testing.assert_close(alone.pred_boxes.tensor, entry["instances"].pred_boxes.tensor, rtol=0, atol=1e-2)


@on_every_host
@torch.no_grad()
def test_meta_device(name):
    """A failure means that a tensor is made on a fixed device, or that a value is read back inside the forward pass."""
    model = tiny_dsct(name).eval().to("meta")
    assert model.decode([torch.empty(3, 64, 96, device="meta")])[-1].logits.device.type == "meta"


@torch.no_grad()
def test_baseline_without_contexts_never_looks_at_them():
    model = tiny_dsct(one_host, use_contexts=False).eval()
    picture = [{"image": images((64, 96))[0]}]
    before = model(picture)[0]["instances"].pred_logits
    model.host.query_embedding.weight.normal_()
    assert torch.equal(model(picture)[0]["instances"].pred_logits, before)
    seeing = tiny_dsct(one_host).eval()
    before = seeing(picture)[0]["instances"].pred_logits
    seeing.host.query_embedding.weight.normal_()
    assert not torch.equal(seeing(picture)[0]["instances"].pred_logits, before)


@torch.no_grad()
def test_fusion_layers_choose_where_contexts_are_taken_in():
    layers = tiny_dsct(one_host, fusion_layers=[1]).eval().decode(images())
    assert [layer.aggregation is not None for layer in layers] == [False, True]
    assert all(layer.aggregation is None for layer in tiny_dsct(one_host, aggregation=None).eval().decode(images()))


@pytest.mark.parametrize(
    ("host", "stay"),
    [("deformable_detr", True), ("anchor_detr", True), ("conditional_detr", True), ("detr", False), ("dino", False)],
)
@torch.no_grad()
def test_distances_are_measured_once_where_references_stay(host, stay):
    first, second = tiny_dsct(host).eval().decode(images())
    assert (first.aggregation.nearest is second.aggregation.nearest) == stay


@torch.no_grad()
def test_distances_in_the_padded_frame_depend_on_the_batch():
    """Paper versus code, row 6: the official frame lets an image's neighbours depend on what it is batched with."""
    picks = {}
    for frame in ("unpadded", "padded"):
        torch.manual_seed(0)
        model = tiny_dsct(one_host, distance_frame=frame).eval()
        pixels, mask = model.normalizer(images())
        inputs = model.decoder.adapter.decoder_inputs(pixels, mask)
        picks[frame] = model.decoder(inputs, model.subject_queries(2), model.heads)[0].aggregation.spatial_index
    assert torch.equal(picks["unpadded"][0], picks["unpadded"][1])
    assert not torch.equal(picks["padded"][1], picks["unpadded"][1])


def test_adapters_are_chosen_by_structure():
    kinds = {name: adapter_for(tiny_host(name)).kind for name in HOSTS}
    assert kinds["dino"] == "dino"
    assert kinds[one_host] == kinds["deformable_detr_two_stage"] == "deformable_detr"


def test_an_unknown_host_is_refused_and_can_be_registered(monkeypatch):
    kinds = ", ".join(adapter.kind for adapter in registry._ADAPTERS)
    with pytest.raises(ValueError, match=rf"a host of a known kind \({kinds}\). Got Linear. To add one"):
        adapter_for(nn.Linear(1, 1))
    monkeypatch.setattr(registry, "_ADAPTERS", list(registry._ADAPTERS))

    @register_adapter
    class Mine(DeformableDetrAdapter):
        kind = "mine"

    assert adapter_for(tiny_host(one_host)).kind == "mine"


@pytest.mark.parametrize(
    ("switches", "message"),
    [
        ({"fusion_layers": [2]}, r"SubjectContextDecoder\(fusion_layers=\) expects indices in \[0, 2\). Got \[2\]."),
        ({"distance_frame": "world"}, r"expects unpadded or padded. Got 'world'."),
        ({"placement": "after"}, r"DSCTDecoderLayer\(placement=\) expects before_ffn or after_ffn. Got 'after'."),
        ({"num_subjects": -1}, r"SubjectQueries\(num_subjects=\) expects an int >= 0. Got -1."),
    ],
)
def test_bad_switches_are_refused(switches, message):
    with pytest.raises(ValueError, match=message):
        tiny_dsct(one_host, **switches)


def test_training_without_a_criterion_is_refused():
    with pytest.raises(ValueError, match=r"DSCT\(criterion=\) expects a criterion"):
        tiny_dsct(one_host, criterion=None).train()(batch())


def test_a_config_block_instead_of_a_host_is_refused():
    with pytest.raises(ValueError, match=r"DSCT\(host=\) expects a detection transformer. Got dict"):
        DSCT({"num_queries": 3}, tiny_dsct(one_host).emotions)


def test_pre_norm_layers_are_refused():
    host = tiny_host(one_host)
    host.transformer.decoder.layers[0].operation_order = ("norm", "self_attn", "norm", "cross_attn", "norm", "ffn")
    with pytest.raises(ValueError, match="Layer 0 has"):
        DSCT(host, tiny_dsct(one_host).emotions, aggregation=RelationalAggregation())
