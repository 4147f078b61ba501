"""Things for test configs to name."""

from dataclasses import dataclass
from enum import Enum
from typing import Any


class Recorder:
    """Keeps the keyword arguments it is called with."""

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments

    @classmethod
    def made(cls, **arguments: Any) -> "Recorder":
        return cls(made=True, **arguments)

    def method(self, **arguments: Any) -> dict[str, Any]:
        return arguments


class Pair:
    def __init__(self, first: Any, second: Any = None) -> None:
        self.first = first
        self.second = second


@dataclass
class Point:
    x: int = 1
    y: int = 2


class Colour(Enum):
    RED = "r"


def double(value: float) -> float:
    return 2 * value


def halve(value: float) -> float:
    return value / 2


def function_called(name: str) -> Any:
    return {"double": double, "halve": halve}[name]


def raises(value: int) -> None:
    raise TypeError(f"inside, with {value}")


a_lambda = lambda value: value  # noqa: E731
