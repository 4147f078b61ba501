"""The dict a model reads, key by key, for training and evaluation and for both kinds of emotion."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from dsct_detrex.data import DatasetMapper, Record, eval_transforms, train_transforms
from dsct_detrex.data.transforms import RandomSizeCrop, Scene, crop
from dsct_detrex.structures import CAER_S, EMOTIC

PIXELS = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)


def record(*labels: list[int]) -> Record:
    boxes = [[10.0, 5.0, 30.0, 35.0], [40.0, 0.0, 60.0, 40.0]]
    people = [{"bbox": box, "labels": row} for box, row in zip(boxes, labels)]
    return {"file_name": "a.jpg", "image_id": 7, "height": 40, "width": 60, "annotations": people}


def test_training_input() -> None:
    mapper = DatasetMapper(eval_transforms(20, 100), EMOTIC, is_train=True)
    found = mapper(record([0, 25], [3]), Image.fromarray(PIXELS))
    assert set(found) == {"image", "height", "width", "image_id", "file_name", "instances"}
    assert (found["height"], found["width"], found["image_id"], found["file_name"]) == (40, 60, 7, "a.jpg")
    assert type(found["image"]) is torch.Tensor
    assert (found["image"].dtype, tuple(found["image"].shape)) == (torch.uint8, (3, 20, 30))
    instances = found["instances"]
    assert instances.image_size == (20, 30)
    assert instances.gt_boxes.tensor.tolist() == [[5.0, 2.5, 15.0, 17.5], [20.0, 0.0, 30.0, 20.0]]
    assert type(instances.gt_boxes.tensor) is torch.Tensor
    assert instances.gt_multilabels.tolist() == EMOTIC.encode([[0, 25], [3]]).tolist()


def test_evaluation_input_keeps_the_original_frame() -> None:
    mapper = DatasetMapper(eval_transforms(20, 100), CAER_S, is_train=False)
    found = mapper(record([6], [0]), Image.fromarray(PIXELS))
    assert tuple(found["image"].shape) == (3, 20, 30)
    truth = found["ground_truth"]
    assert "instances" not in found
    assert truth.image_size == (40, 60)
    assert truth.gt_boxes.tensor.tolist() == [[10, 5, 30, 35], [40, 0, 60, 40]]
    assert truth.gt_classes.tolist() == [6, 0]


def test_what_a_data_set_says_of_people_stands_beside_them_in_evaluation_alone() -> None:
    said = record([6], [0])
    assert "attributes" not in DatasetMapper(eval_transforms(20, 100), CAER_S, False)(said, Image.fromarray(PIXELS))
    said["annotations"][1]["extra"] = {"age": "Kid", "gender": "", "continuous": [1.0, None, 2.0]}
    found = DatasetMapper(eval_transforms(20, 100), CAER_S, is_train=False)(said, Image.fromarray(PIXELS))
    assert found["attributes"] == {"age": ["", "Kid"]}
    trained = DatasetMapper(eval_transforms(20, 100), CAER_S, is_train=True)(said, Image.fromarray(PIXELS))
    assert "attributes" not in trained


def test_pixels_are_rgb_and_unscaled() -> None:
    mapper = DatasetMapper(eval_transforms(40, 100), EMOTIC, is_train=False)
    found = mapper(record([0], [1]), Image.fromarray(PIXELS))["image"]
    np.testing.assert_array_equal(found.permute(1, 2, 0).numpy(), PIXELS)
    assert found.is_contiguous()


def right_half(scene: Scene) -> Scene:
    return crop(scene, 0, 35, 40, 25)


def test_labels_follow_the_people_who_stay() -> None:
    found = DatasetMapper(right_half, CAER_S, is_train=True)(record([6], [2]), Image.fromarray(PIXELS))
    assert found["instances"].gt_boxes.tensor.tolist() == [[5, 0, 25, 40]]
    assert found["instances"].gt_classes.tolist() == [2]
    evaluated = DatasetMapper(right_half, CAER_S, is_train=False)(record([6], [2]), Image.fromarray(PIXELS))
    assert evaluated["ground_truth"].gt_classes.tolist() == [6, 2]


@pytest.mark.parametrize("emotions", [EMOTIC, CAER_S])
def test_nobody_left_is_an_empty_target(emotions: object) -> None:
    mapper = DatasetMapper(lambda scene: crop(scene, 0, 0, 4, 4), emotions, is_train=True)
    instances = mapper(record([1], [2]), Image.fromarray(PIXELS))["instances"]
    assert len(instances) == 0
    assert instances.gt_boxes.tensor.shape == (0, 4)
    assert len(instances.get(emotions.target_field)) == 0


def test_same_seed_same_input() -> None:
    mapper = DatasetMapper(train_transforms((32, 48), 80, crop_scales=(40,), crop_min=20, crop_max=40), EMOTIC, True)
    inputs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        inputs.append([mapper(record([1], [2]), Image.fromarray(PIXELS))["image"] for _ in range(4)])
    assert all(torch.equal(a, b) for a, b in zip(inputs[0], inputs[1]))
    assert not all(a.shape == b.shape and torch.equal(a, b) for a, b in zip(inputs[0], inputs[2]))


def test_crop_class_is_usable_alone() -> None:
    found = DatasetMapper(RandomSizeCrop(10, 10), EMOTIC, True)(record([1], [2]), Image.fromarray(PIXELS))
    assert tuple(found["image"].shape) == (3, 10, 10)
