"""The evaluator: detectron2's protocol, order independence, several processes, and what the report says."""

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import distributed as dist
from torch import multiprocessing as mp

from dsct_detrex.baselines import DetectedBoxes
from dsct_detrex.errors import UserError
from dsct_detrex.evaluation import EmotionEvaluator, format_report
from dsct_detrex.structures import CAER_S, EMOTIC, Emotions, Headline

from .people import Pair, confident_logits, image_pair, random_pairs, row_of_boxes


def run(evaluator: EmotionEvaluator, pairs: list[Pair], batch: int = 1) -> dict[str, dict[str, float]]:
    evaluator.reset()
    for start in range(0, len(pairs), batch):
        chunk = pairs[start : start + batch]
        evaluator.process([image for image, _ in chunk], [output for _, output in chunk])
    return evaluator.evaluate()


def perfect_pairs(emotions: Emotions) -> list[Pair]:
    """Every class occurs, every prediction is right and exact, two unused predictions far away."""
    pairs = []
    for image_id, count in enumerate([1, 2, 3, 4, 5, emotions.num_emotions]):
        boxes = row_of_boxes(count)
        classes = [(image_id + person) % emotions.num_emotions for person in range(count)]
        logits = confident_logits(emotions, [*classes, 0, 0])
        predicted = torch.cat([boxes, torch.tensor([[150.0, 80, 160, 90], [170, 80, 180, 90]])])
        pairs.append(image_pair(emotions, image_id, boxes, [[c] for c in classes], logits, predicted))
    return pairs


@pytest.mark.parametrize("emotions", [CAER_S, EMOTIC])
@pytest.mark.parametrize("protocol", ["paper", "official", "strict"])
def test_perfect_predictions_score_one(emotions: Emotions, protocol: str) -> None:
    results = run(EmotionEvaluator(emotions, protocol), perfect_pairs(emotions))
    assert results["emotion"]["acc"] == results["emotion"]["mAP"] == 1.0
    assert results["bbox"]["recall50"] == results["bbox"]["mean_iou"] == 1.0
    assert results["strict"] == {"acc" if emotions is CAER_S else "mAP": 1.0, "found": 1.0}
    assert {f"AP-{label}" for label in emotions.names} <= set(results["emotion"])
    assert {"acc_n1", "acc_n5plus", "mAP_n1", "mAP_n5plus"} <= set(results["emotion"])
    assert ("acc_any" in results["emotion"]) == (emotions is EMOTIC)


@pytest.mark.parametrize("emotions", [CAER_S, EMOTIC])
def test_results_do_not_depend_on_order_or_batches(emotions: Emotions) -> None:
    pairs = random_pairs(emotions, 25)
    evaluator = EmotionEvaluator(emotions)
    results = run(evaluator, pairs)
    report = evaluator.report
    assert run(evaluator, pairs[::-1], batch=4) == results
    assert evaluator.report == report


def test_every_value_is_a_float_and_undefined_ones_are_left_out() -> None:
    pairs = [image_pair(CAER_S, 0, row_of_boxes(1), [[3]], confident_logits(CAER_S, [3]), row_of_boxes(1))]
    results = run(EmotionEvaluator(CAER_S), pairs)
    assert all(type(value) is float for group in results.values() for value in group.values())
    assert set(results["emotion"]) == {"mAP", "acc", "AP-Happy", "mAP_n1", "acc_n1"}
    assert results["emotion"]["mAP"] == pytest.approx(1 / 7)


def test_process_changes_neither_inputs_nor_outputs() -> None:
    pairs = random_pairs(EMOTIC, 3)
    before = copy.deepcopy(pairs)
    run(EmotionEvaluator(EMOTIC), pairs)
    for (image, output), (old_image, old_output) in zip(pairs, before):
        assert image.keys() == old_image.keys()
        for new, old in (
            (image["ground_truth"], old_image["ground_truth"]),
            (output["instances"], old_output["instances"]),
        ):
            assert new.get_fields().keys() == old.get_fields().keys()
            for name, value in old.get_fields().items():
                same = new.get(name)
                torch.testing.assert_close(
                    getattr(same, "tensor", same), getattr(value, "tensor", value), rtol=0, atol=0
                )


