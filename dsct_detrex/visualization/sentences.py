"""Sentences that compare numbers, true for ties, for nothing measured, and to the last digit that is shown.

Two numbers that look equal are called equal, and a difference is that of the numbers as they are shown: a reader who
subtracts finds the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dsct_detrex.evaluation.formatting import MISSING, percent, whole

_NAMED = 3


def compared(value: float | None, other: float | None, name: str) -> str:
    """How ``value`` stands to that of ``name``: ``"2.3 points more than DSCT"``; empty where one has no value."""
    if percent(value) == MISSING or percent(other) == MISSING:
        return ""
    points = _shown(value) - _shown(other)
    if points == 0:
        return f"as much as {name}"
    return f"{_points(abs(points) / 10)} {'more' if points > 0 else 'less'} than {name}"


def signed(number: float, digits: int = 2) -> str:
    """``"+0.41"``, ``"-3.00"``; ``"±0.00"`` for what rounds to nothing, whose sign says nothing."""
    text = f"{number:+.{digits}f}"
    return text if any(digit in "123456789" for digit in text) else f"±{text[1:]}"


def joined(names: Iterable[str], most: int = _NAMED) -> str:
    """``"a"``, ``"a and b"``, ``"a, b and c"``, ``"a, b, c and 4 more"``."""
    given = list(names)
    if len(given) > most + 1:
        given = [*given[:most], f"{len(given) - most} more"]
    return " and ".join(filter(None, [", ".join(given[:-1]), *given[-1:]]))


def highest(values: Mapping[str, float | None]) -> list[str]:
    """The names whose value looks like the highest; none where nothing has a value."""
    return _at(values, max)


def lowest(values: Mapping[str, float | None]) -> list[str]:
    """The names whose value looks like the lowest."""
    return _at(values, min)


def best_and_worst(values: Mapping[str, float | None], what: str) -> str:
    """``"Best: Happy (71.0 %); worst: Fear and Sad (12.5 % each)."``

    Args:
        values: name -> fraction.
        what: the things named, as in ``"Nobody shows any of the emotions."``.
    """
    measured = {name: value for name, value in values.items() if percent(value) != MISSING}
    if not measured:
        return f"Nobody shows any of the {what}."
    if len(measured) == 1:
        name, value = next(iter(measured.items()))
        return f"Only {name} occurs: {percent(value)}."
    best, worst = highest(measured), lowest(measured)
    if best == worst:
        return f"All {len(measured)} {what} that occur reach {percent(measured[best[0]])}."
    return f"Best: {_with_value(best, measured)}; worst: {_with_value(worst, measured)}."


def most_frequent_mistake(report: Mapping[str, Any]) -> str:
    """What is taken for what most often, by the confusion of a report; empty where nobody was measured."""
    labels, matrix = report["emotions"]["labels"], report["confusion"]["matrix"]
    missed = sum(report["confusion"]["missed"])
    wrong = {
        f"{labels[a]} read as {labels[b]}": count
        for a, row in enumerate(matrix)
        for b, count in enumerate(row)
        if a != b and count
    }
    if not wrong:
        if not missed and not any(map(any, matrix)):
            return ""
        people = "1 person is" if missed == 1 else f"{whole(missed)} people are"
        return f"Nobody who is found is misread; {people} missed." if missed else "No mistake."
    most = max(wrong.values())
    mistakes = [name for name, count in wrong.items() if count == most]
    times = "once" if most == 1 else "twice" if most == 2 else f"{whole(most)} times"
    each = " each" if len(mistakes) > 1 else ""
    return f"Most frequent mistake{'s' if each else ''}: {joined(mistakes)}, {times}{each}."


def ranking(rows: Sequence[tuple[str, float, str]], metric: str, on: str) -> str:
    """Who is first and who is last, of rows of a table.

    Args:
        rows: label, fraction, and the fraction in words where that is more than a number.
        metric: ``"accuracy"``.
        on: what they were measured on, ``"synthetic data"``.
    """
    values = {label: value for label, value, _ in rows if not math.isnan(value)}
    words = {label: text for label, _, text in rows}
    if not values:
        return ""
    best, worst = highest(values), lowest(values)
    if len(values) == 1:
        return f"{best[0]}: {words[best[0]]} {metric} on {on}."
    if best == worst:
        return f"All {len(values)} reach {percent(values[best[0]])} {metric} on {on}."
    first, last = (
        f"{joined(names)} with {words[names[0]] if len(names) == 1 else percent(values[names[0]])}"
        for names in (best, worst)
    )
    each, all_last = (" each" if len(names) > 1 else "" for names in (best, worst))
    return f"Best of {len(values)}: {first} {metric}{each} on {on}. Last: {last}{all_last}."


def _at(values: Mapping[str, float | None], end: Any) -> list[str]:
    shown = {name: _shown(value) for name, value in values.items() if percent(value) != MISSING}
    return [name for name, value in shown.items() if value == end(shown.values())]


def _with_value(names: Sequence[str], values: Mapping[str, float | None]) -> str:
    return f"{joined(names)} ({percent(values[names[0]])}{' each' if len(names) > 1 else ''})"


def _shown(fraction: float | None) -> int:
    """The digits that ``percent`` shows, as tenths of a per cent."""
    return round(float(percent(fraction).split()[0]) * 10)


def _points(number: float) -> str:
    return f"{number:.1f} {'point' if number == 1 else 'points'}"
