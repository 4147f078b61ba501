"""Inclusive-pixel overlap and NMS: numbers worked by hand, and the official code's own results."""

from fractions import Fraction

import golden_io
import pytest
import torch

from dsct_detrex.evaluation.overlap import nms, pixel_iou
from dsct_detrex.layers.boxes import box_cxcywh_to_xyxy


@pytest.mark.parametrize(
    ("box", "other", "expected"),
    [
        ([0, 0, 9, 9], [0, 0, 9, 9], 1.0),
        ([0, 0, 9, 9], [5, 0, 14, 9], 50 / 150),  # five of ten columns; continuous IoU would be 36 / 126
        ([0, 0, 9, 9], [9, 9, 18, 18], 1 / 199),  # one shared pixel; continuous IoU would be 0
        ([0, 0, 9, 9], [10, 0, 19, 9], 0.0),
        ([3, 3, 3, 3], [3, 3, 3, 3], 1.0),  # a single pixel
    ],
)
def test_pixel_iou_by_hand(box: list[float], other: list[float], expected: float) -> None:
    iou = pixel_iou(torch.tensor([box]).float(), torch.tensor([other]).float())
    assert iou.item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("threshold", [0.01, 0.3, 0.5, 0.7])
def test_nms_keeps_what_the_official_code_keeps(threshold: float) -> None:
    fx = golden_io.load("dsct/nms_matching")
    dets = fx["in.dets"]
    torch.testing.assert_close(nms(dets[:, :4], dets[:, 4], threshold), fx[f"out.nms_{threshold}"])


def test_matching_by_overlap_equals_the_official_face_matching() -> None:
    fx = golden_io.load("dsct/nms_matching")
    matched = pixel_iou(fx["in.refer"], fx["in.dets"][:, :4]).argmax(-1)
    torch.testing.assert_close(matched, fx["out.matched"])


def test_normalised_boxes_rescale_as_in_the_official_code() -> None:
    """The frame in which predictions reach the evaluation: pixels of the original image, width 97 and height 61."""
    fx = golden_io.load("dsct/nms_matching")
    pixels = box_cxcywh_to_xyxy(fx["in.relative"]) * torch.tensor([97.0, 61.0, 97.0, 61.0])
    torch.testing.assert_close(pixels, fx["out.rescaled"], atol=1e-5, rtol=0)


def test_nms_keeps_the_first_of_equal_scores_and_a_box_exactly_at_the_threshold() -> None:
    boxes = torch.tensor([[0, 0, 9, 9], [0, 0, 9, 9], [5, 0, 14, 9]]).float()
    scores = torch.tensor([0.5, 0.5, 0.4])
    assert nms(boxes, scores, 1 / 3).tolist() == [0, 2]
    assert nms(boxes, scores, 0.33).tolist() == [0]


def test_nms_of_nothing_is_nothing() -> None:
    assert nms(torch.zeros(0, 4), torch.zeros(0), 0.5).tolist() == []


def greedy(boxes: torch.Tensor, scores: torch.Tensor, threshold: float) -> list[int]:
    """Suppression as its docstring tells it, in exact fractions."""

    def pixels(low: list[Fraction], high: list[Fraction]) -> Fraction:
        width, height = (max(end - start + 1, Fraction(0)) for start, end in zip(low, high, strict=True))
        return width * height

    corners = [[Fraction(side) for side in box] for box in boxes.tolist()]
    kept: list[int] = []
    for index in scores.argsort(descending=True, stable=True).tolist():
        box = corners[index]
        for other in (corners[i] for i in kept):
            shared = pixels([*map(max, box[:2], other[:2])], [*map(min, box[2:], other[2:])])
            union = pixels(box[:2], box[2:]) + pixels(other[:2], other[2:]) - shared
            if shared / union > Fraction(threshold).limit_denominator(1000):
                break
        else:
            kept.append(index)
    return kept


@pytest.mark.parametrize("threshold", [0.0, 0.25, 1 / 3, 0.5, 0.7, 1.0])
@pytest.mark.parametrize(("places", "largest"), [(5, 0), (12, 8), (640, 400), (0.75, 0.5)])
def test_nms_of_random_boxes_is_the_greedy_one(threshold: float, places: float, largest: float) -> None:
    """Crowds of whole pixels with many ties and overlaps exactly at a threshold, single pixels, parts of a pixel."""
    generator = torch.Generator().manual_seed(0)
    for count in range(25):
        corner, size = torch.rand(2, count, 2, generator=generator) * torch.tensor([places, largest])[:, None, None]
        if places > 1:
            corner, size = corner.floor(), size.floor()
        boxes = torch.cat([corner, corner + size], -1)
        scores = torch.randint(0, 6, (count,), generator=generator) / 5
        assert nms(boxes, scores, threshold).tolist() == greedy(boxes, scores, threshold)
