"""Hosts with one map: what reaches the decoder, who sees padding, denoising queries, how fresh hosts start."""

import golden_io
import pytest
import torch

from dsct_detrex.hosts import HostConfigError

from .build import build_host, golden_arguments, golden_host, padded_batch, small_config

NAMES = ["detr", "conditional_detr", "dab_detr", "dab_detr_patterns", "dn_detr"]
WITH_BOXES = NAMES[2:]
COMMON = {"query", "key", "value", "key_pos"}
OWN = {
    "detr": {"query_pos", "key_padding_mask"},
    "conditional_detr": {"query_pos"},
    "dab_detr": {"anchor_box_embed"},
    "dab_detr_patterns": {"anchor_box_embed"},
    "dn_detr": {"anchor_box_embed", "attn_masks"},
}


@pytest.fixture(scope="module", params=NAMES)
def case(request):
    torch.manual_seed(0)
    return request.param, build_host(small_config(request.param))


@pytest.fixture
def fresh(request):
    config = golden_io.load(f"hosts/{request.param}").meta["config"]
    return build_host(config)


@torch.no_grad()
def test_decoder_inputs_are_what_a_hook_captures(case):
    name, host = case
    seen = []
    hook = host.transformer.decoder.register_forward_pre_hook(
        lambda _, args, keywords: seen.append((args, keywords)), with_kwargs=True
    )
    told = host.decoder_inputs(*padded_batch())
    assert seen == []
    host(*padded_batch())
    hook.remove()
    assert seen[0][0] == ()
    captured = seen[0][1]
    assert set(captured) == set(told) == COMMON | OWN[name]
    assert all(told[key].shape == captured[key].shape for key in COMMON)


@torch.no_grad()
def test_forward_shapes_and_ranges(case):
    name, host = case
    found = host(*padded_batch())
    queries = 10 if name == "dab_detr_patterns" else 12
    assert found["pred_logits"].shape == (3, 2, queries, 8 if name == "detr" else 7)
    assert found["pred_boxes"].shape == (3, 2, queries, 4)
    assert ((found["pred_boxes"] >= 0) & (found["pred_boxes"] <= 1)).all()


def test_one_forward_on_the_meta_device(case):
    """A failure here means that something was made on a fixed device and would break on a GPU."""
    name, _ = case
    with torch.device("meta"):
        host = build_host(small_config(name))
    images, mask = padded_batch()
    assert all(value.is_meta for value in host(images.to("meta"), mask.to("meta")).values())


@torch.no_grad()
@pytest.mark.parametrize("name", NAMES)
def test_only_detr_hides_padding_from_its_queries(name):
    """As in detrex: the others' decoders get no mask of the keys. DSCT's adapter adds it."""
    fixture = golden_io.load(f"hosts/{name}")
    host = golden_host(fixture)
    features, mask, *more = golden_arguments(fixture, host)
    noisy = torch.where(mask[:, None], torch.randn_like(features), features)
    clean, other = (host.predict(*host.transformer(x, mask, *more))["pred_logits"] for x in (features, noisy))
    assert torch.equal(clean, other) == (name == "detr")


@torch.no_grad()
def test_denoising_queries_and_masks_match_detrex():
    fixture = golden_io.load("hosts/dn_detr")
    host = golden_host(fixture)
    features, mask, _, positions, *_ = golden_arguments(fixture, host)
    states, boxes = host.transformer(
        features,
        mask,
        fixture["out.dn_box_query"],
        positions,
        target=fixture["out.dn_label_query"],
        attn_mask=[fixture["out.dn_attn_mask"], None],
    )
    predictions = host.predict(states, boxes)
    num_extra = states.shape[2] - host.num_queries
    found = {
        "dn_hs": states,
        "dn_references": boxes,
        "dn_pred_logits": predictions["pred_logits"][:, :, :num_extra],
        "dn_pred_boxes": predictions["pred_boxes"][:, :, :num_extra],
        "dn_match_pred_logits": predictions["pred_logits"][:, :, num_extra:],
        "dn_match_pred_boxes": predictions["pred_boxes"][:, :, num_extra:],
    }
    for name, value in found.items():
        assert golden_io.max_abs_diff(value, fixture[f"out.{name}"]) <= fixture.meta["tolerance"]["abs"], name


@torch.no_grad()
def test_dn_detr_needs_no_indicator():
    config = golden_io.load("hosts/dn_detr").meta["config"]
    with_one, without = (build_host(config, with_indicator=value) for value in (True, False))
    contents = [host.query_arguments()[1] for host in (with_one, without)]
    assert all(content.shape == (12, 1, 256) for content in contents)
    assert (contents[0][..., -1] == 0).all()
    assert (contents[1][..., -1] != 0).all()


