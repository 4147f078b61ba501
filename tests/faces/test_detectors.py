"""The two detectors: real faces, and what is said where one cannot work."""

from __future__ import annotations

import builtins
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dsct_detrex.errors import UserError
from dsct_detrex.faces.mtcnn import Mtcnn
from dsct_detrex.faces.yunet import YuNet

ASTRONAUT = Path(__file__).with_name("astronaut.jpg")
"""Eileen Collins, by NASA; public domain. Her face is about (65, 45, 130, 132) of 192 x 192 pixels."""


def test_mtcnn_finds_the_face_and_nothing_else() -> None:
    (face,) = Mtcnn(min_size=30).find(Image.open(ASTRONAUT).convert("RGB"))
    assert np.allclose(face.box, (65, 45, 130, 132), atol=8)
    assert face.score > 0.99


@pytest.mark.parametrize("size", [(192, 192), (1, 1), (29, 300), (300, 11), (30, 30)])
def test_mtcnn_finds_nothing_where_nothing_is(size: tuple[int, int]) -> None:
    assert Mtcnn(min_size=30).find(Image.new("RGB", size, "gray")) == []


def test_mtcnn_says_which_it_is() -> None:
    assert Mtcnn(min_size=30).name.startswith("MTCNN (facenet-pytorch 2.5.")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without the extras."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name in ("facenet_pytorch", "cv2"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)


def test_a_missing_package_is_one_sentence(bare: None, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"facenet-pytorch, which is not installed: pip install .*\[faces\].*--model"):
        Mtcnn(30)
    (tmp_path / "yunet.onnx").write_bytes(b"x")
    with pytest.raises(UserError, match=r"--model needs OpenCV, which is not installed: pip install .*\[yunet\]"):
        YuNet(tmp_path / "yunet.onnx", 30)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("absent.onnx", None, r"--model .*absent\.onnx is not there"),
        (".", None, r"--model .* is a folder"),
        ("empty.onnx", b"", r"empty\.onnx is no YuNet that OpenCV .* can run \(.*\)\. Give a file like"),
        ("text.onnx", b"version https://git-lfs.github.com/spec/v1\n", r"text\.onnx is no YuNet that OpenCV"),
        ("picture.jpg", ASTRONAUT.read_bytes(), r"picture\.jpg is no YuNet that OpenCV"),
        ("weights.safetensors", b"\x08\0\0\0\0\0\0\0{}      ", r"weights\.safetensors is no YuNet that OpenCV"),
    ],
)
def test_a_model_file_that_is_none(name: str, content: bytes | None, words: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=words) as caught:
        YuNet(tmp_path / name, 30)
    assert "\n" not in str(caught.value)


class Network:
    """What OpenCV's detector answers: rows of x, y, width, height, ten numbers of landmarks, score."""

    rows: Any = np.array([[10, 20, 40, 50, *range(10), 0.9], [60, 5, 12, 60, *range(10), 0.8]], np.float32)
    seen: Any = None

    def setInputSize(self, size: tuple[int, int]) -> None:
        self.size = size

    def detect(self, picture: Any) -> tuple[int, Any]:
        assert self.size == picture.shape[1::-1]
        Network.seen = picture
        return 1, self.rows


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file, and an OpenCV that reads any file as ``Network``."""
    cv2 = SimpleNamespace(
        __version__="5.0", error=RuntimeError, FaceDetectorYN=SimpleNamespace(create=lambda *_: Network())
    )
    monkeypatch.setitem(__import__("sys").modules, "cv2", cv2)
    (tmp_path / "yunet.onnx").write_bytes(b"x")
    return tmp_path / "yunet.onnx"


def test_yunet_boxes_are_corners_and_its_picture_is_bgr(model: Path) -> None:
    yunet = YuNet(model, min_size=30)
    faces = yunet.find(Image.new("RGB", (80, 60), (1, 2, 3)))
    assert [(face.box, round(face.score, 4)) for face in faces] == [((10, 20, 50, 70), 0.9), ((60, 5, 72, 65), 0.8)]
    assert Network.seen[0, 0].tolist() == [3, 2, 1]
    assert yunet.name.startswith("YuNet (yunet.onnx ")
    assert yunet.name.endswith(", OpenCV 5.0)")


def test_yunet_without_faces(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Network, "rows", None)
    assert YuNet(model, min_size=30).find(Image.new("RGB", (80, 60))) == []


def test_another_network_that_finds_something(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Network, "rows", np.zeros((1, 6), np.float32))
    with pytest.raises(UserError, match=r"6 numbers a face, expected 15"):
        YuNet(model, min_size=30)
