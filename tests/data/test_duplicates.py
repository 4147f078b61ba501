"""The perceptual hash: equal for equal pictures, close for the next frame, far for another picture."""

from __future__ import annotations

import numpy as np
from PIL import Image

from dsct_detrex.data.duplicates import difference_hash, near_duplicates


def picture(seed: int) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 255, (9, 16, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((160, 90), Image.Resampling.BICUBIC)


def bits(a: int, b: int) -> int:
    return bin(a ^ b).count("1")


def test_hash_worked_by_hand() -> None:
    rising = Image.fromarray(np.tile(np.arange(0, 252, 28, dtype=np.uint8), (8, 1)))
    assert rising.size == (9, 8)
    assert difference_hash(rising) == 2**64 - 1
    assert difference_hash(rising.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) == 0
    first_row = np.zeros((8, 9), np.uint8)
    first_row[0, 1:] = 9
    assert difference_hash(Image.fromarray(first_row)) == 1 << 63


def test_next_frame_is_close_and_another_picture_is_far() -> None:
    image = picture(0)
    next_frame = image.crop((1, 0, 160, 89)).resize((160, 90)).point(lambda value: min(255, value + 4))
    assert bits(difference_hash(image), difference_hash(next_frame)) <= 4
    others = [bits(difference_hash(image), difference_hash(picture(seed))) for seed in range(1, 20)]
    assert min(others) > 12


def test_closest_reference_within_the_distance() -> None:
    queries = np.array([0b1111, 0, 2**64 - 1], dtype=np.uint64)
    references = np.array([0b1000, 0b1101, 0b0111, 2**63], dtype=np.uint64)
    assert near_duplicates(queries, references, 1) == [(0, 1, 1), (1, 0, 1)]
    assert near_duplicates(queries, references, 0) == []
    assert near_duplicates(queries, references, 64)[2] == (2, 1, 61)


def test_agrees_with_counting_bit_by_bit_over_many_blocks() -> None:
    rng = np.random.default_rng(0)
    queries, references = (rng.integers(0, 2**64, size, dtype=np.uint64) for size in (600, 31))
    found = near_duplicates(queries, references, 64)
    assert [each.query for each in found] == list(range(600))
    for each in found:
        distances = [bits(int(queries[each.query]), int(reference)) for reference in references]
        assert (each.distance, each.reference) == (min(distances), distances.index(min(distances)))


def test_nothing_to_compare() -> None:
    some, none = np.array([1], dtype=np.uint64), np.array([], dtype=np.uint64)
    assert near_duplicates(some, none, 64) == near_duplicates(none, some, 64) == []
