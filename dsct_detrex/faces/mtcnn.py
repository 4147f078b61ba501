"""MTCNN (Zhang et al., 2016) as facenet-pytorch ships it: three small networks, weights in the wheel, our own torch."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import torch
from PIL import Image

from dsct_detrex.errors import UserError
from dsct_detrex.faces.detector import Face

_STAGES = (0.6, 0.7, 0.7)
"""Least confidence after each of the three networks, as in the paper's code."""


class Mtcnn:
    """See ``FaceDetector``.

    Args:
        min_size: least side of a face, pixels; the effort grows with its inverse square.

    Raises:
        UserError: the package is not installed.
    """

    def __init__(self, min_size: int) -> None:
        self.min_size = min_size
        self.usual_score = 0.9  # of our photographs: faces 0.99 and above, what is none up to 0.88
        self._network = _network(min_size)

    @property
    def name(self) -> str:
        return f"MTCNN (facenet-pytorch {version('facenet-pytorch')})"

    def find(self, picture: Image.Image) -> list[Face]:
        if min(picture.size) < self.min_size:
            return []
        boxes, scores = self._network.detect(picture)
        if boxes is None:
            return []
        return [Face((x0, y0, x1, y1), float(score)) for (x0, y0, x1, y1), score in zip(boxes.tolist(), scores)]


def _network(min_size: int) -> Any:
    try:
        from facenet_pytorch import MTCNN
    except ImportError as error:
        raise UserError(
            "data boxes finds faces with facenet-pytorch, which is not installed: pip install 'dsct-detrex[faces]' "
            "(in a checkout: pip install -e '.[faces]'), or name a YuNet file with --model."
        ) from error
    return MTCNN(
        min_face_size=min_size,
        thresholds=list(_STAGES),
        keep_all=True,
        select_largest=False,
        device=torch.device("cpu"),
    )
