"""Box AP of a detector against ``pycocotools`` itself, its result file, and the cases without a number."""

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from dsct_detrex.errors import UserError
from dsct_detrex.evaluation import ObjectEvaluator
from dsct_detrex.structures import Boxes, Headline, Instances, ObjectClasses

TOYS = ObjectClasses("toys", ["ball", "car", "kite"])
SIZE = (100, 200)


def boxes(rng: np.random.Generator, count: int) -> torch.Tensor:
    corners = rng.uniform(0, 60, (count, 2))
    return torch.tensor(np.concatenate([corners, corners + rng.uniform(5, 40, (count, 2))], 1), dtype=torch.float32)


def pictures(count: int = 6, classes: int = 2) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Annotated pictures of the first ``classes`` toys, and detections near what is annotated, some wrong."""
    rng = np.random.default_rng(0)
    inputs, outputs = [], []
    for number in range(count):
        truth = boxes(rng, 4)
        labels = torch.tensor(rng.integers(0, classes, 4))
        near = truth + torch.tensor(rng.normal(0, 4, truth.shape), dtype=torch.float32)
        found = torch.cat([near, boxes(rng, 5)])
        named = torch.cat([labels, torch.tensor(rng.integers(0, 3, 5))])
        annotated = Instances(SIZE, gt_boxes=Boxes(truth), gt_classes=labels)
        inputs.append({"image_id": 10 + number, "file_name": f"{number}.png", "ground_truth": annotated})
        scores = torch.tensor(rng.uniform(0, 1, 9), dtype=torch.float32)
        outputs.append({"instances": Instances(SIZE, pred_boxes=Boxes(found), scores=scores, pred_classes=named)})
    return inputs, outputs


def by_pycocotools(inputs: list[dict[str, Any]], results: Path) -> Any:
    """The first three numbers that ``pycocotools`` gives for our annotations and our result file."""
    rows = []
    for image in inputs:
        truth = image["ground_truth"]
        for box, label in zip(truth.gt_boxes.tensor.tolist(), truth.gt_classes.tolist()):
            x0, y0, x1, y1 = box
            size = [x1 - x0, y1 - y0]
            rows.append(
                {"id": len(rows) + 1, "image_id": image["image_id"], "category_id": label + 1, "iscrowd": 0}
                | {"bbox": [x0, y0, *size], "area": size[0] * size[1]}
            )
    with redirect_stdout(StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": [{"id": image["image_id"]} for image in inputs],
            "annotations": rows,
            "categories": [{"id": number, "name": name} for number, name in enumerate(TOYS.names, start=1)],
        }
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(str(results)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def test_numbers_are_those_of_pycocotools(tmp_path: Path) -> None:
    inputs, outputs = pictures()
    evaluator = ObjectEvaluator(TOYS, {"on wheels": ["car"]}, tmp_path, "toys")
    for start in (0, 3):
        evaluator.process(inputs[start : start + 3], outputs[start : start + 3])
    found = evaluator.evaluate()["bbox"]
    theirs = by_pycocotools(inputs, tmp_path / "coco_instances_results.json")
    assert [found[name] for name in ("AP", "AP50", "AP75")] == pytest.approx(theirs.stats[:3].tolist())
    assert 0.05 < found["AP"] < 0.9
    precision = theirs.eval["precision"][:, :, :, 0, 2]
    for index, name in enumerate(("ball", "car")):
        assert found[f"AP-{name}"] == pytest.approx(precision[:, :, index].mean())
    assert found["AP50-on wheels"] == pytest.approx(precision[0, :, 1].mean())
    assert "AP-kite" not in found, "nobody annotated one, so there is nothing to find"
    assert {f"bbox/{name}" for name in found} <= set(evaluator.metric_names())
    kite = evaluator.report["per_class"][2]
    assert kite == {"label": "kite", "annotated": 0, "AP": None, "AP50": None}
    assert evaluator.report["counts"] == {"images": 6, "annotated": 24, "detections": 54}


def test_results_of_others_are_kept_and_its_own_replaced(tmp_path: Path) -> None:
    (tmp_path / "coco_instances_results.json").write_text("somebody's")
    evaluator = ObjectEvaluator(TOYS, output_dir=tmp_path)
    for _ in range(2):
        evaluator.reset()
        evaluator.process(*pictures(1))
        evaluator.evaluate()
    assert (tmp_path / "coco_instances_results_1.json").read_text() == "somebody's"
    assert len(json.loads((tmp_path / "coco_instances_results.json").read_text())) == 9
    assert len(list(tmp_path.iterdir())) == 2


def test_nothing_found_is_zero_and_nothing_annotated_is_refused() -> None:
    inputs, outputs = pictures(1)
    nothing = Instances(SIZE, pred_boxes=Boxes(torch.zeros(0, 4)), scores=torch.zeros(0), pred_classes=torch.zeros(0))
    evaluator = ObjectEvaluator(TOYS)
    evaluator.process(inputs, [{"instances": nothing}])
    assert evaluator.evaluate()["bbox"]["AP"] == 0
    evaluator.reset()
    inputs[0]["ground_truth"] = inputs[0]["ground_truth"][torch.zeros(4, dtype=torch.bool)]
    evaluator.process(inputs, outputs)
    with pytest.raises(UserError, match=r"nothing to evaluate, the test loader gave 1 images and no annotated thing"):
        evaluator.evaluate()


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(UserError, match=r"groups=\) expects classes of toys in 'a'\. Got 'cars'\. Did you mean `car`"):
        ObjectEvaluator(TOYS, {"a": ["cars"]})
    inputs, outputs = pictures(1)
    outputs[0]["instances"].scores[0] = float("nan")
    with pytest.raises(ValueError, match=r"expects finite boxes and scores\. 0\.png has NaN or inf"):
        ObjectEvaluator(TOYS).process(inputs, outputs)


def test_the_split_stands_in_the_report() -> None:
    evaluator = ObjectEvaluator(TOYS)
    evaluator.describe_dataset(Headline("toys_val", 1, 1, split="val", description="toys on a shelf"))
    evaluator.process(*pictures(1))
    evaluator.evaluate()
    assert evaluator.report["data"]["split"] == "val"
    assert evaluator.report["data"]["description"] == "toys on a shelf"
