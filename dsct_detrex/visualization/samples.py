"""Pictures of an evaluation, drawn from what its report keeps of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import torch
from PIL import Image

from dsct_detrex.counting import counted
from dsct_detrex.evaluation.formatting import percent
from dsct_detrex.structures import Boxes, Emotions, Instances
from dsct_detrex.visualization.blocks import Gallery, Picture
from dsct_detrex.visualization.draw import draw_predictions
from dsct_detrex.visualization.sentences import signed

CHOSEN_BY = (
    "Chosen by the lead of the annotated emotions: their mean probability less that of the others, in points, over all "
    "people of a picture; a person who is not found at IoU 0.5 counts as -100."
)
_LONG_SIDE = 720

LoadImage = Callable[[Mapping[str, Any]], Image.Image | None]


def galleries(report: Mapping[str, Any], emotions: Emotions, load: LoadImage, count: int) -> list[Gallery]:
    """The best and the worst pictures of a report, at most ``count`` each.

    Args:
        load: the picture of an entry of ``report["pictures"]``, in its original size; None where it cannot be had.
    """
    made = []
    names = _short_names([facts["file_name"] for end in ("best", "worst") for facts in report["pictures"][end][:count]])
    for name, title, chosen in _ends([report["pictures"][end][:count] for end in ("best", "worst")]):
        drawn = [
            _picture(facts, names[facts["file_name"]], emotions, image)
            for facts in chosen
            if (image := load(facts)) is not None
        ]
        made.append(Gallery(drawn, title, name))
    return made


def _ends(ends: Sequence[Sequence[Mapping[str, Any]]]) -> list[tuple[str, str, Sequence[Mapping[str, Any]]]]:
    """Name, title and pictures of each gallery. None is called best whose lead looks like the lowest, none worst whose
    lead looks like the highest; where all look alike, there is one gallery of all."""
    leads = [round(100 * facts["lead"]) for end in ends for facts in end]
    if len(set(leads)) == 1:
        together = [facts for end in ends for facts in end]
        return [("best", "All read alike" if len(together) > 1 else "The picture", together)]
    best, worst = ends
    return [
        ("best", "Read best", [facts for facts in best if round(100 * facts["lead"]) > min(leads)]),
        ("worst", "Read worst", [facts for facts in worst if round(100 * facts["lead"]) < max(leads)]),
    ]


def _short_names(files: Sequence[str]) -> dict[str, str]:
    """Of each file its name, with as many folders before it as tell all of them apart."""
    paths = {file: PurePath(file).parts for file in files}
    different = len(set(paths.values()))
    parts = 1
    while len({path[-parts:] for path in paths.values()}) < different:
        parts += 1
    return {file: "/".join(path[-parts:]) for file, path in paths.items()}


def _picture(facts: Mapping[str, Any], name: str, emotions: Emotions, image: Image.Image) -> Picture:
    people = facts["people"]
    count = counted(len(people), "person")
    caption = f"{name}: {count}, lead {signed(100 * facts['lead'], 0)}"
    return Picture(draw_sample(image, people, emotions), caption, f"{caption}. {' '.join(map(_told, people))}")


def draw_sample(image: Image.Image, people: Sequence[Mapping[str, Any]], emotions: Emotions) -> Image.Image:
    """A picture with predictions and annotations, reduced to what a page shows.

    Args:
        image: in the frame of the boxes.
        people: as ``evaluation/extremes.py`` keeps them.
    """
    size = (image.height, image.width)
    found = [person for person in people if person["predicted_box"] is not None]
    probabilities = torch.zeros(len(found), emotions.num_emotions)
    for row, person in enumerate(found):
        for one in person["predicted"]:
            probabilities[row, emotions.index(one["label"])] = one["probability"]
    predicted = Instances(
        size,
        pred_boxes=Boxes(torch.tensor([person["predicted_box"] for person in found]).reshape(-1, 4)),
        scores=torch.ones(len(found)),
        emotion_probs=probabilities,
    )
    truth = Instances(size, gt_boxes=Boxes(torch.tensor([person["annotated_box"] for person in people]).reshape(-1, 4)))
    truth.set(emotions.target_field, emotions.encode([[emotions.index(n) for n in p["truth"]] for p in people]))
    shown = image.copy()
    shown.thumbnail((_LONG_SIDE, _LONG_SIDE), Image.Resampling.LANCZOS)
    return draw_predictions(shown, predicted, emotions, 0.0, ground_truth=truth)


def _told(person: Mapping[str, Any]) -> str:
    """One person in words, for readers who cannot see the picture."""
    read = ", ".join(f"{one['label']} {percent(one['probability'], 0)}" for one in person["predicted"])
    truth = ", ".join(person["truth"]) or "none"
    return f"Annotated: {truth}; read: {read or 'nobody found'}; IoU {person['iou']:.2f}."
