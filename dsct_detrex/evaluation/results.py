"""What one image contributes to an evaluation, and the table of all people that the metrics read.

An ``ImageResult`` is small and picklable, because it travels between processes. Nothing here depends on the order in
which images arrive: they are sorted by ``image_id``, and an image that two processes evaluated (a sampler pads its
shards so that they are equally long) counts once.

Shapes: n annotated people of one image, P people of all images, K emotion categories.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ImageResult:
    """The matched predictions of one image.

    Attributes:
        image_id: unique number of the image in its data set.
        file_name: as the record calls it.
        scores: (n, K) probabilities of the prediction that speaks for each person; zeros where ``found`` is False.
        targets: (n, K) 0/1, the annotated emotions.
        found: (n,) False where the image has no prediction at all.
        iou: (n,) continuous IoU of the person with that prediction; 0 where ``found`` is False.
        boxes: (n, 4) xyxy, original pixels, box of that prediction; NaN where ``found`` is False.
        strict_scores, strict_found: as ``scores`` and ``found``, of the prediction that the strict protocol chose.
        people: (n, 4) xyxy, original pixels, annotated boxes.
        detections: (N, 5) all predictions before any suppression: xyxy in original pixels, and the confidence in [0, 1]
            that this is a person.
        groups: attribute -> its value of each of the n people (``{"gender": ("Female", "Male")}``), empty where the
            data set does not name it of a person; only the attributes that it knows of.
    """

    image_id: int
    file_name: str
    scores: NDArray[np.float32]
    targets: NDArray[np.int64]
    found: NDArray[np.bool_]
    iou: NDArray[np.float32]
    boxes: NDArray[np.float32]
    strict_scores: NDArray[np.float32]
    strict_found: NDArray[np.bool_]
    people: NDArray[np.float32]
    detections: NDArray[np.float32]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class PeopleTable:
    """All annotated people, one row each.

    Attributes:
        scores: (P, K) probabilities.
        targets: (P, K) 0/1.
        found: (P,) False where no prediction spoke for the person.
        iou: (P,) in [0, 1].
        people_in_image: (P,) how many annotated people the person's image has, itself included.
        lost: people who are not found are out of reach at any threshold, as the strict protocol has it; else they rank
            last, with a score of 0.
    """

    scores: NDArray[np.float32]
    targets: NDArray[np.int64]
    found: NDArray[np.bool_]
    iou: NDArray[np.float32]
    people_in_image: NDArray[np.int64]
    lost: bool = False

    def __len__(self) -> int:
        return len(self.targets)

    def rows(self, chosen: NDArray[np.bool_]) -> PeopleTable:
        """The people where the (P,) mask is True."""
        return PeopleTable(
            self.scores[chosen],
            self.targets[chosen],
            self.found[chosen],
            self.iou[chosen],
            self.people_in_image[chosen],
            self.lost,
        )


def merge_images(shards: Iterable[Iterable[ImageResult]]) -> list[ImageResult]:
    """Images of all processes, each once, in the order of their ``image_id``.

    Raises:
        ValueError: two different files carry the same ``image_id``; one of them would be lost.
    """
    merged: dict[int, ImageResult] = {}
    for shard in shards:
        for image in shard:
            known = merged.setdefault(image.image_id, image)
            if known.file_name != image.file_name:
                raise ValueError(
                    f"merge_images expects one file per image_id. Got image_id {image.image_id} "
                    f"for both {known.file_name!r} and {image.file_name!r}."
                )
    return [merged[image_id] for image_id in sorted(merged)]


def stack_people(images: Sequence[ImageResult], num_emotions: int, strict: bool = False) -> PeopleTable:
    """One row per annotated person, in the order of the images.

    Args:
        strict: take the predictions that the strict protocol chose; ``iou`` stays that of the protocol in use.
    """
    counts = [len(image.targets) for image in images]
    empty = np.zeros((0, num_emotions))
    scores = [image.strict_scores if strict else image.scores for image in images]
    found = [image.strict_found if strict else image.found for image in images]
    return PeopleTable(
        scores=np.concatenate([empty, *scores]).astype(np.float32),
        targets=np.concatenate([empty, *(image.targets for image in images)]).astype(np.int64),
        found=np.concatenate([np.zeros(0, bool), *found]),
        iou=np.concatenate([np.zeros(0, np.float32), *(image.iou for image in images)]),
        people_in_image=np.repeat(np.asarray(counts, dtype=np.int64), counts),
        lost=strict,
    )
