"""Anchor DETR, decoupled and plain: golden numbers of detrex, the way to its decoder, its points, what it refuses."""

import copy

import golden_io
import pytest
import torch

from dsct_detrex.hosts import HostConfigError

from .build import build_host, golden_host, padded_batch

NAMES = ["anchor_detr", "anchor_detr_mha"]
BACKBONE = {"_target_": "x.TorchvisionResNet", "name": "resnet18"}


@pytest.fixture(scope="module", params=NAMES)
def golden(request):
    fixture = golden_io.load(f"hosts/{request.param}")
    return fixture, golden_host(fixture)


def small_host(name="anchor_detr", **changes):
    """A small complete host; ``changes`` go to its transformer."""
    config = golden_io.load_json(f"hosts/{name}")["config"]
    return build_host(config, backbone=BACKBONE, in_channels=512, transformer=changes)


@pytest.fixture(scope="module", params=NAMES)
def host(request):
    torch.manual_seed(0)
    return small_host(request.param)


def check(fixture, value, name, scale=1):
    assert golden_io.max_abs_diff(value, fixture[name]) <= fixture.meta["tolerance"]["abs"] * scale, name


@torch.no_grad()
def test_matches_detrex(golden):
    fixture, host = golden
    host.select_box_nums_for_evaluation = 10
    features = host.input_proj(fixture["in.res5"])
    check(fixture, features, "out.projected")
    inputs = host.transformer.decoder_inputs(features[:, None], fixture["in.mask"])
    check(fixture, inputs["srcs"][:, 0], "out.memory")
    check(fixture, host.transformer.decode(**inputs), "out.hs")
    found = host.predict(*host.transformer(features[:, None], fixture["in.mask"]))
    check(fixture, found["pred_logits"], "out.pred_logits")
    check(fixture, found["pred_boxes"], "out.pred_boxes")
    size = tuple(fixture.meta["sizes"]["image"])
    detections = host.inference(found["pred_logits"][-1], found["pred_boxes"][-1], [size, size])
    # pixels: the tolerance of normalised boxes times the longer side
    for column, name, scale in [("scores", "scores", 1), ("pred_classes", "labels", 1), ("pred_boxes", "boxes", 256)]:
        check(fixture, torch.stack([d[column] for d in detections]), f"out.det_{name}", scale)


@torch.no_grad()
def test_what_is_under_the_padding_does_not_matter_to_plain_attention():
    """Decoupled attention averages it into its keys, as detrex's does: tests/layers/test_row_column_attention.py."""
    fixture = golden_io.load("hosts/anchor_detr_mha")
    host, mask = golden_host(fixture), fixture["in.mask"]
    features = host.input_proj(fixture["in.res5"])
    noisy = torch.where(mask[:, None], torch.randn_like(features), features)
    clean, other = (host.transformer(x[:, None], mask) for x in (features, noisy))
    torch.testing.assert_close(clean, other, atol=0, rtol=0)


@torch.no_grad()
def test_decoder_inputs_are_what_the_first_layer_is_called_with(host):
    images, mask = padded_batch()
    seen = []
    hook = host.transformer.decoder_layers[0].register_forward_pre_hook(
        lambda _, args, kw: seen.append((args, kw)), with_kwargs=True
    )
    told = host.decoder_inputs(images, mask)
    assert seen == []
    host(images, mask)
    hook.remove()
    ((args, captured),) = seen
    captured |= {"tgt": args[0]}
    assert captured.keys() == told.keys()
    for name, value in captured.items():
        assert torch.equal(value, told[name]) if isinstance(value, torch.Tensor) else value is told[name]


@torch.no_grad()
def test_contexts_are_patterns_at_points(host):
    inputs = host.decoder_inputs(*padded_batch())
    transformer = host.transformer
    assert host.num_queries == inputs["tgt"].shape[1] == 12
    for pattern in range(2):
        own = slice(6 * pattern, 6 * pattern + 6)
        assert torch.equal(inputs["tgt"][1, own], transformer.pattern.weight[pattern].expand(6, -1))
        assert torch.equal(inputs["reference_points"][1, own], transformer.position.weight)