def test_the_paper_protocol_keeps_the_prediction_of_higher_mean_probability() -> None:
    """Two boxes of one person: the official protocol takes the closer one, the paper's the one that NMS keeps."""
    logits = torch.full((2, 8), -4.0)
    logits[0, 3] = 4.0  # exact box, reads Happy, low mean
    logits[1, :7] = 1.0
    logits[1, 5] = 4.0  # one pixel off, reads Sad, high mean
    pair = image_pair(CAER_S, 0, row_of_boxes(1), [[3]], logits, row_of_boxes(1) + torch.tensor([[0.0], [1.0]]))
    assert run(EmotionEvaluator(CAER_S, "official"), [pair])["emotion"]["acc"] == 1.0
    assert run(EmotionEvaluator(CAER_S, "paper"), [pair])["emotion"]["acc"] == 0.0
    assert run(EmotionEvaluator(CAER_S, "paper", nms_threshold=0.95), [pair])["emotion"]["acc"] == 1.0


def test_an_image_without_predictions_counts_its_people_as_wrong() -> None:
    right = image_pair(CAER_S, 0, row_of_boxes(1), [[0]], confident_logits(CAER_S, [0]), row_of_boxes(1))
    empty = image_pair(CAER_S, 1, row_of_boxes(1), [[0]], torch.zeros(0, 8), torch.zeros(0, 4))
    evaluator = EmotionEvaluator(CAER_S, dataset_name="synthetic")
    results = run(evaluator, [right, empty])
    assert results["emotion"]["acc"] == 0.5
    assert results["bbox"]["recall50"] == results["bbox"]["mean_iou"] == 0.5
    assert results["strict"] == {"acc": 0.5, "found": 0.5}
    assert evaluator.report is not None
    assert evaluator.report["counts"]["missed_people"] == 1
    assert "1 of 2 people are in images without any prediction; they count as wrong." in evaluator.report["warnings"]


def test_an_image_without_people_is_counted_and_changes_no_metric_but_the_boxes_ap() -> None:
    pairs = random_pairs(CAER_S, 8)
    nobody = image_pair(CAER_S, 99, torch.zeros(0, 4), [], torch.randn(4, 8), row_of_boxes(4))
    evaluator = EmotionEvaluator(CAER_S)
    before = run(evaluator, pairs)
    assert evaluator.report is not None
    alone = evaluator.report["counts"]["images_without_people"]
    after = run(evaluator, [*pairs, nobody])
    assert {**after, "bbox": 0} == {**before, "bbox": 0}
    assert after["bbox"]["recall50"] == before["bbox"]["recall50"]
    assert after["bbox"]["AP50"] < before["bbox"]["AP50"], "its predictions are wrong ones"
    assert evaluator.report["counts"]["images_without_people"] == alone + 1


def test_the_same_image_twice_counts_once_and_two_files_with_one_id_are_refused() -> None:
    pairs = random_pairs(CAER_S, 6)
    evaluator = EmotionEvaluator(CAER_S)
    assert run(evaluator, pairs + pairs[:3]) == run(evaluator, pairs)
    other = copy.deepcopy(pairs[0])
    other[0]["file_name"] = "other.png"
    with pytest.raises(ValueError, match=r"Got image_id 0 for both '0000.png' and 'other.png'"):
        run(evaluator, [*pairs, other])


def test_reset_forgets() -> None:
    evaluator = EmotionEvaluator(CAER_S)
    run(evaluator, random_pairs(CAER_S, 4))
    evaluator.reset()
    assert evaluator.report is None
    with pytest.raises(UserError, match="there is nothing to evaluate"):
        evaluator.evaluate()


