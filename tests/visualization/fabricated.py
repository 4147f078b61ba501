"""Fabricated reports, histories and pictures: plausible, tiny, and the same every time."""

import math
from typing import Any

import numpy as np
import torch
from PIL import Image

from dsct_detrex.evaluation import EmotionEvaluator
from dsct_detrex.structures import Boxes, Emotions, Instances
from dsct_detrex.visualization import RunResult
from dsct_detrex.visualization.plots import ContextMap

REFERENCES = {"chance": 1 / 7, "face_only": 0.571, "face_near": 0.83, "everything": 0.962}


def people(emotions: Emotions, boxes: list[list[float]], size: tuple[int, int], classes: list[int]) -> Instances:
    """Predictions whose row i is sure of ``classes[i]``; boxes xyxy in pixels of an image of (height, width)."""
    logits = torch.full((len(boxes), emotions.num_logits), -3.0)
    logits[range(len(boxes)), classes] = 3.0
    logits[:, -1] = 3.0
    probabilities = emotions.probabilities(logits)
    return Instances(
        size,
        pred_boxes=Boxes(torch.tensor(boxes)),
        pred_logits=logits,
        emotion_probs=probabilities,
        scores=emotions.subject_scores(logits),
        pred_classes=probabilities.argmax(-1),
    )


def annotations(
    emotions: Emotions, boxes: list[list[float]], size: tuple[int, int], labels: list[list[int]]
) -> Instances:
    truth = Instances(size, gt_boxes=Boxes(torch.tensor(boxes).reshape(-1, 4)))
    truth.set(emotions.target_field, emotions.encode(labels))
    return truth


def report(
    emotions: Emotions, wrong_every: int, images: int = 21, empty: int = 0, attributes: bool = False
) -> dict[str, Any]:
    """An evaluation of images with 1 to 6 people, of whom every ``wrong_every``-th is read wrongly, and of ``empty``
    images without anybody; with ``attributes`` every twelfth person is a kid, and every seventh of no said gender."""
    evaluator = EmotionEvaluator(
        emotions, references=REFERENCES, dataset_name="synthetic", dataset_description="Generated scenes."
    )
    evaluator.reset()
    person = 0
    for image_id in range(images):
        boxes, labels, read = [], [], []
        for place in range(1 + image_id % 6):
            boxes.append([30.0 * place, 10.0, 30.0 * place + 20, 60.0])
            labels.append([person % emotions.num_emotions])
            read.append((person + (person % wrong_every == 0)) % emotions.num_emotions)
            person += 1
        truth = annotations(emotions, boxes, (100, 200), labels)
        image = {"image_id": image_id, "file_name": f"{image_id}.png", "ground_truth": truth}
        if attributes:
            known = range(person - len(labels), person)
            image["attributes"] = {
                "gender": ["" if n % 7 == 0 else ("Female", "Male")[n % 2] for n in known],
                "age": ["Kid" if n % 12 == 0 else "Adult" for n in known],
            }
        evaluator.process([image], [{"instances": people(emotions, boxes, (100, 200), read)}])
    for image_id in range(images, images + empty):
        image = {"image_id": image_id, "file_name": f"{image_id}.png"}
        truth = annotations(emotions, [], (100, 200), [])
        found = people(emotions, [[30.0, 10.0, 50.0, 60.0]], (100, 200), [0])
        evaluator.process([{**image, "ground_truth": truth}], [{"instances": found}])
    evaluator.evaluate()
    assert evaluator.report is not None
    return evaluator.report


def history(metric: str, final: float) -> list[dict[str, Any]]:
    """Rows of ``metrics.jsonl``: losses every 20 iterations, an evaluation every 100."""
    rows: list[dict[str, Any]] = []
    for iteration in range(0, 400, 20):
        rows.append({"iteration": iteration, "total_loss": 40 * math.exp(-iteration / 100) + 3, "lr": 1e-4})
        if iteration % 100 == 80:
            rows.append({"iteration": iteration, f"emotion/{metric}": final * (1 - math.exp(-iteration / 90))})
    return rows


def run_result(name: str, emotions: Emotions, wrong_every: int) -> RunResult:
    made = report(emotions, wrong_every)
    metric = made["primary_metric"]
    return RunResult(name, made, history(metric, made["metrics"][metric]), 8_412_331, 755.0)


def ground(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), (90, 110, 100))


def explanation(*names: str, blind: tuple[str, ...] = ()) -> dict[str, Any]:
    """What ``explain/results.py`` describes, with made-up numbers; ``blind`` ones take in no contexts."""
    groups, causes = ["own object", "place", "nothing"], ["own object", "place"]
    shares = {"weight": [0.5, 0.2, 0.3], "low": [0.4, 0.1, 0.2], "high": [0.6, 0.3, 0.4]}
    shares |= {"uniform": [0.1, 0.3, 0.6], "nearest": [0.2, 0.2, 0.6]}
    shares |= {"random_low": [0.05, 0.2, 0.5], "random_high": [0.15, 0.4, 0.7]}
    told = {"people": 9, "lost": 1, "change": -0.1, "low": -0.2, "high": 0.0, "ideal": -0.3, "agreement": 0.5}
    rows = [
        {
            "name": name,
            "images": 4,
            "people": 10,
            "found": 9,
            "note": "takes in no contexts" if name in blind else "",
            "shares": [] if name in blind else [{"layer": "all layers", **shares}],
            "changes": [{"cause": cause, **told} for cause in causes],
        }
        for name in names
    ]
    return {"groups": groups, "causes": causes, "checkpoints": rows}


def fusion(*names: str, blind: tuple[str, ...] = ()) -> dict[str, Any]:
    """What ``diagnosis/command_line.py`` describes, with made-up numbers; ``blind`` ones do not fuse."""
    numbers = {"largest": 0.9, "effective": 1.2, "chosen": 25.0, "length": 1.0, "cosine": 0.5, "overlap": None}
    layers = [
        {
            "layer": number,
            "people": numbers | {"spread": 20.0 + number},
            "subjects": numbers | {"spread": 19.0},
            "lies_on": [0.5, 0.2, 0.3],
            "contexts": [0.1, 0.3, 0.6],
            "gradient": {"fusion": 0.3, "rest": 0.1 if number == 1 else 0.0},
        }
        for number in (1, 2)
    ]
    rows = [
        {
            "name": name,
            "note": "has no layer that fuses" if name in blind else "",
            "pictures": "scenes",
            "images": 4,
            "people": 10,
            "found": 9,
            "subjects": 8,
            "layers": [] if name in blind else layers,
            "no_gradient": "",
            "no_places": "",
        }
        for name in names
    ]
    return {"groups": ["own object", "place", "nothing"], "checkpoints": rows}


def context_map() -> ContextMap:
    """A person with two contexts, one of them chosen."""
    points, weights, groups = np.array([[0.2, 0.3], [0.8, 0.5]]), np.array([1.0, 0.0]), np.array([0, 2])
    return ContextMap(ground(64, 48), (10, 10, 30, 40), 2, points, weights, groups, "read as Happy 70 %")
