"""Boxes: golden numbers of detrex, overlaps worked by hand, and offsets on points and boxes."""

import golden_io
import pytest
import torch

from dsct_detrex.layers.boxes import (
    apply_box_offsets,
    box_area,
    box_cxcywh_to_xyxy,
    box_iou,
    box_xyxy_to_cxcywh,
    elementwise_box_iou,
    elementwise_generalized_box_iou,
    generalized_box_iou,
    inverse_sigmoid,
)


@pytest.fixture(scope="module")
def golden():
    return golden_io.load("layers/box_ops")


def check(golden, value, name):
    assert golden_io.max_abs_diff(value.detach(), golden[name]) <= golden.meta["tolerance"]["abs"]


def test_formats_match_detrex(golden):
    corners = box_cxcywh_to_xyxy(golden["in.a_cxcywh"])
    check(golden, corners, "out.a_xyxy")
    check(golden, box_cxcywh_to_xyxy(golden["in.b_cxcywh"]), "out.b_xyxy")
    check(golden, box_xyxy_to_cxcywh(corners), "out.a_back")


def test_overlaps_and_gradients_match_detrex(golden):
    a, b = (golden[name].clone().requires_grad_() for name in ("out.a_xyxy", "out.b_xyxy"))
    iou, union = box_iou(a, b)
    giou = generalized_box_iou(a, b)
    giou.backward(golden["in.grad"])
    check(golden, iou, "out.iou")
    check(golden, union, "out.union")
    check(golden, giou, "out.giou")
    check(golden, a.grad, "out.giou_grad_a")
    check(golden, b.grad, "out.giou_grad_b")


@pytest.mark.parametrize(("name", "eps"), [("out.inverse_sigmoid", {}), ("out.inverse_sigmoid_1e5", {"eps": 1e-5})])
def test_inverse_sigmoid_matches_detrex(golden, name, eps):
    check(golden, inverse_sigmoid(golden["in.x"], **eps), name)


@pytest.mark.parametrize(
    ("a", "b", "iou", "giou"),
    [
        ([0, 0, 2, 2], [0, 0, 2, 2], 1.0, 1.0),
        ([0, 0, 2, 2], [1, 0, 3, 2], 1 / 3, 1 / 3),  # 2 of 6, the hull holds nothing else
        ([0, 0, 1, 1], [2, 0, 3, 1], 0.0, -1 / 3),  # apart: a third of the hull is empty
        ([0, 0, 2, 2], [1, 1, 1, 1], 0.0, 0.0),  # a point inside
    ],
    ids=["same", "half", "apart", "point"],
)
def test_exact_overlaps_worked_by_hand(a, b, iou, giou):
    a, b = torch.tensor(a).double(), torch.tensor(b).double()
    torch.testing.assert_close(elementwise_box_iou(a, b, eps=0)[0].item(), iou)
    torch.testing.assert_close(elementwise_generalized_box_iou(a, b, eps=0).item(), giou)


def test_pairwise_is_elementwise_on_all_pairs_and_takes_batches():
    a, b = box_cxcywh_to_xyxy(torch.rand(3, 4, 4)), box_cxcywh_to_xyxy(torch.rand(3, 5, 4))
    pairwise = generalized_box_iou(a, b)
    assert pairwise.shape == (3, 4, 5)
    torch.testing.assert_close(pairwise[2, 3, 1], elementwise_generalized_box_iou(a[2, 3], b[2, 1]))
    torch.testing.assert_close(box_iou(a, b)[0][1], box_iou(a[1], b[1])[0])


def test_no_boxes_at_all():
    assert box_iou(torch.zeros(0, 4), torch.zeros(3, 4))[0].shape == (0, 3)
    assert generalized_box_iou(torch.zeros(2, 4), torch.zeros(0, 4)).shape == (2, 0)
    assert box_area(torch.zeros(0, 4)).shape == (0,)


def test_zero_offsets_keep_a_box():
    box = torch.tensor([[0.3, 0.4, 0.2, 0.1]])
    torch.testing.assert_close(apply_box_offsets(torch.zeros(1, 4), box), box)


def test_offsets_move_a_point_and_size_the_box_alone():
    point = torch.tensor([[0.3, 0.4]])
    moved = apply_box_offsets(torch.tensor([[0.0, 0.0, -2.0, 1.0]]), point)
    torch.testing.assert_close(moved, torch.tensor([[0.3, 0.4, 0.1192, 0.7311]]), atol=1e-4, rtol=0)


def test_offsets_leave_their_inputs_alone():
    offsets, box = torch.ones(2, 4), torch.full((2, 4), 0.5)
    apply_box_offsets(offsets, box)
    assert (offsets == 1).all()
    assert (box == 0.5).all()
