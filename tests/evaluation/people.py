"""Small fabricated images for the evaluation tests: perfect, wrong or missing predictions of known people."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from dsct_detrex.structures import Boxes, Emotions, Instances

Pair = tuple[dict[str, Any], dict[str, Any]]


def confident_logits(emotions: Emotions, classes: Sequence[int], weight: float = 4.0) -> Tensor:
    """(n, K + 1) logits that favour one class per row."""
    logits = torch.full((len(classes), emotions.num_logits), -weight)
    logits[range(len(classes)), list(classes)] = weight
    return logits


def image_pair(
    emotions: Emotions,
    image_id: int,
    boxes: Tensor,
    labels: Sequence[Sequence[int]],
    logits: Tensor,
    pred_boxes: Tensor,
    size: tuple[int, int] = (100, 200),
) -> Pair:
    """One evaluation input and the model's output for it; all boxes xyxy in original pixels, size (height, width)."""
    truth = Instances(size, gt_boxes=Boxes(boxes))
    truth.set(emotions.target_field, emotions.encode(labels))
    predictions = Instances(size, pred_boxes=Boxes(pred_boxes), pred_logits=logits)
    image = {"image_id": image_id, "file_name": f"{image_id:04d}.png", "height": size[0], "width": size[1]}
    return {**image, "ground_truth": truth}, {"instances": predictions}


def row_of_boxes(count: int) -> Tensor:
    """(count, 4) people side by side, 20 pixels wide."""
    left = torch.arange(count).float() * 30
    return torch.stack([left, torch.full_like(left, 10), left + 20, torch.full_like(left, 60)], dim=-1)


def random_pairs(emotions: Emotions, images: int, seed: int = 0, most_people: int = 6) -> list[Pair]:
    """Images with 0 to ``most_people`` people and noisy predictions."""
    generator = torch.Generator().manual_seed(seed)

    def number(high: int) -> int:
        return int(torch.randint(high, (1,), generator=generator))

    pairs = []
    for image_id in range(images):
        boxes = row_of_boxes(number(most_people + 1))
        labels = [[number(emotions.num_emotions)] for _ in boxes]
        noise = torch.randn(8, emotions.num_logits, generator=generator)
        shifts = torch.rand(8, 1, generator=generator) * 12
        predicted = row_of_boxes(8) + shifts
        pairs.append(image_pair(emotions, image_id, boxes, labels, noise, predicted))
    return pairs
