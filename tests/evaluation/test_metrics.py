"""Metrics against the official code's numbers, against hand-worked tables, and at their edges."""

import math
from dataclasses import replace

import golden_io
import numpy as np
import pytest
import torch

from dsct_detrex.evaluation import metrics
from dsct_detrex.evaluation.protocols import MISSED, get_protocol
from dsct_detrex.evaluation.results import PeopleTable
from dsct_detrex.layers.boxes import box_cxcywh_to_xyxy
from dsct_detrex.structures import CAER_S, EMOTIC, Emotions

OFFICIAL = [("eval_emotic", EMOTIC), ("eval_caer", CAER_S), ("eval_caer_missing_class", CAER_S)]


def table(
    scores: list[list[float]],
    labels: list[list[int]],
    missed: tuple[int, ...] = (),
    people: list[int] | None = None,
    iou: list[float] | None = None,
) -> PeopleTable:
    """People with the given (P, K) scores, annotated classes, and missing predictions."""
    targets = np.zeros(np.shape(scores), dtype=np.int64)
    for row, classes in enumerate(labels):
        targets[row, classes] = 1
    found = ~np.isin(np.arange(len(scores)), missed)
    kept = np.asarray(scores, dtype=np.float32) * found[:, None]
    ious = np.asarray(iou or [1.0] * len(scores), dtype=np.float32)
    return PeopleTable(kept, targets, found, ious, np.asarray(people or [1] * len(scores)))


def official_table(fixture: str, emotions: Emotions) -> tuple[PeopleTable, torch.Tensor, golden_io.Fixture]:
    """Run the official protocol on a fixture's predictions, image by image."""
    fx = golden_io.load(f"dsct/{fixture}")
    protocol = get_protocol("official")
    xywh = fx["in.gt_boxes"]
    people = torch.cat([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], dim=-1)
    query = torch.full((len(people),), MISSED)
    for image, (width, height) in enumerate(fx["in.image_size"].tolist()):
        frame = torch.tensor([width, height, width, height], dtype=torch.float32)
        boxes = box_cxcywh_to_xyxy(fx["in.pred_boxes"][image]) * frame
        scores = emotions.mean_scores(fx["in.pred_logits"][image])
        query[fx["in.gt_image"] == image] = protocol.match(boxes, scores, people[fx["in.gt_image"] == image])
    scores = emotions.probabilities(fx["in.pred_logits"])[fx["in.gt_image"], query]
    everyone = np.ones(len(people), dtype=bool)
    table_ = PeopleTable(
        scores.numpy(), fx["out.labels"].numpy(), everyone, everyone.astype(np.float32), everyone.astype(np.int64)
    )
    return table_, query, fx


@pytest.mark.parametrize(("fixture", "emotions"), OFFICIAL)
def test_official_protocol_and_metrics(fixture: str, emotions: Emotions) -> None:
    people, query, fx = official_table(fixture, emotions)
    torch.testing.assert_close(query, fx["out.matched_query"])
    torch.testing.assert_close(torch.from_numpy(people.scores), fx["out.scores"], atol=1e-5, rtol=0)
    np.testing.assert_array_equal(metrics.annotated_classes(people), fx.meta["acc_labels"])
    np.testing.assert_array_equal(metrics.predicted_classes(people), fx.meta["acc_predictions"])
    values = metrics.average_precisions(people)
    np.testing.assert_allclose(np.nan_to_num(values), fx.meta["per_class_AP"], atol=1e-12)
    assert metrics.accuracy(people) == fx.meta["acc"]
    assert metrics.mean_average_precision(values) == pytest.approx(fx.meta["mAP"], abs=1e-12)


def test_a_class_that_nobody_shows_is_nan_by_itself_and_zero_in_the_mean() -> None:
    people, _, _ = official_table("eval_caer_missing_class", CAER_S)
    values = metrics.average_precisions(people)
    assert np.flatnonzero(np.isnan(values)).tolist() == [2]
    assert metrics.mean_average_precision(values) < np.nanmean(values)


def test_average_precision_by_hand() -> None:
    """Ranking +, -, +: precision 1 at recall 1/2, then 2/3 at recall 1: AP = (1 + 2/3) / 2."""
    people = table([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]], [[0], [1], [0]])
    assert metrics.average_precisions(people)[0] == pytest.approx(5 / 6)


