"""Deformable DETR's three forms: what each one owns, how it starts, what it refuses."""

import golden_io
import pytest
import torch

from dsct_detrex.hosts import HostConfigError

from .build import build_host, golden_maps

FORMS = ["deformable_detr", "deformable_detr_box_refine", "deformable_detr_two_stage"]


@pytest.fixture(params=FORMS)
def form(request):
    fixture = golden_io.load(f"hosts/{request.param}")
    return request.param, build_host(fixture.meta["config"]), golden_maps(fixture)


def test_heads_live_where_the_decoder_needs_them(form):
    name, host, _ = form
    decoder = host.transformer.decoder
    assert decoder.bbox_embed is (None if name == "deformable_detr" else host.bbox_embed)
    assert decoder.class_embed is (host.class_embed if name.endswith("two_stage") else None)
    assert len(host.class_embed) == len(host.bbox_embed) == decoder.num_layers + name.endswith("two_stage")


def test_adapters_can_tell_it_from_dino_by_structure(form):
    _, host, _ = form
    assert not hasattr(host.transformer.decoder, "norm")
    assert not hasattr(host.transformer.decoder, "ref_point_head")


@torch.no_grad()
def test_fresh_model_keeps_its_references(form):
    name, host, maps = form
    states, initial, after, *_ = host.transformer(*maps, *host.query_arguments())
    boxes = host.predict(states, initial, after, None, None)["pred_boxes"]
    # references are clamped to [0.001, 0.999] in logit space
    kept = initial.clamp(1e-3, 1 - 1e-3)
    torch.testing.assert_close(boxes[..., :2], kept[..., :2].expand(3, -1, -1, -1), atol=1e-5, rtol=0)
    if name == "deformable_detr_two_stage":
        torch.testing.assert_close(boxes[-1], kept, atol=1e-5, rtol=0)
    else:
        torch.testing.assert_close(boxes[0, ..., 2:], torch.full((2, 12, 2), 0.1192), atol=1e-4, rtol=0)


@torch.no_grad()
def test_references_move_only_where_the_host_refines():
    for name in FORMS:
        fixture = golden_io.load(f"hosts/{name}")
        host = build_host(fixture.meta["config"])
        for head in host.bbox_embed:
            torch.nn.init.normal_(head.layers[-1].weight)
        _, initial, after, *_ = host.transformer(*golden_maps(fixture), *host.query_arguments())
        moved = (after[-1, ..., :2] - initial[..., :2]).abs().max() > 1e-3
        assert bool(moved) == (name != "deformable_detr")


def test_fresh_transformer_weights(form):
    _, host, _ = form
    transformer = host.transformer
    bound = (6 / (transformer.embed_dim + 96)) ** 0.5
    assert transformer.encoder.layers[0].ffns[0].layers[0][0].weight.abs().max() <= bound
    assert 0.8 < transformer.level_embeds.std() < 1.2
    assert (transformer.encoder.layers[1].attentions[0].sampling_offsets.weight == 0).all()
    assert transformer.decoder.layers[1].attentions[1].sampling_offsets.bias.abs().max() > 1
    if not transformer.as_two_stage:
        assert (transformer.reference_points.bias == 0).all()


def test_only_learned_queries_have_an_embedding(form):
    name, host, _ = form
    assert (host.query_embedding is None) == name.endswith("two_stage")


def test_contradictions_are_refused():
    config = golden_io.load_json("hosts/deformable_detr")["config"]
    with pytest.raises(HostConfigError, match=r"\(as_two_stage=True\) expects with_box_refine=True\. Got False\.$"):
        build_host(config, as_two_stage=True)
    with pytest.raises(HostConfigError, match=r"expects its transformer's value, False\. Got True\.$"):
        build_host(config, as_two_stage=True, with_box_refine=True)


def test_last_layer_alone_on_request():
    fixture = golden_io.load("hosts/deformable_detr_box_refine")
    host = build_host(fixture.meta["config"])
    inputs = host.transformer.decoder_inputs(*golden_maps(fixture), *host.query_arguments())
    states, references = host.transformer.decoder(**inputs)
    host.transformer.decoder.return_intermediate = False
    state, reference = host.transformer.decoder(**inputs)
    torch.testing.assert_close(state, states[-1], atol=0, rtol=0)
    torch.testing.assert_close(reference, references[-1], atol=0, rtol=0)


def test_checkpointed_layers_give_the_same_gradients():
    fixture = golden_io.load("hosts/deformable_detr_box_refine")
    gradients = []
    for use_checkpoint in (False, True):
        torch.manual_seed(0)
        part = {"use_checkpoint": use_checkpoint}
        host = build_host(fixture.meta["config"], transformer={"encoder": part, "decoder": part}).train()
        host.transformer(*golden_maps(fixture), *host.query_arguments())[0].square().sum().backward()
        gradients.append(host.transformer.level_embeds.grad)
    torch.testing.assert_close(gradients[0], gradients[1], atol=0, rtol=0)