def test_a_grid_of_points_is_fixed_and_square():
    transformer = small_host(spatial_prior="grid", num_query_position=10).transformer
    assert transformer.num_position == 9
    assert "position.weight" not in transformer.state_dict()
    # detrex's order: x is the slow one
    expected = torch.tensor([[0.5, 0.5], [0.5, 1.5], [0.5, 2.5], [1.5, 0.5]]) / 3
    torch.testing.assert_close(transformer.points()[:4], expected)
    logits, boxes = transformer(torch.randn(1, 1, 256, 3, 4), torch.zeros(1, 3, 4, dtype=torch.bool))
    assert logits.shape == (3, 1, 18, 7)
    torch.testing.assert_close(boxes[0, 0, :9, :2], transformer.points(), atol=1e-6, rtol=0)


@torch.no_grad()
def test_fresh_boxes_sit_on_their_points(host):
    found = host(*padded_batch())
    points = host.decoder_inputs(*padded_batch())["reference_points"]
    torch.testing.assert_close(found["pred_boxes"][-1, ..., :2], points.clamp(1e-3, 1 - 1e-3), atol=1e-5, rtol=0)
    torch.testing.assert_close(found["pred_boxes"][..., 2:], torch.full((3, 2, 12, 2), 0.1192), atol=1e-4, rtol=0)


@torch.no_grad()
def test_a_batch_gives_what_its_images_give_alone():
    """With plain attention, for the reason above."""
    fixture = golden_io.load("hosts/anchor_detr_mha")
    host = golden_host(fixture)
    features, mask = host.input_proj(fixture["in.res5"]), fixture["in.mask"]
    together = host.transformer(features[:, None], mask)
    for image in range(2):
        height, width = int((~mask[image, :, 0]).sum()), int((~mask[image, 0]).sum())
        part = features[image, None, None, :, :height, :width]
        alone = host.transformer(part, mask[image, None, :height, :width])
        for ours, theirs in zip(alone, together):
            torch.testing.assert_close(ours[:, 0], theirs[:, image], atol=2e-5, rtol=0)


def test_one_forward_on_the_meta_device():
    """A failure here means that something was made on a fixed device and would break on a GPU."""
    images, mask = padded_batch()
    for changes in ({}, {"spatial_prior": "grid"}, {"attention_type": "nn.MultiheadAttention"}):
        found = small_host(**changes).to("meta")(images.to("meta"), mask.to("meta"))
        assert all(value.is_meta for value in found.values())


@torch.no_grad()
def test_double_precision(host):
    images, mask = padded_batch()
    single = host(images, mask)
    double = copy.deepcopy(host).double()(images.double(), mask)
    assert double["pred_logits"].dtype == torch.float64
    torch.testing.assert_close(double["pred_logits"].float(), single["pred_logits"], atol=1e-4, rtol=0)


def test_gradients_reach_what_is_not_frozen(host):
    host = copy.deepcopy(host).train()
    sum(value.square().sum() for value in host(*padded_batch()).values()).backward()
    idle = {n for n, p in host.named_parameters() if p.requires_grad and p.grad is None}
    plain = host.transformer.attention_type != "RCDA"
    assert idle == {n for n, _ in host.named_parameters() if plain and "adapt_pos1d" in n}
    assert host.backbone.body.layer2[0].conv1.weight.grad.abs().max() > 0
    assert host.backbone.body.conv1.weight.grad is None
    assert host.transformer.position.weight.grad.abs().max() > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"attention_type": "linear"}, r"attention_type= expects one of \('RCDA', .*\)\. Got 'linear'"),
        ({"activation": "glu"}, r"activation= expects one of \('relu', 'gelu'\)\. Got 'glu'"),
        ({"spatial_prior": "random"}, r"\(spatial_prior=\) expects learned or grid\. Got 'random'"),
        ({"num_feature_levels": 4}, r"\(num_feature_levels=\) expects 1\. Got 4"),
    ],
)
def test_unknown_choices_are_refused(changes, message):
    with pytest.raises(HostConfigError, match=message + r"\.$"):
        small_host(**changes)
