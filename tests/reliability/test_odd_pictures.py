"""Pictures of every odd kind: one outcome each in training data, a predictor, ``predict`` and ``visualize``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from dsct_detrex.data import DatasetMapper, eval_transforms, train_transforms
from dsct_detrex.data.images import ImageError
from dsct_detrex.data.sets.coco import CocoDataset
from dsct_detrex.errors import UserError
from dsct_detrex.prediction import Predictor
from dsct_detrex.prediction.inputs import as_photo
from tests.commands import predict, visualize
from tests.prediction.tiny_release import write_release

WIDTH, HEIGHT = 48, 36
FEW = ["--device", "cpu", "--threshold", "0"]
SMALL = ["--figure", "predictions", "--images", "1", "--people", "1", "--dpi", "40"]
GRADIENT = np.linspace(0, 255, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH).astype(np.uint8)
RGB = np.stack([GRADIENT, GRADIENT[::-1], 255 - GRADIENT], -1)


def _saved(picture: Image.Image, suffix: str, **options: Any) -> Callable[[Path], Path]:
    def save(folder: Path) -> Path:
        path = folder / f"a{suffix}"
        picture.save(path, **options)
        return path

    return save


def _turned(folder: Path) -> Path:
    """Stored lying on its side; upright it is 48 x 36."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(RGB).transpose(Image.Transpose.ROTATE_90).save(folder / "a.jpg", exif=exif, quality=95)
    return folder / "a.jpg"


def _truncated(folder: Path) -> Path:
    path = _saved(Image.fromarray(RGB), ".jpg")(folder)
    path.write_bytes(path.read_bytes()[:-200])
    return path


_PLAIN = Image.fromarray(RGB)
_MOVING = {"save_all": True, "append_images": [_PLAIN.rotate(180)], "duration": 50}
GOOD: dict[str, tuple[Callable[[Path], Path], str]] = {  # how it is written, and what its pixels should be like
    "8-bit RGB": (_saved(_PLAIN, ".png"), "colours"),
    "16-bit gray": (_saved(Image.fromarray(GRADIENT.astype(np.uint16) * 256), ".png"), "gray"),
    "16-bit gray TIFF": (_saved(Image.fromarray(GRADIENT.astype(np.uint16) * 256), ".tif"), "gray"),
    "palette": (_saved(_PLAIN.convert("P", palette=Image.Palette.ADAPTIVE), ".png"), "roughly"),
    "palette with a transparent colour": (
        _saved(_PLAIN.convert("P", palette=Image.Palette.ADAPTIVE), ".png", transparency=0), "roughly",
    ),
    "RGBA": (_saved(Image.fromarray(np.dstack([RGB, GRADIENT])), ".png"), "colours"),
    "CMYK": (_saved(_PLAIN.convert("CMYK"), ".jpg", quality=95), "roughly"),
    "turned by EXIF": (_turned, "roughly"),
    "1-bit": (_saved(Image.fromarray(GRADIENT > 127), ".png"), "black and white"),
    "LA": (_saved(Image.fromarray(np.dstack([GRADIENT, GRADIENT[::-1]])), ".png"), "gray"),
    "gray": (_saved(Image.fromarray(GRADIENT), ".png"), "gray"),
    "animated GIF": (_saved(_PLAIN, ".gif", **_MOVING), "roughly"),
    "animated WebP": (_saved(_PLAIN, ".webp", lossless=True, **_MOVING), "roughly"),
}  # fmt: skip
BROKEN: dict[str, Callable[[Path], Path]] = {
    "truncated JPEG": _truncated,
    "empty file": lambda folder: _written(folder, b""),
    "text": lambda folder: _written(folder, b"no picture"),
    "a header and nothing more": lambda folder: _written(folder, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(17)),
}
SIZES = {"1 x 1": (1, 1), "8000 x 30": (8000, 30), "30 x 8000": (30, 8000), "1 x 500": (1, 500)}


def _written(folder: Path, content: bytes) -> Path:
    (folder / "a.png").write_bytes(content)
    return folder / "a.png"


def expected(kind: str) -> tuple[np.ndarray[Any, Any], float]:
    """Pixels, and how far they may be off on average."""
    gray = np.stack([GRADIENT] * 3, -1)
    return {
        "colours": (RGB, 0.0),
        "roughly": (RGB, 14.0),
        "gray": (gray, 0.0),
        "black and white": ((gray > 127) * np.uint8(255), 0.0),
    }[kind]


def close(found: np.ndarray[Any, Any], kind: str) -> None:
    wanted, far = expected(kind)
    assert found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted.astype(int)).mean() <= far


def data_set(path: Path, size: tuple[int, int], on_error: str = "raise") -> CocoDataset:
    """One picture with one person in its middle, and another picture, so that something is left."""
    Image.new("RGB", (20, 20)).save(path.parent / "other.png")
    width, height = size
    box = [width / 4, height / 4, width / 2, height / 2]
    content = {
        "images": [
            {"id": 1, "file_name": path.name, "width": width, "height": height},
            {"id": 2, "file_name": "other.png", "width": 20, "height": 20},
        ],
        "annotations": [
            {"id": 1, "image_id": 1, "bbox": box, "category_id": 1},
            {"id": 2, "image_id": 2, "bbox": [2, 2, 9, 9], "category_id": 2},
        ],
        "categories": [{"id": 1, "name": "calm"}, {"id": 2, "name": "tense"}],
    }
    (path.parent / "train.json").write_text(json.dumps(content))
    return CocoDataset(str(path.parent), "train", on_error=on_error)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_release(tmp_path_factory.mktemp("release") / "best.safetensors")


