"""H-Deformable-DETR's own: one-to-many queries behind a mask, mixed selection, what detrex cannot run."""

import golden_io
import pytest
import torch

from dsct_detrex.hosts import HostConfigError

from .build import build_host, golden_host, golden_maps

FORMS = ["h_deformable_detr", "h_deformable_detr_box_refine", "h_deformable_detr_two_stage"]


@pytest.fixture(scope="module", params=FORMS)
def golden(request):
    return golden_io.load(f"hosts/{request.param}")


def all_queries(golden, mask):
    """A host and what its transformer makes of one-to-one and one-to-many queries together."""
    host = golden_host(golden)
    host.transformer.two_stage_num_proposals = host.num_queries
    return host, host.transformer(*golden_maps(golden), host.query_embedding.weight, mask)


@torch.no_grad()
def test_one_to_many_queries_match_detrex(golden):
    host, outputs = all_queries(golden, golden["out.full_self_attn_mask"])
    predictions = host.predict(*outputs)
    found = {"hs": outputs[0]}
    for what in ("logits", "boxes"):
        found[f"pred_{what}_one2one"], found[f"pred_{what}_one2many"] = predictions[f"pred_{what}"].split([12, 18], 2)
    for name, value in found.items():
        assert golden_io.max_abs_diff(value, golden[f"out.full_{name}"]) <= golden.meta["tolerance"]["abs"], name


@torch.no_grad()
def test_without_the_mask_one_to_many_queries_disturb(golden):
    _, outputs = all_queries(golden, None)
    assert (outputs[0][:, :, :12] - golden["out.full_hs"][:, :, :12]).abs().max() > 1e-3


def test_only_one_to_one_queries_are_used_in_either_mode(golden):
    host = golden_host(golden)
    assert host.transformer.two_stage_num_proposals == host.num_queries_one2one == 12
    assert host.num_queries == 30
    for mode in (True, False):
        inputs = host.train(mode).transformer.decoder_inputs(*golden_maps(golden), *host.query_arguments())
        assert inputs["query"].shape[1] == inputs["reference_points"].shape[1] == 12
        assert inputs["attn_masks"] == [None, None]


def test_mixed_selection_learns_contents_and_takes_positions_from_proposals():
    golden = golden_io.load("hosts/h_deformable_detr_two_stage")
    inputs = {}
    for mixed in (True, False):
        torch.manual_seed(0)
        changes = {"mixed_selection": mixed, "transformer": {"mixed_selection": mixed}}
        host = build_host(golden.meta["config"], **changes)
        inputs[mixed] = host.transformer.decoder_inputs(*golden_maps(golden), *host.query_arguments())
        assert (host.query_embedding is None) == (not mixed)
        if mixed:
            learned = host.query_embedding.weight[:12].expand(2, -1, -1)
            torch.testing.assert_close(inputs[mixed]["query"], learned, atol=0, rtol=0)
    torch.testing.assert_close(inputs[True]["query_pos"], inputs[False]["query_pos"], atol=0, rtol=0)
    assert (inputs[False]["query"][0] - inputs[False]["query"][1]).abs().max() > 1e-3


def test_what_detrex_cannot_run_is_refused():
    config = golden_io.load_json("hosts/h_deformable_detr_box_refine")["config"]
    with pytest.raises(HostConfigError, match=r"expects True with a decoder that looks forward twice.* Got False; set"):
        build_host(config, with_box_refine=False)
    config = golden_io.load_json("hosts/h_deformable_detr_two_stage")["config"]
    with pytest.raises(
        HostConfigError, match=r"\(mixed_selection=\) expects its transformer's value, True\. Got False"
    ):
        build_host(config, mixed_selection=False)
    plain = {"transformer": {"decoder": {"look_forward_twice": False}}}
    with pytest.raises(HostConfigError, match=r"^HDeformableDETR\(as_two_stage=True\) expects with_box_refine=True\."):
        build_host(config, with_box_refine=False, **plain)
