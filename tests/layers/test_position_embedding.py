"""Positions: golden numbers of detrex, at valid positions."""

from typing import Any

import golden_io
import pytest
import torch

from dsct_detrex.layers.position_embedding import (
    PositionEmbeddingLearned,
    PositionEmbeddingSine,
    get_sine_pos_embed,
    row_column_centres,
)


@pytest.fixture(scope="module")
def golden():
    return golden_io.load("layers/position_embedding")


@pytest.fixture(scope="module")
def points():
    return golden_io.load("layers/sine_embed")


def valid_diff(golden, value, name):
    valid = ~golden["in.mask"][:, None].expand_as(value)
    return golden_io.max_abs_diff(value.detach()[valid], golden[name][valid])


@pytest.mark.parametrize("name", ["detr", "dab", "deformable", "unnormalised", "half_scale"])
def test_sine_maps_match_detrex(golden, name):
    config = {k: v for k, v in golden.meta["config"][name].items() if k != "class"}
    value = PositionEmbeddingSine(**config)(golden["in.mask"])
    assert value.shape == golden[f"out.sine_{name}"].shape
    assert valid_diff(golden, value, f"out.sine_{name}") <= golden.meta["tolerance"]["abs"]


def test_full_size_map_matches_detrex(golden):
    config = {k: v for k, v in golden.meta["config"]["deformable"].items() if k != "class"}
    mask = golden["in.mask"]
    value = PositionEmbeddingSine(**{**config, "num_pos_feats": 128})(mask)
    total = value.masked_fill(mask[:, None], 0).sum((2, 3))
    corner = value[..., 2:4, 5:8]
    corner_valid = ~mask[:, None, 2:4, 5:8].expand_as(corner)
    assert golden_io.max_abs_diff(total, golden["out.sine_full_size_sum"]) <= 2e-5  # a sum of up to 54 values
    expected = golden["out.sine_full_size_corner"]
    assert golden_io.max_abs_diff(corner[corner_valid], expected[corner_valid]) <= 1e-5


def test_learned_map_matches_detrex(golden):
    module = PositionEmbeddingLearned(8, row_num_embed=12, col_num_embed=12)
    module.load_state_dict(golden.state_dict())
    value = module(golden["in.mask"])
    assert golden_io.max_abs_diff(value.detach(), golden["out.learned"]) <= golden.meta["tolerance"]["abs"]


def test_learned_map_names_its_limit():
    with pytest.raises(ValueError, match=r"expects maps of at most \(3, 4\)\. Got \(4, 4\)\.$"):
        PositionEmbeddingLearned(2, 3, 4)(torch.zeros(1, 4, 4, dtype=torch.bool))


@pytest.mark.parametrize(
    ("source", "name", "arguments"),
    [
        ("in.points", "out.points_128", {}),
        ("in.boxes", "out.boxes_128", {}),
        ("in.boxes", "out.boxes_32_t20_noswap", {"num_pos_feats": 32, "temperature": 20, "exchange_xy": False}),
        ("in.points", "out.anchor_2d", {}),
    ],
)
def test_points_and_boxes_match_detrex(points, source, name, arguments):
    value = get_sine_pos_embed(points[source], **arguments)
    assert golden_io.max_abs_diff(value, points[name]) <= points.meta["tolerance"]["abs"]


def test_one_coordinate_matches_anchor_detr(points):
    value = get_sine_pos_embed(points["in.points"][..., :1], 256, exchange_xy=False)
    assert golden_io.max_abs_diff(value, points["out.anchor_1d"]) <= points.meta["tolerance"]["abs"]


def test_rows_and_columns_match_anchor_detr(points):
    y, x = row_column_centres(points["in.mask"])
    assert golden_io.max_abs_diff(y, points["out.anchor_mask_y"]) <= points.meta["tolerance"]["abs"]
    assert golden_io.max_abs_diff(x, points["out.anchor_mask_x"]) <= points.meta["tolerance"]["abs"]


def test_points_take_any_leading_shape():
    boxes = torch.rand(3, 2, 5, 4)
    torch.testing.assert_close(get_sine_pos_embed(boxes)[1], get_sine_pos_embed(boxes[1]))


def test_padding_right_and_below_does_not_move_positions():
    embed = PositionEmbeddingSine(4, normalize=True, offset=-0.5)
    padded = torch.ones(1, 5, 7, dtype=torch.bool)
    padded[:, :3, :4] = False
    alone = embed(torch.zeros(1, 3, 4, dtype=torch.bool))
    torch.testing.assert_close(embed(padded)[..., :3, :4], alone, atol=0, rtol=0)


@pytest.mark.parametrize("arguments", [{"scale": (1.0, 2.0)}, {"temperature": 0}, {"num_pos_feats": -1}])
def test_what_is_no_positive_number_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=rf"PositionEmbeddingSine\({next(iter(arguments))}=\) expects"):
        PositionEmbeddingSine(**arguments)
