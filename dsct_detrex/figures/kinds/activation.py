"""Activation of the last stage of the backbone, beside that of another model where one is given (paper Figure 7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from dsct_detrex.baselines import EMONet
from dsct_detrex.baselines.crops import person_crops, scenes
from dsct_detrex.data.images import Photo
from dsct_detrex.figures.contracts import Drawing, Material
from dsct_detrex.figures.ground import panel_inches, put_box, put_picture
from dsct_detrex.figures.looking import Looking
from dsct_detrex.figures.samples import Sample

_WIDTH = 3.6
_LONG_SIDE = 480
_COLORS = "YlOrRd"
"""Darker and more opaque with the value, for every kind of eye and in print."""
_OPAQUE = 0.85

Heat = NDArray[np.float32]
"""(h, w) in [0, 1] over the whole picture; NaN where the model did not look."""


def draw(material: Material) -> Iterator[Drawing]:
    """A picture each: itself, then a panel for every map."""
    for number, sample in material.drawn():
        look = material.model.look(sample)
        people = look.people.pred_boxes.tensor
        colors = [look.color(person) for person in range(len(people))]
        panels = _of_dsct(material.model, sample)
        if material.beside is not None:
            panels |= _of_other(material.beside, sample, people)
        photo = sample.photo

        def paint(
            figure: Any,
            photo: Photo = photo,
            people: Tensor = people,
            colors: list[str] = colors,
            panels: dict[str, Heat] = panels,
        ) -> None:
            first, *others = figure.subplots(1, len(panels) + 1)
            put_picture(first, photo)
            first.set_title("People found")
            for box, color in zip(people, colors):
                put_box(first, box, photo, color)
            for axes, (title, heat) in zip(others, panels.items()):
                put_picture(axes, photo, faded=True)
                cover = _OPAQUE * np.nan_to_num(heat) ** 0.7
                shown = axes.imshow(heat, cmap=_COLORS, vmin=0, vmax=1, alpha=cover, extent=(0, 1, 1, 0), zorder=2)
                axes.set_aspect(photo.height / photo.width)
                axes.set_title(title)
            bar = figure.colorbar(shown, ax=others[-1], fraction=0.05, pad=0.02, ticks=[0, 1])
            bar.ax.set_yticklabels(["least", "most"])
            bar.outline.set_visible(False)

        yield Drawing(
            f"activation_{number}",
            paint,
            (_WIDTH * (len(panels) + 1) + 0.6, panel_inches(photo, _WIDTH) + 0.4),
            f"Mean activation over the channels of {', '.join(panels)}; each from least to most in this picture.",
            [sample.name],
        )


def _of_dsct(model: Looking, sample: Sample) -> dict[str, Heat]:
    features = model.look(sample).seen.features
    heat = _spread(features.maps[:1].cpu(), sample.photo, features.shares[0].tolist())
    return {f"{model.name}, {features.name}": _from_0_to_1(heat)}


@torch.no_grad()
def _of_other(model: Looking, sample: Sample, found: Tensor) -> dict[str, Heat]:
    network = model.predictor.model
    if not isinstance(network, EMONet):
        return _of_dsct(model, sample)
    boxes = found if sample.truth is None else sample.truth.gt_boxes.tensor
    image, photo = model.predictor.model_input(sample.photo)["image"], sample.photo
    pixels = network.normalizer.normalise(image)
    own = (boxes * boxes.new_tensor([image.shape[-1] / photo.width, image.shape[-2] / photo.height] * 2)).to(pixels)
    if not len(boxes):
        return {}
    views = scenes(pixels, own, network.context_size, network.mask_subjects)
    crops = person_crops(pixels, own, network.subject_size)
    of_scene = _last(network.context_backbone(views)).mean(0, keepdim=True)
    return {
        f"{model.name}, scene": _from_0_to_1(_spread(of_scene, photo, [1.0, 1.0])),
        f"{model.name}, people": _in_boxes(_last(network.subject_backbone(crops)), boxes, photo),
    }


def _last(maps: dict[str, Tensor]) -> Tensor:
    return list(maps.values())[-1].cpu()


def _spread(maps: Tensor, photo: Photo, shares: list[float]) -> Tensor:
    """(h, w) mean over channels of a (1, C, h, w) map that goes beyond the picture, whose shares of it are given."""
    width, height = _shown_size(photo)
    full = (round(height / shares[1]), round(width / shares[0]))
    mean = maps.float().abs().mean(1, keepdim=True)
    return F.interpolate(mean, full, mode="bilinear", align_corners=False)[0, 0, :height, :width]


def _in_boxes(maps: Tensor, boxes: Tensor, photo: Photo) -> Heat:
    """(P, C, h, w) maps of people, each laid over its box; NaN outside, the stronger where two overlap."""
    width, height = _shown_size(photo)
    heat = torch.full((height, width), torch.nan)
    means = maps.float().abs().mean(1)
    for mean, box in zip(means, boxes * (width / photo.width)):
        x0, y0, x1, y1 = (round(value) for value in box.tolist())
        x0, y0 = min(max(x0, 0), width - 1), min(max(y0, 0), height - 1)
        x1, y1 = min(max(x1, x0 + 1), width), min(max(y1, y0 + 1), height)
        laid = F.interpolate(mean[None, None], (y1 - y0, x1 - x0), mode="bilinear", align_corners=False)[0, 0]
        heat[y0:y1, x0:x1] = torch.fmax(heat[y0:y1, x0:x1], laid)
    return _from_0_to_1(heat)


def _shown_size(photo: Photo) -> tuple[int, int]:
    """(width, height) of a map as it is drawn."""
    scale = _LONG_SIDE / max(photo.width, photo.height)
    return max(1, round(photo.width * scale)), max(1, round(photo.height * scale))


def _from_0_to_1(heat: Tensor) -> Heat:
    known = heat[~heat.isnan()]
    low, high = (known.min(), known.max()) if len(known) else (torch.zeros(()), torch.ones(()))
    scaled: Heat = ((heat - low) / (high - low).clamp(min=1e-12)).numpy()
    return scaled
