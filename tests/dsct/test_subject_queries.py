"""Subject queries and masks, by hand."""

import torch

from dsct_detrex.dsct.masks import self_attention_mask
from dsct_detrex.dsct.subject_queries import QuerySpec, SubjectQueries, spread_anchors


def test_queries_own_what_the_host_needs_and_nothing_else():
    names = {
        (True, 0): ["content", "position"],
        (False, 4): ["content", "anchor"],
        (True, 4): ["content", "position", "anchor"],
    }
    for (position, anchor_dim), expected in names.items():
        queries = SubjectQueries(3, QuerySpec(8, position, anchor_dim))
        assert sorted(queries.state_dict()) == sorted(expected)
        subjects = queries(2)
        assert subjects.content.shape == (2, 3, 8)
        assert (subjects.anchor is None) == (anchor_dim == 0)


def test_anchors_cover_the_image():
    boxes = spread_anchors(16, 4).sigmoid()
    assert boxes[:, 2:].allclose(torch.tensor(0.3))
    cells = {(int(x * 3), int(y * 3)) for x, y in boxes[:, :2].tolist()}
    assert len(cells) == 9
    assert spread_anchors(2, 2).shape == (2, 2)


def test_mask_of_contexts_subjects_and_groups():
    mask = self_attention_mask(1, 3, torch.tensor([0, 1, 1]), True, torch.device("cpu"))
    #                context  S0     group 1
    expected = [
        [False, False, True, True],
        [False, False, True, True],
        [False, True, False, False],
        [False, True, False, False],
    ]
    assert mask.tolist() == expected
    blind = self_attention_mask(1, 2, None, False, torch.device("cpu"))
    assert blind.tolist() == [[False, True, True], [False, False, False], [False, False, False]]
    assert self_attention_mask(1, 2, None, True, torch.device("cpu")) is None
