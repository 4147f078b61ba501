"""Levels, frames and proposals on numbers worked by hand."""

import pytest
import torch

from dsct_detrex.layers.levels import encoder_references, flatten_levels, grid_proposals, scale_references


@pytest.fixture
def levels():
    """Two levels (2x4, 1x2); of the second image only the left half is valid."""
    masks = [torch.zeros(2, 2, 4, dtype=torch.bool), torch.zeros(2, 1, 2, dtype=torch.bool)]
    masks[0][1, :, 2:] = True
    masks[1][1, :, 1:] = True
    features = [torch.arange(16.0).reshape(2, 1, 2, 4), 100 + torch.arange(4.0).reshape(2, 1, 1, 2)]
    positions = [torch.zeros_like(f) for f in features]
    return flatten_levels(features, masks, positions, torch.tensor([[1.0], [2.0]]))


def test_tokens_run_level_by_level_row_by_row(levels):
    assert levels.tokens[0, :, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 100, 101]
    assert levels.positions[0, :, 0].tolist() == [1] * 8 + [2] * 2
    assert levels.padding[1].tolist() == [False, False, True, True] * 2 + [False, True]
    assert levels.sizes == ((2, 4), (1, 2))
    assert levels.spatial_shapes.tolist() == [[2, 4], [1, 2]]
    assert levels.level_start_index.tolist() == [0, 8]


def test_valid_ratios_are_width_then_height(levels):
    assert levels.valid_sizes[1].tolist() == [[2, 2], [1, 1]]
    assert levels.valid_ratios[0].tolist() == [[1, 1], [1, 1]]
    assert levels.valid_ratios[1].tolist() == [[0.5, 1], [0.5, 1]]


def test_tokens_refer_to_their_own_pixel(levels):
    references = encoder_references(levels)
    assert references.shape == (2, 10, 2, 2)
    # second pixel of the first row of level 0: x = 1.5 of 4 pixels in the padded map, in both images
    assert references[0, 1].tolist() == [[0.375, 0.25], [0.375, 0.25]]
    assert references[1, 1].tolist() == [[0.375, 0.25], [0.375, 0.25]]


def test_scaling_takes_points_and_boxes(levels):
    point = torch.tensor([[[0.5, 0.5]]]).expand(2, 1, 2)
    assert scale_references(point, levels.valid_ratios)[1, 0, 0].tolist() == [0.25, 0.5]
    box = torch.tensor([[[0.5, 0.5, 0.2, 0.4]]]).expand(2, 1, 4)
    scaled = scale_references(box, levels.valid_ratios)
    assert scaled.shape == (2, 1, 2, 4)
    torch.testing.assert_close(scaled[1, 0, 0], torch.tensor([0.25, 0.5, 0.1, 0.4]))


def test_proposals_sit_on_pixels_and_double_in_size(levels):
    proposals, candidate = grid_proposals(levels)
    boxes = proposals.sigmoid()
    torch.testing.assert_close(boxes[0, 1], torch.tensor([0.375, 0.25, 0.05, 0.05]))
    torch.testing.assert_close(boxes[1, 1], torch.tensor([0.75, 0.25, 0.05, 0.05]))  # of the unpadded half
    torch.testing.assert_close(boxes[0, 8], torch.tensor([0.25, 0.5, 0.1, 0.1]))
    assert candidate[0].all()
    assert candidate[1].tolist() == [True, True, False, False] * 2 + [True, False]
    assert torch.isposinf(proposals[~candidate]).all()


def test_proposals_at_the_border_are_no_candidates():
    mask, feature = [torch.zeros(1, 1, 200, dtype=torch.bool)], [torch.zeros(1, 1, 1, 200)]
    _, candidate = grid_proposals(flatten_levels(feature, mask, feature, torch.zeros(1, 1)))
    # centres at 0.0025, 0.0075, 0.0125, ...: two on each side lie within 0.01
    assert candidate[0].nonzero().flatten().tolist() == list(range(2, 198))
