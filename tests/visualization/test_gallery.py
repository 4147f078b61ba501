"""The gallery of a data set: any size of picture, any number of people and emotions, nothing black, nothing lost."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from dsct_detrex.data.images import ImageError
from dsct_detrex.errors import UserError
from dsct_detrex.structures import CAER_S, EMOTIC, Emotions
from dsct_detrex.visualization import draw_annotations
from dsct_detrex.visualization.gallery import draw_gallery
from dsct_detrex.visualization.style import PEOPLE_COLORS

from .fabricated import annotations, ground

GROUND = (90, 110, 100)


class Drawer:
    """A data set of plain pictures; the first person of picture i shows emotion i, the next i + 1 and so on."""

    def __init__(self, emotions: Emotions, sizes: list[tuple[int, int]], people: int, labels: int = 1) -> None:
        self.emotions, self.sizes, self.people, self.labels = emotions, sizes, people, labels
        self.broken: set[int] = set()

    def __len__(self) -> int:
        return len(self.sizes)

    def record(self, index: int) -> dict[str, Any]:
        width, height = self.sizes[index]
        step = width / max(1, self.people)
        people = [
            {
                "bbox": [k * step, 0.3 * height, k * step + 0.6 * step, 0.7 * height],
                "labels": [(index + k + more) % self.emotions.num_emotions for more in range(self.labels)],
            }
            for k in range(self.people)
        ]
        return {"file_name": f"train/Happy/{index:04d}.png", "annotations": people}

    def load_image(self, index: int) -> Image.Image:
        if index in self.broken:
            raise ImageError("this picture is broken.")
        return ground(*self.sizes[index])


SIZES = {
    "tiny": (40, 30),
    "usual": (640, 480),
    "large": (4000, 3000),
    "tall": (200, 2000),
    "flat": (2000, 150),
    "square": (300, 300),
}


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize(("emotions", "people", "labels"), [(CAER_S, 1, 1), (EMOTIC, 4, 6), (EMOTIC, 1, 26)])
def test_pictures_of_any_size_fill_their_cell(
    emotions: Emotions, people: int, labels: int, size: tuple[int, int]
) -> None:
    sheet = draw_gallery(Drawer(emotions, [size], people, labels), 12)
    assert sheet.width == 480 + 2 * 12
    assert sheet.height <= 1.25 * 480 + 100
    pixels = np.asarray(sheet)
    assert (pixels.sum(-1) < 30).mean() < 0.1, "hardly anything is black"
    assert sheet.getpixel((sheet.width // 2, 20)) not in ((255, 255, 255), (0, 0, 0)), "the picture is in the middle"


def test_rows_of_three_and_no_more_pictures_than_there_are() -> None:
    drawer = Drawer(CAER_S, [(320, 240)] * 5, 1)
    assert draw_gallery(drawer, 12).size == draw_gallery(drawer, 5).size
    assert draw_gallery(drawer, 3).width == draw_gallery(drawer, 5).width
    assert draw_gallery(drawer, 3).height < draw_gallery(drawer, 5).height
    assert draw_gallery(drawer, 1).width < draw_gallery(drawer, 2).width


def test_a_picture_that_cannot_be_read_keeps_its_place() -> None:
    drawer = Drawer(CAER_S, [(320, 240)] * 2, 1)
    whole = draw_gallery(drawer, 2)
    drawer.broken = {1}
    sheet = draw_gallery(drawer, 2)
    assert sheet.width == whole.width
    assert sheet.crop((0, 0, 490, 372)).tobytes() == whole.crop((0, 0, 490, 372)).tobytes()
    assert sheet.getpixel((520, 40)) == (0xD6, 0xDC, 0xE5)


def test_nothing_to_show_is_a_sentence() -> None:
    with pytest.raises(UserError, match="The gallery has nothing to show"):
        draw_gallery(Drawer(CAER_S, [], 1), 12)


def test_people_have_solid_boxes_and_chips_of_their_colour() -> None:
    boxes = [[50.0, 200.0, 150.0, 300.0], [400.0, 200.0, 500.0, 300.0]]
    truth = annotations(EMOTIC, boxes, (480, 640), [[0, 5], []])
    picture = draw_annotations(ground(640, 480), truth, EMOTIC)
    for row, (x0, y0, _, y1) in enumerate(boxes):
        color = tuple(int(PEOPLE_COLORS[row][k : k + 2], 16) for k in (1, 3, 5))
        assert picture.getpixel((int(x0), int((y0 + y1) / 2))) == color
        chip = np.asarray(picture.crop((int(x0), 130, int(x0) + 60, 198))).reshape(-1, 3)
        assert (chip == color).all(-1).mean() > 0.2
    assert picture.getpixel((300, 100)) == GROUND


def test_one_person_names_eight_emotions_and_counts_the_rest() -> None:
    """The chip of 26 emotions is as high as that of 9: eight names and a line that counts."""

    def height(labels: int) -> int:
        truth = annotations(EMOTIC, [[10.0, 600.0, 100.0, 690.0]], (700, 700), [list(range(labels))])
        column = np.asarray(draw_annotations(ground(700, 700), truth, EMOTIC))[:595, 14]
        return int((column != GROUND).any(-1).sum())

    assert height(1) < height(8) < height(9) == height(26)
