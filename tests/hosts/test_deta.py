"""DETA's own: proposals by NMS with a share for each level, contents from tokens, detections by NMS."""

import golden_io
import pytest
import torch

from dsct_detrex.hosts.deta_transformer import share_levels, surviving_tokens

from .build import build_host, golden_host, golden_maps


@pytest.fixture(scope="module")
def golden():
    return golden_io.load("hosts/deta")


@pytest.fixture(scope="module")
def host(golden):
    return golden_host(golden)


@torch.no_grad()
def test_anchors_match_detrex(golden, host):
    outputs = host.transformer(*golden_maps(golden), *host.query_arguments())
    assert len(outputs) == 6
    for anchors in (outputs[5], host.predict(*outputs)["enc_anchors"]):
        assert golden_io.max_abs_diff(anchors, golden["out.anchors"]) <= golden.meta["tolerance"]["abs"]


def test_detections_by_nms_match_detrex(host):
    nms = golden_io.load("hosts/deta_nms")
    boxes = torch.cat([nms["in.boxes_centre"], nms["in.boxes_size"]], -1)
    sizes = [(208, 200), (160, 256)]
    for image, found in enumerate(host.nms_inference(nms["in.logits"], boxes, sizes)):
        assert torch.equal(found["pred_classes"], nms[f"out.labels{image}"])
        assert golden_io.max_abs_diff(found["scores"], nms[f"out.scores{image}"]) <= nms.meta["tolerance"]["abs"]
        # pixels: the tolerance of normalised boxes times the longer side
        limit = nms.meta["tolerance"]["abs"] * max(sizes[image])
        assert golden_io.max_abs_diff(found["pred_boxes"], nms[f"out.boxes{image}"]) <= limit


def test_detections_by_nms_ask_for_no_more_pairs_than_there_are(host):
    boxes = torch.tensor([[[0.5, 0.5, 0.2, 0.2], [0.5, 0.5, 0.2, 0.21], [0.2, 0.2, 0.1, 0.1]]])
    logits = torch.tensor([[[2.0, -5.0], [1.0, -4.0], [0.0, -6.0]]])
    (found,) = host.nms_inference(logits, boxes, [(100, 100)])
    assert found["pred_classes"].tolist() == [0, 0, 1, 1]
    torch.testing.assert_close(found["scores"].logit(), torch.tensor([2.0, 0.0, -4.0, -6.0]), atol=1e-4, rtol=0)
    torch.testing.assert_close(found["pred_boxes"][0], torch.tensor([40.0, 40.0, 60.0, 60.0]))


def test_nms_works_within_levels():
    same = torch.tensor([0.1, 0.1, 0.5, 0.5])
    boxes = torch.stack([same, same, same, same + 0.3])
    scores, level = torch.tensor([1.0, 3.0, 2.0, 0.0]), torch.tensor([0, 0, 1, 1])
    assert surviving_tokens(boxes, scores, level, 2, 3).tolist() == [1, 2, 3]  # 0 hides behind 1
    assert surviving_tokens(boxes, scores, level, 2, 4).tolist() == [1, 2, 0, 3]  # too few: by score alone


def test_only_near_copies_hide_each_other():
    widths = (0.40, 0.35, 0.39)  # overlaps with the first: 0.875 and 0.975
    boxes = torch.tensor([[0.1, 0.1, 0.1 + width, 0.5] for width in widths])
    scores, level = torch.tensor([2.0, 1.0, 0.0]), torch.zeros(3, dtype=torch.long)
    assert surviving_tokens(boxes, scores, level, 1, 1).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (2, [0, 3]),  # one of each level
        (4, [0, 1, 3, 5]),  # two of each
        (5, [0, 1, 2, 3, 5]),  # two of each, and the first other
        (6, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_every_level_has_its_share(count, expected):
    tokens, level = torch.tensor([10, 11, 12, 20, 13, 21]), torch.tensor([0] * 20 + [1] * 5)
    assert share_levels(tokens, level, 2, count).tolist() == tokens[expected].tolist()


def test_a_level_without_enough_leaves_its_share_to_others():
    tokens, level = torch.tensor([0, 1, 2, 3]), torch.tensor([0, 0, 0, 1])
    assert share_levels(tokens, level, 2, 4).tolist() == [0, 1, 2, 3]


@torch.no_grad()
def test_small_images_propose_all_of_their_tokens(golden):
    host = build_host(golden.meta["config"], num_queries=20, transformer={"two_stage_num_proposals": 20})
    maps = tuple(tuple(level[..., :2, :2] for level in kind) for kind in golden_maps(golden))
    inputs = host.transformer.decoder_inputs(*maps, None)
    assert inputs["query"].shape[1] == 20  # five levels of four
    maps = tuple(tuple(level[..., :1, :1] for level in kind) for kind in golden_maps(golden))
    assert host.transformer.decoder_inputs(*maps, None)["query"].shape[1] == 5


@torch.no_grad()
def test_score_alone_may_choose(golden):
    config = golden.meta["config"]
    chosen = {}
    for assign in (True, False):
        host = build_host(config, transformer={"assign_first_stage": assign})
        host.load_state_dict(golden.state_dict())
        outputs = host.transformer(*golden_maps(golden), None)
        chosen[assign] = outputs[1]
    best = outputs[3][..., 0].topk(20).indices
    expected = outputs[4].sigmoid().gather(1, best[..., None].expand(-1, -1, 4))
    torch.testing.assert_close(chosen[False], expected)
    assert (chosen[True] - chosen[False]).abs().max() > 1e-3


@torch.no_grad()
def test_tokens_add_to_the_content_of_their_queries(golden, host):
    inputs = host.transformer.decoder_inputs(*golden_maps(golden), None)
    silent = golden_host(golden)
    silent.transformer.pix_trans_norm.weight.zero_()
    silent.transformer.pix_trans_norm.bias.zero_()
    without = silent.transformer.decoder_inputs(*golden_maps(golden), None)
    torch.testing.assert_close(inputs["query_pos"], without["query_pos"], atol=0, rtol=0)
    assert (inputs["query"] - without["query"]).abs().max() > 0.1


def test_a_one_stage_form_returns_no_anchors(golden):
    config = golden.meta["config"]
    host = build_host(config, as_two_stage=False, with_box_refine=False, transformer={"as_two_stage": False})
    outputs = host.transformer(*golden_maps(golden), *host.query_arguments())
    assert outputs[3:] == (None, None, None)
    assert not hasattr(host.transformer, "pix_trans")
    assert set(host.predict(*outputs)) == {"pred_logits", "pred_boxes"}
