"""YuNet (Wu et al., 2023) from a file of the user's, e.g. ``face_detection_yunet_2023mar.onnx``, run by OpenCV."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dsct_detrex.errors import UserError
from dsct_detrex.faces.detector import Face

_LEAST_SCORE = 0.3
_OVERLAP = 0.3
_MOST_BOXES = 5000  # before overlapping ones are merged; OpenCV's own default
_COLUMNS = 15  # x, y, width, height, five landmarks, score
_TRIAL = 64  # side of a picture to try a file on


class YuNet:
    """See ``FaceDetector``.

    Args:
        model: the ONNX file.
        min_size: least side of a face, pixels.

    Raises:
        UserError: OpenCV is not installed, or the file is not there or no YuNet that it can run.
    """

    def __init__(self, model: Path, min_size: int) -> None:
        if not model.is_file():
            raise UserError(f"data boxes: --model {model} is {'a folder' if model.is_dir() else 'not there'}.")
        self.min_size = min_size
        self.usual_score = 0.85  # of our photographs: faces 0.89 and above, what is none up to 0.81
        self._model = model
        self._cv2 = _opencv()
        self._own = threading.local()  # OpenCV's detector keeps the size of its picture, so each thread has one
        self._digest = hashlib.blake2b(model.read_bytes(), digest_size=4).hexdigest()
        self._try()

    @property
    def name(self) -> str:
        return f"YuNet ({self._model.name} {self._digest}, OpenCV {self._cv2.__version__})"

    def find(self, picture: Image.Image) -> list[Face]:
        network = self._network()
        network.setInputSize(picture.size)
        _, rows = network.detect(np.ascontiguousarray(np.asarray(picture)[..., ::-1]))  # BGR
        found = [] if rows is None else rows.tolist()
        return [Face((x, y, x + width, y + height), row[-1]) for row in found for x, y, width, height in [row[:4]]]

    def _network(self) -> Any:
        if not hasattr(self._own, "network"):
            self._own.network = self._cv2.FaceDetectorYN.create(
                str(self._model), "", (_TRIAL, _TRIAL), _LEAST_SCORE, _OVERLAP, _MOST_BOXES
            )
        return self._own.network

    def _try(self) -> None:
        """A file of another network is found out on the first picture, not while it is read."""
        refused = f"data boxes: --model {self._model} is no YuNet that OpenCV {self._cv2.__version__} can run"
        remedy = "Give a file like face_detection_yunet_2023mar.onnx of OpenCV's model zoo."
        try:
            network = self._network()
            network.setInputSize((_TRIAL, _TRIAL))
            _, rows = network.detect(np.zeros((_TRIAL, _TRIAL, 3), np.uint8))
        except (self._cv2.error, SystemError, ValueError) as error:
            reason = " ".join(str(getattr(error, "err", "") or error).split())
            raise UserError(f"{refused} ({reason.rstrip('.')}). {remedy}") from error
        if rows is not None and rows.shape[1] != _COLUMNS:
            raise UserError(f"{refused} ({rows.shape[1]} numbers a face, expected {_COLUMNS}). {remedy}")


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise UserError(
            "data boxes --model needs OpenCV, which is not installed: pip install 'dsct-detrex[yunet]' "
            "(in a checkout: pip install -e '.[yunet]')."
        ) from error
    if hasattr(cv2, "setLogLevel"):
        cv2.setLogLevel(0)  # it would print its errors beside ours
    return cv2