@pytest.fixture(scope="module")
def predictor(release: Path) -> Predictor:
    return Predictor.from_checkpoint(release, device="cpu", threshold=0.0)


@pytest.mark.parametrize("name", GOOD)
def test_odd_kinds_are_read_in_training_data(name: str, tmp_path: Path) -> None:
    write, kind = GOOD[name]
    dataset = data_set(write(tmp_path), (WIDTH, HEIGHT))
    close(np.asarray(dataset.load_image(0)), kind)
    for transforms in (train_transforms(scales=[32]), eval_transforms(32)):
        entry = DatasetMapper(transforms, dataset.emotions, True)(dataset.record(0), dataset.load_image(0))
        assert entry["image"].dtype == torch.uint8
        assert entry["image"].shape[0] == 3


@pytest.mark.parametrize("name", GOOD)
def test_odd_kinds_are_read_by_a_predictor(name: str, predictor: Predictor, tmp_path: Path) -> None:
    write, kind = GOOD[name]
    path = write(tmp_path)
    by_path, by_picture = predictor(path), predictor(Image.open(path))
    assert by_path.image_size == (HEIGHT, WIDTH)
    assert by_path.people
    assert by_path.to_dict()["people"] == by_picture.to_dict()["people"]
    close(np.asarray(as_photo(path).pixels), kind)


@pytest.mark.parametrize("name", BROKEN)
def test_broken_ones_are_named_everywhere(name: str, predictor: Predictor, tmp_path: Path) -> None:
    path = BROKEN[name](tmp_path)
    for work in (lambda: data_set(path, (WIDTH, HEIGHT)).load_image(0), lambda: predictor(path)):
        with pytest.raises(ImageError, match=rf"{path.name} cannot be read \(.+\)\. Copy the file again\."):
            work()
    assert "cannot be read" in predictor(path, on_error="report").error


def test_all_of_them_at_once(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``predict`` and ``visualize`` on a folder of them: a row for each, a reason for the broken ones, status 1."""
    photos = tmp_path / "photos"
    for number, write in enumerate([*(write for write, _ in GOOD.values()), *BROKEN.values()]):
        (photos / str(number)).mkdir(parents=True)
        write(photos / str(number))
    for name, size in SIZES.items():
        Image.new("RGB", size, "teal").save(photos / f"{name.replace(' ', '')}.png")
    status = predict([str(release), str(photos), "--recursive", "--out", str(tmp_path / "out"), *FEW])
    rows = json.loads((tmp_path / "out" / "predictions.json").read_text())
    said = capsys.readouterr()
    assert "left out: 1 empty file (a.png)" in said.out, "of a folder, what is plainly nothing is counted, not read"
    assert len(rows) == len(GOOD) + len(BROKEN) - 1 + len(SIZES)
    assert sum("error" in row for row in rows) == len(BROKEN) - 1
    assert status == 1, said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("name", SIZES)
def test_odd_sizes_are_predicted(name: str, predictor: Predictor, tmp_path: Path) -> None:
    size = SIZES[name]
    path = tmp_path / "a.png"
    Image.new("RGB", size, "teal").save(path)
    found = predictor(path)
    assert found.image_size == size[::-1]
    for person in found.people:
        assert np.isfinite(person.box).all()
        assert 0 <= person.box[0] <= person.box[2] <= size[0]
        assert 0 <= person.box[1] <= person.box[3] <= size[1]
    assert found.plot().size[0] >= 1


@pytest.mark.parametrize("name", SIZES)
def test_odd_sizes_are_training_data(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", SIZES[name], "teal").save(path)
    dataset = data_set(path, SIZES[name])
    for transforms in (train_transforms(scales=[32], crop_probability=1.0), eval_transforms(32)):
        torch.manual_seed(0)
        for _ in range(4):
            entry = DatasetMapper(transforms, dataset.emotions, True)(dataset.record(0), dataset.load_image(0))
            assert min(entry["image"].shape) >= 1
            boxes = entry["instances"].gt_boxes.tensor
            assert boxes.isfinite().all()


@pytest.mark.parametrize("name", [*GOOD, *SIZES])
def test_the_command_that_draws_what_a_model_sees(name: str, release: Path, tmp_path: Path) -> None:
    if name not in ("16-bit gray", "CMYK", "turned by EXIF", "1 x 1", "8000 x 30"):
        pytest.skip("the same reader; few are enough for the slowest command")
    if name in GOOD:
        path = GOOD[name][0](tmp_path)
    else:
        path = tmp_path / "a.png"
        Image.new("RGB", SIZES[name], "teal").save(path)
    status = visualize([str(release), str(path), "--out", str(tmp_path / "out"), *FEW, *SMALL])
    assert status in (0, 1)
    assert any((tmp_path / "out").rglob("*.png")) or status


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_picture_is_one_sentence_of_the_command_that_draws(
    name: str, release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = BROKEN[name](tmp_path)
    assert visualize([str(release), str(path), "--out", str(tmp_path / "out"), *FEW, *SMALL]) != 0
    said = capsys.readouterr()
    assert "cannot be read" in said.err + said.out
    assert "Traceback" not in said.err


def test_a_predictor_refuses_nothing_silently(predictor: Predictor) -> None:
    with pytest.raises(UserError, match="has no pixels"):
        predictor(Image.new("RGB", (0, 5)))