def test_a_missed_person_is_wrong_and_not_dropped() -> None:
    """A missed person's zeros would argmax to class 0: that must not make a class-0 person right."""
    people = table([[0.9, 0.1], [0.9, 0.1], [0.2, 0.8]], [[0], [0], [1]], missed=(1,))
    assert metrics.accuracy(people) == pytest.approx(2 / 3)
    assert metrics.any_label_accuracy(people) == pytest.approx(2 / 3)
    matrix, missed = metrics.confusion(people)
    assert matrix.tolist() == [[1, 0], [0, 1]]
    assert missed.tolist() == [1, 0]
    assert metrics.average_precisions(people)[0] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_accuracy_with_several_emotions_compares_with_the_lowest_index_only() -> None:
    people = table([[0.1, 0.9, 0.3], [0.9, 0.1, 0.0]], [[0, 1], [0, 2]])
    assert metrics.accuracy(people) == 0.5
    assert metrics.any_label_accuracy(people) == 1.0


def test_a_person_without_any_annotated_emotion_is_never_right() -> None:
    people = table([[0.9, 0.1]], [[]])
    assert metrics.accuracy(people) == 0.0
    assert metrics.confusion(people)[0].sum() == 0


def test_confusion_counts_annotated_rows_and_predicted_columns() -> None:
    people = table([[0.1, 0.9], [0.1, 0.9], [0.8, 0.2]], [[0], [1], [1]])
    assert metrics.confusion(people)[0].tolist() == [[0, 1], [1, 1]]


def test_by_people_count_groups_images_and_people() -> None:
    right, wrong = [0.9, 0.1], [0.1, 0.9]
    per_image = [1, 1, 2, 2, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6]
    scores = [right, wrong, right, right] + [wrong] * 11
    rows = metrics.by_people_count(table(scores, [[0]] * 15, people=per_image))
    assert [(r.group, r.images, r.people, r.classes) for r in rows] == [
        ("1", 2, 2, 1),
        ("2", 1, 2, 1),
        ("3", 0, 0, 0),
        ("4", 0, 0, 0),
        ("5plus", 2, 11, 1),
    ]
    assert [r.acc for r in rows if r.people] == [0.5, 1.0, 0.0]
    assert math.isnan(rows[2].acc)
    assert math.isnan(rows[2].mAP)
    assert rows[0].mAP == 0.5  # class 0 has AP 1, class 1 occurs nowhere and counts as 0


def test_box_quality_counts_a_missed_person_as_zero() -> None:
    quality = metrics.box_quality(table([[1.0, 0.0]] * 4, [[0]] * 4, iou=[0.5, 0.9, 0.49, 0.0]))
    assert quality == {"recall50": 0.5, "mean_iou": pytest.approx(0.4725)}


def test_nobody_at_all_gives_nan_not_an_error() -> None:
    everyone = table([[0.9, 0.1]], [[0]])
    nobody = everyone.rows(np.zeros(1, dtype=bool))
    assert math.isnan(metrics.accuracy(nobody))
    assert math.isnan(metrics.mean_average_precision(metrics.average_precisions(nobody)))
    assert metrics.confusion(nobody)[0].tolist() == [[0, 0], [0, 0]]


def test_thresholds_of_the_best_f1() -> None:
    """By hand: class 0 is separated at 0.3; class 1 does best by taking everybody; nobody shows class 2."""
    people = table([[0.3, 0.1, 0.9], [0.4, 0.9, 0.9], [0.2, 0.2, 0.9]], [[0, 1], [0], [1]])
    assert metrics.best_f1_thresholds(people) == pytest.approx([0.3, 0.1, 0.5])


def test_people_who_are_lost_end_the_recall_and_never_help() -> None:
    """Three of four people show class 0, one of them is found, ranked first: precision 1 up to a recall of a third."""
    found = np.array([True, False, False, True])
    people = PeopleTable(
        scores=np.array([[0.9], [0.0], [0.0], [0.1]], np.float32),
        targets=np.array([[1], [1], [1], [0]]),
        found=found,
        iou=found.astype(np.float32),
        people_in_image=np.ones(4, np.int64),
    )
    assert metrics.average_precisions(people) == pytest.approx([1 / 3 + 2 / 3 * 3 / 4]), (
        "the others rank last, together"
    )
    assert metrics.average_precisions(replace(people, lost=True)) == pytest.approx([1 / 3])
    assert metrics.average_precisions(replace(people, lost=True, found=~found)) == pytest.approx([2 / 3])
    assert metrics.average_precisions(replace(people, lost=True, found=np.zeros(4, bool))) == [0.0]
    assert metrics.by_people_count(replace(people, lost=True))[0].mAP == pytest.approx(1 / 3)
