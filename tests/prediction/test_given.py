"""One picture, several, or a stream: what comes back, in which order, and what is held meanwhile."""

import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dsct_detrex.data.images import ImageError
from dsct_detrex.errors import UserError
from dsct_detrex.prediction import Prediction, Predictions
from dsct_detrex.structures import CAER_S
from tests.prediction.finds import finder


def picture(index: int) -> Image.Image:
    return Image.new("RGB", (20 + index, 10), (index, 0, 0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photos" / "day").mkdir(parents=True)
    picture(0).save(tmp_path / "photos" / "a.png")
    picture(1).save(tmp_path / "photos" / "day" / "b.png")
    return tmp_path / "photos"


def widths(results: object) -> list[int]:
    return [result.image_size[1] for result in results]  # type: ignore[attr-defined]


ARRAY = np.zeros((10, 20, 3), np.uint8)
TENSOR = torch.zeros(3, 10, 20, dtype=torch.uint8)


@pytest.mark.parametrize("one", [picture(0), ARRAY, ARRAY[..., 0], TENSOR, TENSOR[0]])
def test_one_picture_is_one_prediction(one: object) -> None:
    result = finder(CAER_S)(one)  # type: ignore[call-overload]
    assert isinstance(result, Prediction)
    assert result.image_size == (10, 20)
    assert len(result) == 3


@pytest.mark.parametrize(
    "several",
    [
        [picture(0), ARRAY, TENSOR],
        (picture(0), ARRAY, TENSOR),
        np.stack([ARRAY] * 3),
        torch.stack([TENSOR] * 3),
        torch.stack([TENSOR] * 3) / 255,
        [torch.stack([TENSOR] * 2), ARRAY],
    ],
    ids=["list", "tuple", "array", "tensor", "floats", "list with a batch"],
)
@pytest.mark.parametrize("batch_size", [1, 2, 9])
def test_several_pictures_are_predictions_in_order(several: object, batch_size: int) -> None:
    predictor = finder(CAER_S)
    results = predictor(several, batch_size)  # type: ignore[call-overload]
    assert isinstance(results, Predictions)
    assert widths(results) == [20] * 3
    assert predictor.model.batches == {1: [1, 1, 1], 2: [2, 1], 9: [3]}[batch_size]


@pytest.mark.parametrize("text", [True, False])
def test_a_folder_is_searched(folder: Path, text: bool) -> None:
    results = finder(CAER_S)(str(folder) if text else folder)
    assert isinstance(results, Predictions)
    assert [result.file for result in results] == [str(folder / "a.png"), str(folder / "day" / "b.png")]
    assert widths(finder(CAER_S)([folder / "day", folder / "a.png"])) == [21, 20]


def test_what_a_folder_holds_besides_is_a_warning(folder: Path) -> None:
    (folder / "clip.mp4").write_bytes(b"x")
    with pytest.warns(UserWarning, match=r"photos were left out: 1 video \(\.mp4\)"):
        finder(CAER_S)(folder)


def test_a_stream_is_read_as_far_as_results_are_asked_for() -> None:
    drawn: list[int] = []

    def endless() -> Iterator[Image.Image]:
        for index in itertools.count():
            drawn.append(index)
            yield picture(index)

    results = finder(CAER_S)(endless(), batch_size=4)
    assert not isinstance(results, Prediction | Predictions)
    assert drawn == []
    assert widths(itertools.islice(results, 5)) == [20, 21, 22, 23, 24]
    assert len(drawn) <= 5 + 4 * 4, "four batches ahead, for each picture has a size of its own"


def test_a_loader_of_batches_is_a_stream() -> None:
    loader = torch.utils.data.DataLoader([TENSOR] * 5, batch_size=2)
    assert widths(finder(CAER_S)(loader)) == [20] * 5


def test_a_list_keeps_no_pixels_of_files(folder: Path) -> None:
    results = finder(CAER_S)([folder / "a.png", picture(0)])
    assert results[0].photo is None
    assert results[1].photo is not None
    assert results[0].plot().size == results[1].plot().size
    picture(5).save(folder / "a.png")
    with pytest.raises(UserError, match=r"a\.png has changed since it was read; predict on it again\."):
        results[0].plot()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], r"expects at least one picture\. Got an empty list\."),
        ([[picture(0)]], r"expects pictures in a list\. Got a list as number 1\."),
        ([picture(0), None], r"^picture 2: Predictor expects a path, .* Got NoneType \(cv2\.imread"),
        (iter([picture(0), np.zeros((2, 2), bool)]), r"^picture 2: .* Got bool; that is a mask"),
        (None, r"^Predictor expects a path, .* Got NoneType \(cv2\.imread"),
        ({"image": picture(0)}, r"Got dict\."),
        (7, r"Got int\."),
        (b"\xff\xd8", r"Got bytes; open it first"),
        (io.BytesIO(b"x"), r"Got BytesIO; open it first: PIL\.Image\.open\(file\)"),
        ("https://example.org/a.jpg", r"https://example\.org/a\.jpg is an address, and nothing is downloaded"),
        ("", r"Got an empty text"),
        (torch.zeros(1, 1, 3, 4, 4), r"\(C, H, W\) .* Got \(1, 1, 3, 4, 4\)"),
        (np.zeros((2, 3, 8, 8), np.uint8), r"Got \(3, 8, 8\)\. Channels come last"),
    ],
)
def test_what_is_no_picture_is_one_sentence(given: object, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        list(finder(CAER_S)(given))  # type: ignore[call-overload]
    assert "\n" not in str(error.value)


def test_an_empty_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=re.escape(f"no picture in {tmp_path}")):
        finder(CAER_S)(tmp_path)