@torch.no_grad()
def test_patterns_come_one_after_the_other():
    fixture = golden_io.load("hosts/dab_detr_patterns")
    host = golden_host(fixture)
    inputs = host.transformer.decoder_inputs(*golden_arguments(fixture, host))
    content, anchors = inputs["query"][:, 0], inputs["anchor_box_embed"][:, 1]
    assert torch.equal(content[:5], host.transformer.patterns.weight[:1].expand(5, -1))
    assert torch.equal(content[5:], host.transformer.patterns.weight[1:].expand(5, -1))
    assert torch.equal(anchors[:5], host.anchor_box_embed.weight)
    assert torch.equal(anchors[5:], host.anchor_box_embed.weight)


@torch.no_grad()
@pytest.mark.parametrize("fresh", ["conditional_detr", *WITH_BOXES], indirect=True)
def test_fresh_boxes_are_the_references(fresh):
    states, references = torch.randn(3, 2, 12, 256), torch.rand(2, 12, 4).clamp(0.01, 0.99)
    boxes = fresh.predict(states, references)["pred_boxes"]
    torch.testing.assert_close(boxes, references.expand(3, -1, -1, -1))
    torch.testing.assert_close(fresh.class_embed.bias.sigmoid(), torch.full((7,), 0.01))


@pytest.mark.parametrize("fresh", WITH_BOXES, indirect=True)
def test_one_box_head_predicts_and_refines(fresh):
    assert fresh.transformer.decoder.bbox_embed is fresh.bbox_embed
    assert fresh.anchor_box_embed.weight.requires_grad


@torch.no_grad()
def test_anchor_centres_are_spread_on_request():
    config = golden_io.load("hosts/dab_detr").meta["config"]
    spread, normal = (build_host(config, num_queries=2000, freeze_anchor_box_centers=value) for value in (True, False))
    for host, share in ((spread, 0.1), (normal, 0.014)):
        centres = host.anchor_box_embed.weight[:, :2].sigmoid()
        assert abs((centres < 0.1).float().mean() - share) < 0.02


def test_later_predictions_train_the_refinement_before():
    """References that a box is relative to keep their gradient; those that a layer starts from do not."""
    fixture = golden_io.load("hosts/dab_detr")
    host = golden_host(fixture)
    for boxes_only in (True, False):
        host.zero_grad()
        states, boxes = host.transformer(*golden_arguments(fixture, host))
        (boxes[1] if boxes_only else states[1]).sum().backward()
        assert (host.bbox_embed.layers[-1].bias.grad is not None) == boxes_only


@torch.no_grad()
@pytest.mark.parametrize("name", NAMES)
def test_last_layer_alone_on_request(name):
    fixture = golden_io.load(f"hosts/{name}")
    host = golden_host(fixture)
    arguments = golden_arguments(fixture, host)
    states, *_ = host.transformer(*arguments)
    host.transformer.decoder.return_intermediate = False
    last, *references = host.transformer(*arguments)
    assert torch.equal(last, states[-1:])
    assert host.predict(last, *references)["pred_boxes"].shape[0] == 1


def test_later_layers_have_no_position_projection():
    layers = golden_host(golden_io.load("hosts/conditional_detr")).transformer.decoder.layers
    assert [layer.attentions[1].query_pos_proj is None for layer in layers] == [False, True, True]
    assert all(layer.attentions[0].query_pos_proj is not None for layer in layers)


@pytest.mark.parametrize("name", NAMES)
def test_batch_first_layouts_are_refused(name):
    config = golden_io.load(f"hosts/{name}").meta["config"]
    with pytest.raises(HostConfigError, match=r"Encoder\(batch_first=\) expects False: maps come sequence first\."):
        build_host(config, transformer={"encoder": {"batch_first": True}})
    with pytest.raises(ValueError, match=r"\(batch_first=\) expects False: .*Got True\.$"):
        build_host(config, transformer={"decoder": {"batch_first": True}})


@torch.no_grad()
def test_detr_reports_every_query_with_its_best_class_but_nothing():
    host = build_host(golden_io.load("hosts/detr").meta["config"])
    logits = torch.tensor([[[0.0] * 7 + [9.0], [2.0] + [0.0] * 7]])
    found = host.inference(logits, torch.full((1, 2, 4), 0.5), [(10, 20)])[0]
    expected = logits[0].softmax(-1)[torch.arange(2), found["pred_classes"]]
    torch.testing.assert_close(found["scores"], expected)
    assert found["pred_classes"][1] == 0
    assert found["scores"][0] < 0.01
    torch.testing.assert_close(found["pred_boxes"], torch.tensor([[5.0, 2.5, 15.0, 7.5]] * 2))
