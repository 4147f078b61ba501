"""Keys and words as messages need them."""

from __future__ import annotations

from collections.abc import Iterable


def is_below(key: str, roots: tuple[str, ...]) -> bool:
    """Whether a dotted key is one of ``roots`` or inside one."""
    return any(key == root or key.startswith(f"{root}.") for root in roots)


def listed(words: Iterable[str]) -> str:
    """``a, b and c``, each once; empty without any."""
    several = list(dict.fromkeys(words))
    return " and ".join(filter(None, [", ".join(several[:-1]), *several[-1:]]))
