"""DINO's own: denoising queries in front, content from proposals, gradients that look forward twice."""

import golden_io
import pytest
import torch

from .build import build_host, golden_host, golden_maps


@pytest.fixture(scope="module")
def golden():
    return golden_io.load("hosts/dino")


@pytest.fixture(scope="module")
def host(golden):
    return golden_host(golden)


@torch.no_grad()
def test_extra_queries_and_masks_match_detrex(golden, host):
    extra = golden["out.dn_label_query"], golden["out.dn_box_query"]
    masks = [golden["out.dn_attn_mask"], None]
    outputs = host.transformer(*golden_maps(golden), extra, attn_masks=masks)
    predictions = host.predict(*outputs)
    num_extra = extra[0].shape[1]
    found = {
        "dn_hs": outputs[0],
        "dn_init_reference": outputs[1],
        "dn_inter_references": outputs[2],
        "dn_pred_logits": predictions["pred_logits"][:, :, :num_extra],
        "dn_pred_boxes": predictions["pred_boxes"][:, :, :num_extra],
        "dn_match_pred_logits": predictions["pred_logits"][:, :, num_extra:],
        "dn_match_pred_boxes": predictions["pred_boxes"][:, :, num_extra:],
    }
    for name, value in found.items():
        assert golden_io.max_abs_diff(value, golden[f"out.{name}"]) <= golden.meta["tolerance"]["abs"], name


def test_decoder_inputs_as_detrex_measured(golden, host):
    inputs = host.transformer.decoder_inputs(*golden_maps(golden), (None, None), attn_masks=[None, None])
    assert inputs["query_pos"] is None
    assert inputs["key"] is inputs["value"]
    assert inputs["attn_masks"] == [None, None]
    assert inputs["reference_points"].shape == (2, 12, 4)
    assert not inputs["reference_points"].requires_grad
    torch.testing.assert_close(inputs["query"], host.transformer.tgt_embed.weight.expand(2, -1, -1))


def test_content_may_come_from_the_proposals(golden):
    config = golden.meta["config"]
    host = build_host(config, transformer={"learnt_init_query": False})
    outputs = host.transformer(*golden_maps(golden), (None, None))
    inputs = host.transformer.decoder_inputs(*golden_maps(golden), (None, None))
    assert not hasattr(host.transformer, "tgt_embed")
    torch.testing.assert_close(inputs["query"], outputs[3].detach())
    assert not inputs["query"].requires_grad


@pytest.mark.parametrize("look_forward_twice", [True, False])
def test_only_looking_forward_twice_trains_the_refinement_before(golden, look_forward_twice):
    config = golden.meta["config"]
    host = build_host(config, transformer={"decoder": {"look_forward_twice": look_forward_twice}})
    outputs = host.transformer(*golden_maps(golden), *host.query_arguments())
    host.predict(*outputs)["pred_boxes"][1].sum().backward()
    earlier = host.bbox_embed[0].layers[-1].bias.grad
    assert (earlier is not None and earlier.abs().max() > 0) == look_forward_twice
