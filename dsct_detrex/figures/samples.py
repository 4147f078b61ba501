"""The pictures that figures stand on: files, a split of a data set, or drawn scenes, with annotations where known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from dsct_detrex.counting import counted
from dsct_detrex.data.dataset import EmotionDataset, describe
from dsct_detrex.data.images import Photo, photo_of, read_photo
from dsct_detrex.data.synthetic import SyntheticScenes
from dsct_detrex.data.synthetic.dataset import FORMATS
from dsct_detrex.errors import UserError
from dsct_detrex.names import SYNTHETIC, data_sets
from dsct_detrex.prediction.data_split import split_named
from dsct_detrex.prediction.pictures import Found, find_pictures
from dsct_detrex.structures import Boxes, Emotions, Instances

_DRAWN_SIZE = (576, 432)
"""(width, height): scenes mean the same at any size, and these can be looked at."""
_DRAWN = 1000


@dataclass(frozen=True)
class Sample:
    """One picture.

    Attributes:
        name: its path, or what its data set calls it.
        photo: its pixels.
        truth: ``gt_boxes`` (xyxy, pixels of the frame) and the target field of ``emotions``; None where nobody
            annotated it.
        emotions: of the annotations.
    """

    name: str
    photo: Photo
    truth: Instances | None = None
    emotions: Emotions | None = None


class Samples(Protocol):
    """Pictures in their order."""

    @property
    def said(self) -> str:
        """What they are, in words."""

    def __len__(self) -> int: ...

    def sample(self, index: int) -> Sample:
        """Picture ``index``, read or drawn now.

        Raises:
            ImageError: it cannot be read.
        """


class Files:
    """Pictures that a command line names."""

    def __init__(self, found: Sequence[Found], said: str) -> None:
        self._found, self._said = found, said

    @property
    def said(self) -> str:
        return self._said

    def __len__(self) -> int:
        return len(self._found)

    def sample(self, index: int) -> Sample:
        path = str(self._found[index].path)
        return Sample(path, read_photo(path))


class Annotated:
    """The pictures of a data set, and of which model: ``said`` tells where its emotions are not theirs."""

    def __init__(self, dataset: EmotionDataset, read: Emotions) -> None:
        self._dataset, self._read = dataset, read

    @property
    def said(self) -> str:
        said, shown = describe(self._dataset), self._dataset.emotions
        if shown == self._read:
            return said
        return f"{said}. Its annotations are the emotions of {shown.name}; the model reads those of {self._read.name}"

    def __len__(self) -> int:
        return len(self._dataset)

    def sample(self, index: int) -> Sample:
        record, emotions = self._dataset.record(index), self._dataset.emotions
        people = record["annotations"]
        boxes = torch.tensor([person["bbox"] for person in people], dtype=torch.float32).reshape(-1, 4)
        truth = Instances((record["height"], record["width"]), gt_boxes=Boxes(boxes))
        truth.set(emotions.target_field, emotions.encode([person["labels"] for person in people]))
        return Sample(record["file_name"], photo_of(self._dataset.load_image(index)), truth, emotions)


def find_samples(
    inputs: Sequence[str], data: str | None, root: str | None, split: str | None, emotions: Emotions
) -> Samples:
    """The pictures that a user named; drawn scenes where none are named.

    Args:
        inputs: files and folders.
        data: name of a data set, or a data config of the user's own.
        root: its folder.
        split: of it; None takes ``test``.
        emotions: that the model reads; drawn scenes are labelled with them.

    Raises:
        UserError: pictures and a data set are named, a name is unknown, nothing is there, or there are no drawn scenes
            with these emotions.
    """
    if inputs and (data or root or split):
        flag = "--data" if data else "--data-root" if root else "--split"
        raise UserError(f"visualize: {flag} names a data set and {inputs[0]} a picture; give one of the two.")
    if inputs:
        try:
            found, left_out = find_pictures(inputs)
        except UserError as error:
            raise UserError(str(error).replace("predict: ", "visualize: ", 1)) from error
        besides = f"; left out: {left_out.sentence()}" if left_out else ""
        return Files(found, f"{counted(len(found), 'picture')} of {', '.join(inputs)}{besides}")
    if data is None and root is not None:
        raise UserError(f"visualize: --data-root {root} needs --data NAME, one of {', '.join(data_sets())}.")
    if data is None or data == SYNTHETIC:
        if emotions.name not in FORMATS:
            raise UserError(
                f"visualize: drawn scenes show the emotions of {' or '.join(FORMATS)}, and this model reads "
                f"{emotions.name}; name pictures, or a data set with --data."
            )
        return Annotated(SyntheticScenes(emotions.name, split or "test", length=_DRAWN, size=_DRAWN_SIZE), emotions)
    return Annotated(split_named(data, root, split or "test", "visualize"), emotions)