@pytest.mark.parametrize("batch_size", [1, 9])
def test_a_picture_that_cannot_be_read_raises_in_its_turn_or_is_reported(batch_size: int, folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"no picture")
    files = [folder / "a.png", folder / "broken.png", folder / "missing.png", folder / "day" / "b.png"]
    predictor = finder(CAER_S)
    results = predictor.stream(files, batch_size)
    assert next(results).image_size == (10, 20)
    with pytest.raises(ImageError, match=r"broken\.png cannot be read \(it is no picture"):
        next(results)
    reported = predictor(files, batch_size, on_error="report")
    assert [bool(result.error) for result in reported] == [False, True, True, False]
    assert set(reported[1].to_dict()) == {"file", "error"}
    assert len(reported[1]) == 0
    assert "broken.png: not read. The image" in repr(reported[1])
    with pytest.raises(UserError, match=r"there is no picture to draw on\. The image .*broken\.png cannot be read"):
        reported[1].plot()
    assert "<img" not in reported[1]._repr_html_()


def test_colours_come_in_the_order_that_is_said() -> None:
    red_first = np.zeros((10, 20, 3), np.uint8)
    red_first[..., 0] = 200
    predictor = finder(CAER_S)
    for given in (red_first, torch.from_numpy(red_first).permute(2, 0, 1)):
        for order, color in (("rgb", (200, 0, 0)), ("bgr", (0, 0, 200))):
            (result,) = predictor.stream([given], channel_order=order)  # type: ignore[arg-type]
            assert result.photo is not None
            assert result.photo.pixels.getpixel((0, 0)) == color
    (result,) = predictor.stream([Image.fromarray(red_first)], channel_order="bgr")
    assert result.photo is not None
    assert result.photo.pixels.getpixel((0, 0)) == (200, 0, 0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, r"stream\(batch_size=\) expects at least 1\. Got 0\."),
        ({"channel_order": "BGR"}, r"Predictor\(channel_order=\) expects one of rgb, bgr\. Got 'BGR'\."),
        ({"on_error": "ignore"}, r"Predictor\(on_error=\) expects one of raise, report\. Got 'ignore'\."),
    ],
)
def test_a_wrong_argument_is_one_sentence_at_once(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        finder(CAER_S).stream(iter([]), **settings)  # type: ignore[arg-type]
