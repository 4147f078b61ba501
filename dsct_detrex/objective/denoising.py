"""Denoising: queries that start from an annotated person, spoilt a little, and learn to mend it.

Sources: DN-DETR, arXiv:2203.01305, section 4 (spoilt labels and boxes, groups); DINO, arXiv:2203.03605, section 3.3
(contrastive negatives: boxes spoilt more, which should say "nobody"). Here both work on people and on either kind of
emotions. Where this departs from their released code:

* Multi-label emotions have no single label to replace. With the same probability each *bit* is drawn anew, with the
  person's own share of present categories, so that a spoilt person has as many categories as before on average.
* DINO moves every side of a negative box in a direction of its own. A quarter of the boxes, along each axis, then turn
  inside out, and on a person who fills the picture the outward ones come back to the person when they are cut to the
  image. Here both sides of an axis move the same way: no negative is ever the person, nor empty from within.
* Boxes are cut to the image at their sides, and no side is shorter than 1e-3: DAB-DETR's attention divides by sizes.
* The slots that fill up images with fewer people than others are not judged (DINO trains them as "nobody").

Shapes: B images, P people of the fullest image, G groups, H = 2 halves (positive, negative) if contrastive else 1,
S = G H P slots, K emotions, T pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from dsct_detrex.layers.boxes import box_xyxy_to_cxcywh
from dsct_detrex.objective.assignment import Assignment
from dsct_detrex.objective.group_task import GroupTask
from dsct_detrex.objective.noise import (
    any_emotion,
    inside_the_image,
    push_away,
    redraw_emotions,
    shift_and_scale,
    wiggle_sides,
)
from dsct_detrex.objective.targets import Target, pad_targets
from dsct_detrex.structures import Emotions, MultiLabelEmotions


@dataclass(frozen=True)
class NoisedPeople:
    """Spoilt people of a batch, one per slot; group after group, in a contrastive group the positives first.

    Attributes:
        boxes: (B, S, 4) ``cxcywh`` in [0, 1] of the unpadded image.
        emotions: (B, S, K) float 0/1.
        groups: (S,) int64, numbered from 1.
        padding: (B, S) bool, True = an empty slot; the first slot of a group never is.
        pairs: (3, T) int64 ``image, slot, person``: which slot should answer for whom. The others should say "nobody".
        num_groups: G.
    """

    boxes: Tensor
    emotions: Tensor
    groups: Tensor
    padding: Tensor
    pairs: Tensor
    num_groups: int

    def assign(self, pred_logits: Tensor, pred_boxes: Tensor, targets: Sequence[Target]) -> Assignment:
        """An ``Assigner`` that knows the answer: the same pairs in every layer, whatever is predicted."""
        num_layers, num_pairs = len(pred_boxes), self.pairs.shape[1]
        layer = torch.arange(num_layers, device=self.pairs.device).repeat_interleave(num_pairs)
        return Assignment(torch.cat([layer[None], self.pairs.repeat(1, num_layers)]))

    def task(self, weight: float) -> GroupTask:
        """How the criterion judges the slots; ``weight``: factor of the losses ``..._dn``."""
        return GroupTask("dn", weight, self.assign, answers=self.pairs.shape[1], padding=self.padding)


class Denoising:
    """The recipe: how many spoilt copies of the people, and how spoilt.

    All randomness comes from torch's global generator of the targets' device.

    Args:
        num_groups: G at most. Groups do not see each other; each holds every person of the image once.
        max_queries: S at most. Groups are given up first; people, chosen at random, only if a single group is too long.
        label_noise: probability that a label (multi-class) or each category bit (multi-label) is drawn anew. DN-DETR
            0.2; DINO 0.25, which its code calls a ratio of 0.5 and halves.
        box_noise: in [0, 1]. DN-DETR (0.4): the centre moves by up to this share of half the size, the size changes by
            up to this share. Contrastive (DINO, 1.0): sides of a positive move by up to this share of half the size,
            those of a negative by once to twice that.
        contrastive: a negative beside every positive.
        weight: factor of the losses.

    Raises:
        ValueError: an argument outside its range.
    """

    def __init__(
        self,
        num_groups: int = 5,
        max_queries: int = 200,
        label_noise: float = 0.2,
        box_noise: float = 0.4,
        contrastive: bool = False,
        weight: float = 1.0,
    ) -> None:
        halves = 2 if contrastive else 1
        for name, count, least in (("num_groups", num_groups, 1), ("max_queries", max_queries, halves)):
            if count < least:
                raise ValueError(f"Denoising({name}=) expects an int >= {least}. Got {count}.")
        for name, share in (("label_noise", label_noise), ("box_noise", box_noise)):
            if not 0 <= share <= 1:
                raise ValueError(f"Denoising({name}=) expects a number in [0, 1]. Got {share}.")
        if weight < 0:
            raise ValueError(f"Denoising(weight=) expects a weight that is not negative. Got {weight}.")
        self.num_groups = num_groups
        self.max_queries = max_queries
        self.label_noise = label_noise
        self.box_noise = box_noise
        self.contrastive = contrastive
        self.weight = weight

    def __call__(self, targets: Sequence[Target], emotions: Emotions) -> NoisedPeople:
        """Spoil the people of a batch.

        Args:
            targets: one for each of the B images.
            emotions: the kind of their emotion targets.

        Returns:
            The spoilt people. An image without people has one slot per group that is no padding all the same: a random
            box that answers for nobody. A batch without people has one group of these.
        """
        halves = 2 if self.contrastive else 1
        people = _people(targets, emotions, limit=self.max_queries // halves)
        num_people = people.boxes.shape[1]
        num_groups = max(1, min(self.num_groups, self.max_queries // (halves * num_people)))
        num_groups = num_groups if any(people.counts) else 1
        boxes, hot = (x[:, None, None].expand(-1, num_groups, halves, -1, -1) for x in (people.boxes, people.hot))
        slots = torch.arange(num_groups * halves * num_people, device=boxes.device)
        empty = torch.stack([people.padding, ~people.real], 1)[:, :halves].flatten(1)
        return NoisedPeople(
            boxes=inside_the_image(self._spoil(boxes)).flatten(1, 3),
            emotions=redraw_emotions(hot, self.label_noise, isinstance(emotions, MultiLabelEmotions)).flatten(1, 3),
            groups=slots.div(halves * num_people, rounding_mode="floor") + 1,
            padding=empty.repeat(1, num_groups),
            pairs=_pairs(people, num_groups, halves * num_people),
            num_groups=num_groups,
        )

    def _spoil(self, boxes: Tensor) -> Tensor:
        """(B, G, H, P, 4) people -> spoilt, not yet cut to the image."""
        if not self.contrastive:
            return shift_and_scale(boxes, self.box_noise)
        positive, negative = boxes.unbind(2)
        return torch.stack([wiggle_sides(positive, self.box_noise), push_away(negative, self.box_noise)], 2)


@dataclass(frozen=True)
class _People:
    """Annotated people in slots of equal number: boxes (B, P, 4), hot (B, P, K), index (B, P) within the image,
    real (B, P) bool, padding (B, P) bool, and how many there are in each image."""

    boxes: Tensor
    hot: Tensor
    index: Tensor
    real: Tensor
    padding: Tensor
    counts: list[int]


def _people(targets: Sequence[Target], emotions: Emotions, limit: int) -> _People:
    """At most ``limit`` people of each image; the first slot of an image without people holds a random box."""
    boxes, labels = pad_targets(targets)
    hot = emotions.multi_hot(labels)
    counts = torch.tensor([len(target) for target in targets], device=boxes.device)[:, None]
    if boxes.shape[1] == 0:
        boxes, hot = F.pad(boxes, (0, 0, 0, 1)), F.pad(hot, (0, 0, 0, 1))
    place = torch.arange(boxes.shape[1], device=boxes.device)
    index = place.expand(len(boxes), -1)
    if boxes.shape[1] > limit:
        shuffled = torch.rand(index.shape, device=boxes.device).masked_fill(place >= counts, 2.0)
        index, place = shuffled.argsort(1)[:, :limit], place[:limit]
        boxes, hot = (x.gather(1, index[..., None].expand(-1, -1, x.shape[-1])) for x in (boxes, hot))
    real = place < counts
    stray = (counts == 0) & (place == 0)
    corners = torch.rand(*boxes.shape[:2], 2, 2, device=boxes.device, dtype=boxes.dtype).sort(2).values.flatten(2)
    return _People(
        boxes=torch.where(stray[..., None], box_xyxy_to_cxcywh(corners), boxes),
        hot=torch.where(stray[..., None], any_emotion(hot), hot),
        index=index,
        real=real,
        padding=~(real | stray),
        counts=[min(len(target), limit) for target in targets],
    )


def _pairs(people: _People, num_groups: int, group_size: int) -> Tensor:
    """(3, T) image, slot, person of every positive, listed without reading a value back from the device."""
    listed = [(image, place) for image, count in enumerate(people.counts) for place in range(count)]
    image, place = torch.tensor(listed, dtype=torch.int64).reshape(-1, 2).T.to(people.index.device)
    first = torch.arange(num_groups, device=place.device)[:, None] * group_size
    image = image.expand(num_groups, -1)
    return torch.stack([image, first + place, people.index[image, place]]).flatten(1)
