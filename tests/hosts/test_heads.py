"""Fresh heads: priors, sizes, ties, as detrex initialises them."""

import pytest
import torch

from dsct_detrex.hosts.heads import prediction_heads


@pytest.mark.parametrize("tied", [True, False])
def test_fresh_heads_start_at_the_prior_and_draw_small_boxes(tied):
    class_heads, box_heads = prediction_heads(8, 5, 3, tied=tied, initial_size_logit=-2.0)
    states = torch.randn(4, 8)
    for index, (classify, box) in enumerate(zip(class_heads, box_heads)):
        torch.testing.assert_close(classify.bias.sigmoid(), torch.full((5,), 0.01))
        size = -2.0 if tied or index == 0 else 0.0
        torch.testing.assert_close(box(states), torch.tensor([0.0, 0.0, size, size]).expand(4, 4))


def test_untied_heads_are_equal_copies():
    class_heads, box_heads = prediction_heads(8, 5, 3, tied=False, initial_size_logit=0.0)
    assert class_heads[0].weight is not class_heads[1].weight
    torch.testing.assert_close(class_heads[0].weight, class_heads[2].weight)
    torch.testing.assert_close(box_heads[0].layers[0].weight, box_heads[2].layers[0].weight)
    assert box_heads[0].layers[0].weight is not box_heads[2].layers[0].weight


def test_tied_heads_are_one():
    class_heads, box_heads = prediction_heads(8, 5, 3, tied=True, initial_size_logit=-2.0)
    assert len({id(head) for head in class_heads}) == 1
    assert len(list(box_heads.parameters())) == 6
