"""Reading ahead changes when things are read and nothing else."""

import itertools
import threading
import time
from collections.abc import Iterator

import pytest

from dsct_detrex.prediction.reading_ahead import read_ahead


def test_items_come_in_order_and_all() -> None:
    for number in (0, 1, 3, 100):
        assert list(read_ahead(range(20), number)) == list(range(20))
        assert list(read_ahead([], number)) == []


def test_so_many_are_read_before_they_are_asked_for_and_no_more() -> None:
    read: list[int] = []
    full = threading.Event()

    def items() -> Iterator[int]:
        for item in itertools.count():
            read.append(item)
            if item == 5:
                full.set()
            yield item

    results = read_ahead(items(), 4)
    assert read == []
    assert next(results) == 0
    assert full.wait(5), "one asked for, four ready, one in the hand of the thread"
    time.sleep(0.05)
    assert read == list(range(6))
    results.close()


def test_what_is_raised_comes_in_its_turn() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise ValueError("three")

    got: list[int] = []
    with pytest.raises(ValueError, match="three"):
        got.extend(read_ahead(items(), 10))
    assert got == [0, 1, 2]


def test_nobody_asks_and_the_thread_ends() -> None:
    before = threading.active_count()
    results = read_ahead(itertools.count(), 2)
    next(results)
    assert threading.active_count() == before + 1
    results.close()
    assert threading.active_count() == before
