"""DAB-Deformable-DETR's own: learned anchors, positions scaled by content, proposals by the best class."""

import golden_io
import pytest
import torch

from dsct_detrex.hosts import HostConfigError

from .build import build_host, golden_host, golden_maps


@pytest.fixture(scope="module")
def golden():
    return golden_io.load("hosts/dab_deformable_detr")


@pytest.fixture(scope="module")
def host(golden):
    return golden_host(golden)


def test_fresh_queries_have_no_content_and_anchors_inside_the_image(golden):
    host = build_host(golden.meta["config"], num_queries=500)
    assert (host.tgt_embed.weight == 0).all()
    anchors = host.refpoint_embed.weight
    assert anchors.abs().max() == 3
    assert 0.2 < anchors.sigmoid().std() < 0.35  # uniform in [0, 1]: 0.29
    assert anchors.requires_grad


def test_fresh_boxes_of_the_first_layer_are_small_unless_proposed():
    for name, logit in [("dab_deformable_detr", -2.0), ("dab_deformable_detr_two_stage", 0.0)]:
        host = build_host(golden_io.load_json(f"hosts/{name}")["config"])
        assert (host.bbox_embed[0].layers[-1].bias[2:] == logit).all()
        assert (host.bbox_embed[1].layers[-1].bias == 0).all()


def test_decoder_inputs_as_detrex_measured(golden, host):
    inputs = host.transformer.decoder_inputs(*golden_maps(golden), *host.query_arguments())
    assert inputs["query_pos"] is None
    assert inputs["key"] is inputs["value"]
    assert inputs["reference_points"].shape == (12, 4)
    torch.testing.assert_close(inputs["reference_points"], host.refpoint_embed.weight.sigmoid())
    torch.testing.assert_close(inputs["query"], host.tgt_embed.weight.expand(2, -1, -1))


@torch.no_grad()
def test_content_scales_positions_from_the_second_layer_on(host):
    decoder, state, scaled = host.transformer.decoder, torch.randn(2, 12, 256), torch.rand(2, 12, 4, 4)
    first, second = (decoder.layer_query_pos(index, state, None, scaled) for index in (0, 1))
    torch.testing.assert_close(second, first * decoder.query_scale(state))
    other = decoder.layer_query_pos(0, torch.randn_like(state), None, scaled)
    torch.testing.assert_close(first, other, atol=0, rtol=0)


def test_two_stage_owns_no_queries_and_ranks_by_the_best_class():
    host = golden_host(golden_io.load("hosts/dab_deformable_detr_two_stage"))
    assert host.tgt_embed is None
    assert host.refpoint_embed is None
    assert host.query_arguments() == (None,)
    logits = torch.tensor([[[0.0, 3.0, 1.0], [2.0, 0.0, 1.0]]])
    assert host.transformer.proposal_scores(logits).tolist() == [[3.0, 2.0]]


def test_learned_anchors_are_trained_through_the_first_layer(golden):
    host = build_host(golden.meta["config"]).train()
    predictions = host.predict(*host.transformer(*golden_maps(golden), *host.query_arguments()))
    predictions["pred_boxes"][0].sum().backward()
    assert host.refpoint_embed.weight.grad.abs().min(1).values.max() > 0


def test_contradiction_is_refused(golden):
    with pytest.raises(
        HostConfigError, match=r"^DabDeformableDETR\(as_two_stage=\) expects its .* False\. Got True\.$"
    ):
        build_host(golden.meta["config"], as_two_stage=True)
