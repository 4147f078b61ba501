"""How many cases hypothesis draws, what it draws values from, and what may come of them: a result, or one sentence."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers

from dsct_detrex.errors import UserError

TIMES = int(os.environ.get("DSCT_CASES", "1"))
"""So many times the usual number of cases; above 1 others each time, and as long as it takes."""

if TIMES == 1 and hasattr(providers, "_get_local_constants"):
    # Newer versions draw what stands in the modules that are loaded, too: after other tests, other cases.
    none = providers.Constants()
    providers._get_local_constants = lambda: none  # type: ignore[attr-defined]

tried: dict[str, int] = {}
"""Name of a test -> cases; ``conftest.py`` tells them where more than usual are drawn."""


def cases(usual: int) -> settings:
    """Of a test: a third of ``usual`` cases, the same ones each time; with ``DSCT_CASES`` so many times ``usual``."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
    return settings(
        max_examples=usual * TIMES if TIMES > 1 else max(3, usual // 3),
        derandomize=TIMES == 1,
        database=None,
        deadline=None,
        suppress_health_check=slow,
    )


def told(name: str, work: Callable[[], Any]) -> Any:
    """The result of some work on bad input, or the sentence that it ends in; anything else fails the test.

    Raises:
        BaseException: whatever is no ``UserError``, and so would reach a user as a traceback.
    """
    tried[name] = tried.get(name, 0) + 1
    try:
        return work()
    except UserError as error:
        sentence = str(error)
        assert sentence.strip(), "an error without words"
        assert len(sentence) < 5000, f"a flood of {len(sentence)} letters, not a sentence: {sentence[:200]}"
        sentence.encode("utf-8", "backslashreplace")  # a terminal can print it
        return error


NUMBERS = st.sampled_from(
    [0, 1, -1, 2, 7, 0.5, -0.0, 1e-300, 1e308, 10**400, 2**63, -(2**31), float("nan"), float("inf")]
)
TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        [  # noqa: RUF005
            "",
            " ",
            ".",
            "..",
            "../../x.jpg",
            "/etc/passwd",
            "a\0b",
            "x" * 300,
            "\ud800",
            "\u202e",
            "${oc.env:HOME}",
            "~root/x",
        ]
        + [
            "$\\frac",
            "<script>alert(1)</script>",
            "=1+1",
            "nan",
            "1e999",
            "007",
            "C:\\a.jpg",
            "a/" * 300,
            "%2e%2e/x",
            "\n",
        ]
    ),
)
PLAIN = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES = st.recursive(
    PLAIN, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)), max_leaves=6
)
"""What a JSON or YAML file may hold where something else is expected."""


@st.composite
def changed(draw: st.DrawFn, content: Any, most: int = 3) -> Any:
    """A nested value with one to ``most`` places replaced, removed, repeated or added to."""
    for _ in range(draw(st.integers(1, most))):
        content = _changed_once(draw, content)
    return content


def _changed_once(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, dict) and value and draw(st.integers(0, 5)):
        key = draw(st.sampled_from(sorted(value, key=str)))
        deed = draw(st.sampled_from(("inside", "inside", "inside", "remove", "rename", "add")))
        if deed == "inside":
            return {**value, key: _changed_once(draw, value[key])}
        others = {name: item for name, item in value.items() if name != key}
        return others if deed == "remove" else {**(others if deed == "rename" else value), draw(TEXTS): value[key]}
    if isinstance(value, list) and value and draw(st.integers(0, 5)):
        place = draw(st.integers(0, len(value) - 1))
        deed = draw(st.sampled_from(("inside", "inside", "inside", "remove", "repeat", "add")))
        if deed == "inside":
            return [*value[:place], _changed_once(draw, value[place]), *value[place + 1 :]]
        if deed == "remove":
            return value[:place] + value[place + 1 :]
        return [*value, value[place] if deed == "repeat" else draw(VALUES)]
    return draw(VALUES)


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Bytes of a file with some of them changed, cut off, taken out, put in or repeated."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        length = draw(st.integers(1, 64))
        deed = draw(st.sampled_from(("flip", "cut", "out", "in", "repeat", "zero")))
        if deed == "cut":
            content = content[:at]
        elif deed == "out":
            content = content[:at] + content[at + length :]
        elif deed == "in":
            content = content[:at] + draw(st.binary(max_size=16)) + content[at:]
        elif deed == "repeat":
            content = content[:at] + content[at : at + length] + content[at:]
        elif deed == "zero":
            content = content[:at] + bytes(min(length, len(content) - at)) + content[at + length :]
        elif content:
            content = content[:at] + bytes((content[at] ^ (1 << draw(st.integers(0, 7))),)) + content[at + 1 :]
    return content