def test_wrong_inputs_are_named() -> None:
    image, output = random_pairs(CAER_S, 1)[0]
    evaluator = EmotionEvaluator(CAER_S)
    with pytest.raises(ValueError, match=r"expects equal lengths\. Got 1 and 0"):
        evaluator.process([image], [])
    with pytest.raises(ValueError, match=r"expects 'ground_truth' for every image. 0000.png has none"):
        evaluator.process([{k: v for k, v in image.items() if k != "ground_truth"}], [output])
    broken = copy.deepcopy(output)
    broken["instances"].pred_logits[0, 0] = float("nan")
    with pytest.raises(ValueError, match=r"finite boxes and logits. 0000.png has NaN or inf"):
        evaluator.process([image], [broken])


def test_report_is_strict_json_on_disk_and_in_memory(tmp_path: Path) -> None:
    references = {"chance": 1 / 7, "everything": 0.97}
    evaluator = EmotionEvaluator(
        CAER_S,
        output_dir=tmp_path / "new" / "folder",
        references=references,
        dataset_name="synthetic",
        dataset_description="Generated scenes.",
    )
    run(evaluator, random_pairs(CAER_S, 30))
    written = json.loads((tmp_path / "new" / "folder" / "evaluation.json").read_text("utf-8"))
    report = evaluator.report
    assert report is not None
    assert written == report
    assert report["protocol"]["name"] == "paper"
    assert report["primary_metric"] == "acc"
    assert report["references"] == references
    expected = {"name": "synthetic", "description": "Generated scenes.", "coverage": None, "warnings": []}
    assert report["dataset"] == expected
    assert report["counts"]["predictions"] == 30 * 8, "of every image, before suppression"
    assert sum(map(sum, report["confusion"]["matrix"])) == report["counts"]["people"]
    assert sum(row["people"] for row in report["by_count"]) == report["counts"]["people"]
    assert sum(row["people"] for row in report["per_class"]) == report["counts"]["people"]
    diagonal = sum(row[k] for k, row in enumerate(report["confusion"]["matrix"]))
    assert report["metrics"]["acc"] == pytest.approx(diagonal / report["counts"]["people"])
    assert len(report["samples"]) == 24
    assert max(len(person["predicted"]) for image in report["samples"] for person in image["people"]) == 3


