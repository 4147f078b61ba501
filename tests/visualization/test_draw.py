"""Pictures: pixels where they belong, in every accepted kind of image."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageChops, ImageColor

from dsct_detrex.structures import CAER_S, EMOTIC, Emotions
from dsct_detrex.visualization import contact_sheet, draw_predictions
from dsct_detrex.visualization.style import PEOPLE_COLORS

from .fabricated import annotations, ground, people

GROUND = (90, 110, 100)
BOX = [200.0, 300.0, 400.0, 500.0]


def color(row: int) -> tuple[int, ...]:
    return ImageColor.getrgb(PEOPLE_COLORS[row])


def test_the_box_is_drawn_where_the_person_is() -> None:
    picture = draw_predictions(ground(800, 600), people(CAER_S, [BOX], (600, 800), [3]), CAER_S)
    assert picture.size == (800, 600)
    for x, y in ((200, 400), (400, 400), (300, 500)):
        assert picture.getpixel((x, y)) == color(0)
    assert picture.getpixel((300, 400)) == GROUND
    assert picture.getpixel((600, 100)) == GROUND


def test_the_chip_carries_the_person_colour_and_stands_above_the_box() -> None:
    picture = draw_predictions(ground(800, 600), people(CAER_S, [BOX], (600, 800), [3]), CAER_S)
    chip = picture.crop((204, 270, 280, 296))
    assert (np.asarray(chip) == color(0)).all(-1).mean() > 0.5


def test_small_pictures_grow_by_a_whole_factor_and_large_ones_do_not() -> None:
    small = people(CAER_S, [[50, 60, 100, 120]], (192, 192), [3])
    picture = draw_predictions(ground(192, 192), small, CAER_S)
    assert picture.size == (768, 768)
    assert picture.getpixel((200, 360)) == color(0)
    assert draw_predictions(ground(1280, 720), people(CAER_S, [BOX], (720, 1280), [0]), CAER_S).size == (1280, 720)


def test_boxes_follow_a_resized_picture() -> None:
    """The predictions live in the original image, 1600 wide; the picture shown is half of it."""
    original = people(CAER_S, [[400.0, 600.0, 800.0, 1000.0]], (1200, 1600), [3])
    resized = draw_predictions(ground(800, 600), original, CAER_S)
    direct = draw_predictions(ground(800, 600), people(CAER_S, [BOX], (600, 800), [3]), CAER_S)
    assert ImageChops.difference(resized, direct).getbbox() is None


@pytest.mark.parametrize("emotions", [CAER_S, EMOTIC])
def test_array_tensor_and_pil_give_the_same_picture_and_stay_as_they_are(emotions: Emotions) -> None:
    pixels = torch.randint(0, 256, (3, 300, 700), dtype=torch.uint8)
    array = pixels.permute(1, 2, 0).numpy().copy()
    instances = people(emotions, [[50, 60, 160, 200]], (300, 700), [3])
    before = array.copy()
    pictures = [draw_predictions(image, instances, emotions) for image in (pixels, array, Image.fromarray(array))]
    assert all(ImageChops.difference(pictures[0], other).getbbox() is None for other in pictures[1:])
    assert (array == before).all()
    assert (pixels.permute(1, 2, 0).numpy() == before).all()


@pytest.mark.parametrize(
    "image",
    [np.zeros((10, 10), np.uint8), np.zeros((10, 10, 3), np.float32), torch.zeros(1, 10, 10, dtype=torch.uint8)],
)
def test_other_images_are_refused_by_name(image: np.ndarray | torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"draw_predictions\(image=\) expects a PIL image, a uint8 array"):
        draw_predictions(image, people(CAER_S, [BOX], (10, 10), [0]), CAER_S)


def test_a_picture_that_is_large_enough_is_copied_before_drawing() -> None:
    given = ground(800, 600)
    draw_predictions(given, people(CAER_S, [BOX], (600, 800), [3]), CAER_S)
    assert ImageChops.difference(given, ground(800, 600)).getbbox() is None


def test_only_people_above_the_threshold_are_drawn_and_keep_their_colour() -> None:
    instances = people(CAER_S, [[20, 300, 120, 400], BOX], (600, 800), [0, 3])
    instances.scores = torch.tensor([0.2, 0.9])
    picture = draw_predictions(ground(800, 600), instances, CAER_S, threshold=0.5)
    assert picture.getpixel((20, 350)) == GROUND
    assert picture.getpixel((200, 400)) == color(1)
    nobody = draw_predictions(ground(800, 600), instances, CAER_S, threshold=1.0)
    assert ImageChops.difference(nobody, ground(800, 600)).getbbox() is None


def test_several_emotions_make_one_line_each_up_to_the_limit() -> None:
    instances = people(EMOTIC, [BOX], (600, 800), [3])

    def height_of_chip(lines: int) -> int:
        picture = draw_predictions(ground(800, 600), instances, EMOTIC, max_emotions=lines)
        changed = ImageChops.difference(picture, ground(800, 600)).getbbox()
        assert changed is not None
        return 300 - changed[1]

    one, two, four = height_of_chip(1), height_of_chip(2), height_of_chip(4)
    assert four - two == pytest.approx(2 * (two - one), abs=2)
    assert two > one
    crowd = people(EMOTIC, [BOX] + [[600.0 + k, 500, 620, 590] for k in range(5)], (600, 800), [3] * 6)
    few, many = (draw_predictions(ground(800, 600), crowd, EMOTIC, max_emotions=lines) for lines in (1, 4))
    assert few.tobytes() == many.tobytes()
    with pytest.raises(ValueError, match=r"draw_predictions\(max_emotions=\) expects at least 1. Got 0."):
        draw_predictions(ground(800, 600), instances, EMOTIC, max_emotions=0)


def test_annotations_are_dashed_white_with_their_labels() -> None:
    nobody = people(CAER_S, [BOX], (600, 800), [3])
    nobody.scores = torch.zeros(1)
    truth = annotations(CAER_S, [BOX], (600, 800), [[5]])
    picture = draw_predictions(ground(800, 600), nobody, CAER_S, ground_truth=truth)
    edge = [picture.getpixel((200, y)) for y in range(310, 490)]
    white = sum(pixel == (255, 255, 255) for pixel in edge) / len(edge)
    assert 0.4 < white < 0.8
    chip = np.asarray(picture.crop((204, 504, 290, 530)))
    assert (chip == 255).all(-1).mean() > 0.5


@pytest.mark.parametrize("size", [(640, 90), (90, 640), (40, 40), (33, 700)])
def test_crowded_and_odd_pictures_are_drawn_without_leaving_them(size: tuple[int, int]) -> None:
    width, height = size
    boxes = [[k * width / 5, -10.0, (k + 1) * width / 5, height + 10.0] for k in range(5)]
    instances = people(EMOTIC, boxes, (height, width), [9] * 5)
    truth = annotations(EMOTIC, boxes, (height, width), [[0, 1, 2, 9, 11]] * 5)
    picture = draw_predictions(ground(width, height), instances, EMOTIC, ground_truth=truth)
    assert picture.width % width == picture.height % height == 0


def test_the_same_input_gives_the_same_picture() -> None:
    boxes = [[20 + 30 * k, 40, 60 + 30 * k, 90] for k in range(4)]
    instances, truth = (
        people(CAER_S, boxes, (192, 192), [0, 1, 2, 3]),
        annotations(CAER_S, boxes, (192, 192), [[1]] * 4),
    )
    first, second = (draw_predictions(ground(192, 192), instances, CAER_S, ground_truth=truth) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_contact_sheet_has_rows_columns_and_captions() -> None:
    images = [Image.new("RGB", (100, 50), (200, 0, k)) for k in range(5)]
    bare = contact_sheet(images, columns=2, cell_width=100)
    assert bare.size == (2 * 108 + 8, 3 * 50 + 4 * 8)
    assert bare.getpixel((8 + 50, 8 + 25)) == (200, 0, 0)
    assert bare.getpixel((116 + 50, 66 + 25)) == (200, 0, 3)
    assert bare.getpixel((116 + 50, 124 + 25)) == (255, 255, 255)
    captioned = contact_sheet(images, columns=2, captions=["a very long caption " * 9] * 5, cell_width=100)
    assert captioned.width == bare.width
    assert captioned.height > bare.height
    gap = np.asarray(captioned)[8 + 50 : 8 + 70, 108:116]
    assert (gap == 255).all()


@pytest.mark.parametrize(
    ("images", "columns", "captions", "message"),
    [
        ([], 2, None, "Got 0 pictures, 2 columns"),
        ([ground(9, 9)], 0, None, "Got 1 pictures, 0 columns"),
        ([ground(9, 9)], 1, ["a", "b"], "expects 1 captions. Got 2"),
    ],
)
def test_contact_sheet_refuses_nonsense(
    images: list[Image.Image], columns: int, captions: list[str] | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        contact_sheet(images, columns, captions)
