"""Results by gender and age: who is in which group, what is counted, and when nothing is said."""

import numpy as np
import pytest

from dsct_detrex.data import DatasetMapper, eval_transforms
from dsct_detrex.data.synthetic import SyntheticScenes
from dsct_detrex.evaluation import EmotionEvaluator, format_report
from dsct_detrex.evaluation.groups import by_groups
from dsct_detrex.evaluation.results import ImageResult, stack_people
from dsct_detrex.structures import CAER_S, EMOTIC

from .people import confident_logits, image_pair, random_pairs, row_of_boxes
from .test_evaluator import run


def image(number: int, right: list[bool], **groups: tuple[str, ...]) -> ImageResult:
    """People who show the first of three emotions, read right or as the second."""
    scores = np.array([[0.8, 0.1, 0.0] if one else [0.1, 0.8, 0.0] for one in right], np.float32)
    found = np.ones(len(right), bool)
    boxes = np.ones((len(right), 4), np.float32)
    targets = np.tile([1, 0, 0], (len(right), 1))
    iou = np.ones(len(right), np.float32)
    found_boxes = np.zeros((0, 5), np.float32)
    return ImageResult(
        number, f"{number}.png", scores, targets, found, iou, boxes, scores, found, boxes, found_boxes, groups
    )


def test_people_are_counted_with_their_group() -> None:
    images = [
        image(n, [True, n % 4 == 0], gender=("Female", "Male"), age=("Adult", ("Kid", "")[n % 2])) for n in range(20)
    ]
    age, gender = by_groups(images, stack_people(images, 3))
    assert (age["attribute"], gender["attribute"]) == ("age", "gender")
    assert [row["group"] for row in age["rows"]] == ["Kid", "Adult"], "the young first"
    assert (age["unnamed"], gender["unnamed"]) == (10, 0)
    female, male = gender["rows"]
    assert (female["images"], female["people"], female["classes"], female["acc"]) == (20, 20, 1, 1.0)
    assert (male["people"], male["acc"]) == (20, 0.25)
    assert male["mAP"] == male["chance"] == 1.0, "everybody shows the one emotion that occurs"
    assert female["acc_interval"] == [1.0, 1.0]
    low, high = male["acc_interval"]
    assert 0.0 < low < 0.25 < high < 0.5
    assert male["note"] == ""


def test_few_have_no_interval_and_it_says_why() -> None:
    images = [image(n, [True], gender=("Female" if n < 9 else "Male",)) for n in range(19)]
    female, male = by_groups(images, stack_people(images, 3))[0]["rows"]
    assert (female["people"], female["acc"], female["acc_interval"], female["mAP_interval"]) == (9, 1.0, None, None)
    assert female["note"] == "no interval: fewer than 10 people"
    assert (male["people"], male["note"]) == (10, "")
    crowd = [image(0, [True] * 12, gender=("Male",) * 12)]
    assert by_groups(crowd, stack_people(crowd, 3))[0]["rows"][0]["note"] == "no interval: in fewer than 10 images"


def test_nothing_is_said_where_the_data_name_nobody() -> None:
    images = [image(n, [True]) for n in range(3)]
    assert by_groups(images, stack_people(images, 3)) == []
    evaluator = EmotionEvaluator(CAER_S)
    run(evaluator, random_pairs(CAER_S, 5))
    assert evaluator.report is not None
    assert evaluator.report["groups"] == []
    assert "By gender" not in format_report(evaluator.report)


def test_an_image_without_the_attribute_counts_as_unnamed() -> None:
    images = [image(0, [True], age=("Adult",)), image(1, [True, False])]
    (age,) = by_groups(images, stack_people(images, 3))
    assert (age["unnamed"], age["rows"][0]["people"]) == (2, 1)


def test_the_evaluator_reads_what_the_mapper_writes() -> None:
    scenes = SyntheticScenes("caer_s", "val", 12, size=(64, 48))
    mapper = DatasetMapper(eval_transforms(48, 100), CAER_S, is_train=False)
    evaluator = EmotionEvaluator(CAER_S, dataset_name="synthetic")
    pairs = []
    for index in range(len(scenes)):
        entry = mapper(scenes.record(index), scenes.load_image(index))
        truth = entry["ground_truth"]
        logits = confident_logits(CAER_S, truth.gt_classes.tolist())
        _, output = image_pair(CAER_S, 0, truth.gt_boxes.tensor, [[0]] * len(truth), logits, truth.gt_boxes.tensor)
        pairs.append((entry, output))
    run(evaluator, pairs)
    assert evaluator.report is not None
    age, gender = evaluator.report["groups"]
    everybody = [person["extra"] for n in range(12) for person in scenes.record(n)["annotations"]]
    counted = {row["group"]: row["people"] for row in gender["rows"]}
    assert counted == {name: sum(one["gender"] == name for one in everybody) for name in ("Female", "Male")}
    assert {row["group"] for row in age["rows"]} <= {"Kid", "Teenager", "Adult"}
    assert {row["acc"] for row in age["rows"]} == {1.0}
    text = format_report(evaluator.report)
    assert "By gender · paper protocol" in text
    assert "100.0 to 100.0 %" in text


def test_attributes_of_too_few_people_are_refused() -> None:
    entry, output = image_pair(
        CAER_S, 0, row_of_boxes(2), [[0], [1]], confident_logits(CAER_S, [0, 1]), row_of_boxes(2)
    )
    entry["attributes"] = {"age": ["Kid"]}
    with pytest.raises(ValueError, match=r"attributes\['age'\] for each of 2 people of 0000.png. Got 1."):
        EmotionEvaluator(CAER_S).process([entry], [output])


def test_a_group_of_emotic_is_scored_by_the_emotions_that_it_shows() -> None:
    pairs = random_pairs(EMOTIC, 12, most_people=2)
    for entry, _ in pairs:
        entry["attributes"] = {"gender": ["Female"] * len(entry["ground_truth"])}
    evaluator = EmotionEvaluator(EMOTIC)
    run(evaluator, pairs)
    assert evaluator.report is not None
    (row,) = evaluator.report["groups"][0]["rows"]
    shown = [one["AP"] for one in evaluator.report["per_class"] if one["AP"] is not None]
    assert len(shown) < 26
    assert row["classes"] == len(shown)
    assert row["mAP"] == pytest.approx(sum(shown) / len(shown))
    assert row["mAP"] > evaluator.report["metrics"]["mAP"], "where an emotion that nobody shows counts as 0"