@pytest.mark.parametrize("emotions", [CAER_S, EMOTIC])
def test_predicted_boxes_are_written_as_coco_results_that_a_second_stage_reads(
    emotions: Emotions, tmp_path: Path
) -> None:
    pairs = random_pairs(emotions, 5)
    nobody = image_pair(emotions, 5, row_of_boxes(1), [[0]], torch.zeros(0, emotions.num_logits), torch.zeros(0, 4))
    given = image_pair(
        emotions, 6, row_of_boxes(2), [[0], [1]], pairs[0][1]["instances"].pred_logits[:2], row_of_boxes(2)
    )
    given[1]["instances"].set("scores", torch.tensor([0.25, 1.0]))
    pairs += [nobody, given]
    run(EmotionEvaluator(emotions, output_dir=tmp_path), pairs[::-1], batch=3)

    rows = json.loads((tmp_path / "coco_instances_results.json").read_text("utf-8"))
    assert [row["image_id"] for row in rows] == [image_id for image_id in range(5) for _ in range(8)] + [6, 6]
    assert rows[-1] == {"image_id": 6, "category_id": 1, "bbox": [30.0, 10.0, 20.0, 50.0], "score": 1.0}
    boxes_of = DetectedBoxes(str(tmp_path / "coco_instances_results.json"), min_score=0.0, category_id=1)
    for image, output in pairs:
        found, predicted = boxes_of(image), output["instances"]
        expected = predicted.scores if predicted.has("scores") else emotions.subject_scores(predicted.pred_logits)
        torch.testing.assert_close(found.boxes, predicted.pred_boxes.tensor, rtol=0, atol=0.011)
        torch.testing.assert_close(found.scores, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("known", [False, True], ids=["without headline", "with headline"])
@pytest.mark.parametrize("said", [(), ("Its test pictures are easy.",)])
def test_what_a_data_set_warns_of_stands_beside_its_result_once(said: tuple[str, ...], known: bool) -> None:
    evaluator = EmotionEvaluator(CAER_S, dataset_name="mine", dataset_warnings=said)
    if known:
        evaluator.describe_dataset(Headline("mine_test", images=10, listed_images=10, warnings=said))
    run(evaluator, random_pairs(CAER_S, 10))
    assert evaluator.report is not None
    assert evaluator.report["dataset"]["warnings"] == list(said)
    assert [text for text in evaluator.report["warnings"] if "easy" in text] == list(said)
    assert ("Its test pictures are easy" in " ".join(format_report(evaluator.report).split())) == bool(said)


@pytest.mark.parametrize("width", [30, 40, 60, 80])
def test_a_narrow_screen_breaks_words_and_cuts_no_number(width: int) -> None:
    evaluator = EmotionEvaluator(CAER_S, dataset_name="synthetic")
    run(evaluator, perfect_pairs(CAER_S))
    assert evaluator.report is not None
    text = format_report(evaluator.report, width)
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    assert max(map(len, text.splitlines())) <= width


def test_the_console_names_the_protocol_with_every_table_and_puts_references_beside_the_result() -> None:
    evaluator = EmotionEvaluator(CAER_S, "official", references={"chance": 0.143}, dataset_name="synthetic")
    run(evaluator, perfect_pairs(CAER_S))
    assert evaluator.report is not None
    text = format_report(evaluator.report)
    assert "synthetic: 22 people in 6 images" in text
    assert "official protocol: no NMS" in text
    assert text.count("· official protocol") == 3
    assert "for comparison: chance" in text
    assert "14.3 %" in text
    assert "100.0 %" in text
    assert "5 or more" in text
    assert "\x1b" not in text


def _evaluate_shard(rank: int, init_file: str, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{init_file}", rank=rank, world_size=2)
    torch.set_num_threads(1)
    pairs = random_pairs(CAER_S, 9)
    shard = [*pairs[rank::2], pairs[0]]  # both processes also see image 0, as padded shards do
    evaluator = EmotionEvaluator(CAER_S, output_dir=Path(folder) / "main" if rank == 0 else Path(folder) / "other")
    results = run(evaluator, shard)
    (Path(folder) / f"{rank}.json").write_text(json.dumps(results))
    dist.destroy_process_group()


def test_two_processes_give_what_one_gives(tmp_path: Path) -> None:
    arguments: tuple[Any, ...] = (str(tmp_path / "init"), str(tmp_path))
    mp.spawn(_evaluate_shard, args=arguments, nprocs=2)
    alone = run(EmotionEvaluator(CAER_S), random_pairs(CAER_S, 9))
    for rank in range(2):
        assert json.loads((tmp_path / f"{rank}.json").read_text()) == alone
    assert [path.name for path in sorted((tmp_path / "main").iterdir())] == [
        "coco_instances_results.json", "evaluation.json",
    ]  # fmt: skip
    assert not (tmp_path / "other").exists()


def test_the_data_set_describes_itself_unless_the_config_does():
    """EMOTIC with head boxes and with body boxes are different test sets, so every report says which."""
    told, silent = (EmotionEvaluator(CAER_S, dataset_description=text) for text in ("by config", ""))
    for evaluator in (told, silent):
        evaluator.describe_dataset("head boxes")
    assert told.dataset.description == "by config"
    assert silent.dataset.description == "head boxes"


def told(pairs: list[Pair], headline: Headline, emotions: Emotions = CAER_S, **shortfall: Any) -> Any:
    """The report of an evaluation of a split that is known."""
    evaluator = EmotionEvaluator(emotions, dataset_name="synthetic")
    evaluator.describe_dataset(headline)
    evaluator.reset()
    evaluator.process([image for image, _ in pairs], [output for _, output in pairs])
    defaults = {"unreadable": 0, "examples": (), "cut_short": False, "first": True}
    evaluator.note_shortfall(**{**defaults, **shortfall})
    scalars = evaluator.evaluate()
    assert evaluator.report is not None
    assert json.loads(json.dumps(evaluator.report, allow_nan=False)) == evaluator.report
    return evaluator.report, scalars, format_report(evaluator.report)


HEADLINE = Headline(
    "emotic_val", images=6, listed_images=6, split="val", source="val.json", boxes="head", people=22,
    description="head boxes from val.json", labels={"Anger": 3},
)  # fmt: skip


def test_the_warnings_of_a_data_set_stand_beside_its_scores() -> None:
    report, _, text = told(perfect_pairs(CAER_S), replace(HEADLINE, warnings=("Careful.",)))
    assert "Careful." in report["warnings"]
    assert "Note: Careful." in text


def test_the_headline_stands_in_the_report_and_over_every_table() -> None:
    report, scalars, text = told(perfect_pairs(CAER_S), HEADLINE)
    dataset = report["dataset"]
    assert dataset["headline"] == "emotic_val: head boxes from val.json, 6 images, 22 people"
    assert {name: dataset[name] for name in ("name", "split", "boxes", "source", "coverage")} == {
        "name": "synthetic", "split": "val", "boxes": "head", "source": "val.json", "coverage": None,
    }  # fmt: skip
    assert scalars["data"] == {"images": 6.0, "listed_images": 6.0}
    assert "synthetic, val split: 22 people in 6 images, head boxes from val.json" in text
    assert report["warnings"] == []


@pytest.mark.parametrize(
    ("headline", "shortfall", "coverage", "why"),
    [
        ({"listed_images": 10, "lost_images": 4}, {}, "6 of 10 images", "4 missing or broken when the data was read"),
        ({"listed_images": 9, "emptied_images": 3}, {}, "6 of 9 images",
         "3 left out because nobody in them can be used"),
        ({"images": 8, "listed_images": 8}, {"unreadable": 2, "examples": ["a.jpg"]}, "6 of 8 images",
         "2 unreadable while evaluating (first: a.jpg)"),
        ({"images": 7, "listed_images": 9, "lost_images": 2}, {"unreadable": 1}, "6 of 9 images",
         "2 missing or broken when the data was read, 1 unreadable while evaluating"),
        ({"images": 50, "listed_images": 50}, {"cut_short": True}, "the first 6 of 50 images", "a short evaluation"),
        ({"images": 50, "listed_images": 50}, {"cut_short": True, "first": False}, "6 of 50 images", "a short"),
        ({"listed_images": 30, "first_of": 30}, {}, "the first 6 of 30 images", ""),
    ],
)  # fmt: skip
def test_a_number_on_a_part_says_so_wherever_it_stands(
    headline: dict[str, Any], shortfall: dict[str, Any], coverage: str, why: str
) -> None:
    report, scalars, text = told(perfect_pairs(CAER_S), replace(HEADLINE, **headline), **shortfall)
    assert report["dataset"]["coverage"] == coverage
    assert report["counts"]["listed_images"] == scalars["data"]["listed_images"] == headline["listed_images"]
    assert scalars["data"]["images"] == 6.0
    assert text.count(f"paper protocol ({coverage})") == 3, "in the title of every table"
    assert f"22 people in {coverage}" in text
    (warning,) = report["warnings"]
    assert warning.startswith(f"Measured on {coverage}")
    assert why in warning


def test_reset_forgets_what_was_skipped() -> None:
    evaluator = EmotionEvaluator(CAER_S)
    evaluator.note_shortfall(3, (), False, True)
    run(evaluator, perfect_pairs(CAER_S))
    assert evaluator.report is not None
    assert evaluator.report["counts"]["lost_images"] == 0


def test_nothing_but_unreadable_pictures() -> None:
    evaluator = EmotionEvaluator(CAER_S)
    evaluator.reset()
    evaluator.note_shortfall(3, (), False, True)
    with pytest.raises(UserError, match=r"nothing to evaluate, none of its 3 pictures can be read\. Check its data"):
        evaluator.evaluate()


@pytest.mark.parametrize("emotions", [CAER_S, EMOTIC])
@pytest.mark.parametrize(("shift", "warned"), [(0.0, False), (12.0, True)])
def test_a_score_without_people_found_says_so(emotions: Emotions, shift: float, warned: bool) -> None:
    """Boxes 20 pixels wide, 12 to the right: IoU 0.25, so nobody is found, yet every emotion is right."""
    pairs = perfect_pairs(emotions)
    for _, output in pairs:
        output["instances"].pred_boxes.tensor[:, [0, 2]] += shift
    evaluator = EmotionEvaluator(emotions, dataset_name="synthetic")
    results = run(evaluator, pairs)
    metric, name = ("acc", "accuracy") if emotions is CAER_S else ("mAP", "mAP")
    assert results["emotion"][metric] > 0.9
    assert (results["strict"][metric], results["strict"]["found"]) == ((0.0, 0.0) if warned else (1.0, 1.0))
    report = evaluator.report
    assert report is not None
    found = [text for text in report["warnings"] if "not about people found" in text]
    assert len(found) == warned
    assert all(text.startswith(name) and "only 0.0 % of the people" in text for text in found)
    assert " ".join(format_report(report).split()).count("this score is not about people found") == warned


def test_the_strict_protocol_can_be_the_protocol() -> None:
    pairs = random_pairs(CAER_S, 30)
    beside, itself = EmotionEvaluator(CAER_S, "paper"), EmotionEvaluator(CAER_S, "strict")
    strict = run(beside, pairs)["strict"]
    results = run(itself, pairs)
    assert results["strict"] == strict
    assert results["emotion"]["acc"] == strict["acc"]
    assert results["bbox"]["recall50"] == strict["found"]
    assert itself.report is not None
    assert itself.report["protocol"]["name"] == "strict"


@pytest.mark.parametrize("emotions", [CAER_S, EMOTIC])
def test_metric_names_are_those_that_an_evaluation_gives(emotions: Emotions) -> None:
    evaluator = EmotionEvaluator(emotions)
    results = run(evaluator, perfect_pairs(emotions))
    assert {f"{group}/{name}" for group, values in results.items() for name in values} == set(evaluator.metric_names())


def test_one_person_a_picture_says_what_ap_means_there() -> None:
    for count, warned in ((1, True), (2, False)):
        pairs = [
            image_pair(CAER_S, i, row_of_boxes(count), [[k] for k in range(count)],
                       confident_logits(CAER_S, range(count)), row_of_boxes(count))
            for i in range(3)
        ]  # fmt: skip
        evaluator = EmotionEvaluator(CAER_S, dataset_name="synthetic")
        run(evaluator, pairs)
        assert evaluator.report is not None
        assert any("AP of the boxes counts other people" in text for text in evaluator.report["warnings"]) == warned


def test_files_of_others_are_kept_and_own_ones_renewed(tmp_path: Path) -> None:
    for name in ("evaluation_val.json", "coco_instances_results.json", "evaluation.json"):
        (tmp_path / name).write_text("precious")
    (tmp_path / "evaluation_val_1.json").write_text("older")
    evaluator = EmotionEvaluator(CAER_S, output_dir=tmp_path)
    evaluator.stem = "evaluation_val"
    run(evaluator, random_pairs(CAER_S, 2))
    run(evaluator, random_pairs(CAER_S, 3))
    assert json.loads((tmp_path / "evaluation_val.json").read_text())["counts"]["images"] == 3
    kept = {path.name: path.read_text() for path in tmp_path.iterdir() if path.read_text() in ("precious", "older")}
    assert kept == {
        "evaluation.json": "precious", "evaluation_val_1.json": "older", "evaluation_val_2.json": "precious",
        "coco_instances_results_1.json": "precious",
    }  # fmt: skip
    assert len(list(tmp_path.iterdir())) == 6
