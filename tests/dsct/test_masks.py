"""Masks of contexts, subjects and training-only groups, on cases small enough to write down."""

import torch

from dsct_detrex.dsct.masks import query_padding, self_attention_mask, subject_mask

GROUPS = torch.tensor([0, 1, 1])


def rows(mask):
    return ["".join("x" if blocked else "." for blocked in row) for row in mask.tolist()]


def test_groups_read_contexts_and_nobody_reads_groups():
    assert rows(self_attention_mask(2, 3, GROUPS, True, torch.device("cpu"))) == [
        "...xx",
        "...xx",
        "...xx",
        "..x..",
        "..x..",
    ]


def test_isolated_contexts_see_no_subject():
    assert rows(self_attention_mask(1, 2, None, False, torch.device("cpu"))) == [".xx", "...", "..."]
    assert self_attention_mask(1, 2, None, True, torch.device("cpu")) is None


def test_an_empty_slot_is_seen_by_itself_alone():
    padding = torch.tensor([[False, False, True], [False, False, False]])
    full, none = subject_mask(GROUPS, padding)
    assert rows(full) == [".xx", "x.x", "x.."]
    assert rows(none) == [".xx", "x..", "x.."] == rows(subject_mask(GROUPS))
    assert subject_mask(None) is None


def test_contexts_are_never_empty_slots():
    assert rows(query_padding(2, torch.tensor([[False, True]]))) == ["...x"]
    assert query_padding(2, None) is None
