"""Which names the user may have meant: the second half of every "unknown name" message."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

_ALIKE = 0.7  # difflib's ratio: 1 is equal; below this, two keys merely share a prefix
_AS_GOOD = 0.05  # a second suggestion must be nearly as good as the best one


def nearest(name: str, known: Iterable[str], dotted: bool = False, count: int = 3) -> list[str]:
    """The known names that look like ``name``, best first.

    Args:
        dotted: the names are dotted keys, which are also found by their last part: ``lr`` leads to ``optimizer.lr``.
    """
    names = list(dict.fromkeys(known))
    last = name.rpartition(".")[2]
    alike = get_close_matches(name, names, n=count, cutoff=_ALIKE)
    alike = [other for other in alike if _ratio(name, other) > _ratio(name, alike[0]) - _AS_GOOD]
    same_end = [other for other in names if dotted and other.endswith(f".{last}") and other not in alike]
    return (alike + sorted(same_end, key=len))[:count]


def _ratio(name: str, other: str) -> float:
    return SequenceMatcher(None, other, name).ratio()


def did_you_mean(name: str, known: Iterable[str], dotted: bool = False) -> str:
    """A sentence that starts with a space, or nothing: `` Did you mean `a` or `b`?``."""
    quoted = [f"`{other}`" for other in nearest(name, known, dotted)]
    if not quoted:
        return ""
    listed = " or ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
    return f" Did you mean {listed}?"
