"""A thread that reads ahead: the next items are decoded while the model works on those before."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")

_END: Final = object()
_WAIT = 0.1
"""Seconds between two looks whether anybody still wants the items."""


class _Failed:
    """What the items raised, on its way to whoever asks for them."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def read_ahead(items: Iterable[T], number: int) -> Iterator[T]:
    """The items in order, ``number`` of them read before they are asked for; 0: none, and no thread.

    What the items raise is raised in its turn. Where nobody asks any more, the thread ends after the item it is at.
    """
    if number < 1:
        yield from items
        return
    ready: queue.Queue[object] = queue.Queue(number)
    unwanted = threading.Event()

    def put(item: object) -> bool:
        while not unwanted.is_set():
            try:
                ready.put(item, timeout=_WAIT)
                return True
            except queue.Full:
                continue
        return False

    def read() -> None:
        try:
            for item in items:
                if not put(item):
                    return
            put(_END)
        except BaseException as error:  # raised where it is waited for
            put(_Failed(error))

    thread = threading.Thread(target=read, name="reading ahead", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not _END:
            if isinstance(item, _Failed):
                raise item.error
            yield item  # type: ignore[misc]  # it is one of the items
    finally:
        unwanted.set()
        thread.join(timeout=10 * _WAIT)
