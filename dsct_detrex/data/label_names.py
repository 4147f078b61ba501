"""Names of emotions as annotation files spell them.

Case, spaces, underscores, hyphens and slashes do not matter (``doubt_confusion`` is ``Doubt/Confusion``), and the known
other words for a category are understood (``Angry`` is CAER-S's ``Anger``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from dsct_detrex.structures import Emotions
from dsct_detrex.structures.emotion_names import folded

_BETWEEN_NAMES = re.compile(r"[,;|]")
_NAMING = re.compile(r"(categories|labels?|emotions?|names?)[0-9]*")
"""Keys of an object, folded, whose values are labels; exporters number them where there are several."""
_YES, _NO = frozenset(("true", "yes", "1", "1.0")), frozenset(("false", "no", "0", "0.0", "none", ""))


NOT_SAID = "__undefined__"
"""CVAT's answer to a question that nobody answered."""


def is_naming(key: str) -> bool:
    """Whether the value under a key of an object is a label: ``emotion``, ``Labels``, ``Emotion 1``."""
    return _NAMING.fullmatch(folded(key)) is not None


def split_words(text: str) -> list[str]:
    """``"sad, tired"`` -> the words between commas, semicolons or bars."""
    return [part.strip() for part in _BETWEEN_NAMES.split(text) if part.strip()]


class LabelNames:
    """Which category a word means.

    Args:
        emotions: the categories.
        aliases: other word -> category name.
    """

    def __init__(self, emotions: Emotions, aliases: Mapping[str, str]) -> None:
        self.emotions = emotions
        self._indices = {folded(name): index for index, name in enumerate(emotions.names)}
        self._indices |= {folded(word): emotions.index(name) for word, name in aliases.items()}

    def find(self, word: object) -> int | None:
        """The class index of a word; None where it is none of the emotions."""
        return self._indices.get(folded(word)) if isinstance(word, str) else None

    def words(self, value: object) -> list[object]:
        """The single labels in a field: a word, words with commas between, lists of them, objects that hold them.

        Of an object the values under ``categories``, ``labels``, ``emotions``, ``name`` or ``label`` count (EMOTIC's
        annotators are such objects), whatever their case and number (``Emotion 1``), and the keys that are emotions and
        answered with yes (as CVAT writes it). An emotion with another answer than yes or no, a share or a count, is
        handed on as ``{emotion: answer}``, which is no name: nothing says from where on it holds.
        """
        if value is None or value in ("", NOT_SAID):
            return []
        if isinstance(value, str):
            return [value] if self.find(value) is not None else [*split_words(value)]
        if isinstance(value, list):
            return [word for each in value for word in self.words(each)]
        if isinstance(value, dict):
            return self._words_of_object(value)
        return [value]

    def _words_of_object(self, value: dict[str, object]) -> list[object]:
        answers = {key: str(answer).strip().casefold() for key, answer in value.items() if self.find(key) is not None}
        ticked = [key for key, answer in answers.items() if answer in _YES]
        unclear = [{key: value[key]} for key, answer in answers.items() if answer not in _YES | _NO]
        named = [each for key, each in value.items() if key not in answers and is_naming(key)]
        return [*ticked, *unclear, *(word for each in named for word in self.words(each))]

    def known(self) -> str:
        """All category names, for messages."""
        return ", ".join(self.emotions.names)


def quoted(words: Iterable[object], most: int = 8) -> str:
    """Words found in a file, for messages; the first few of many."""
    listed = list(dict.fromkeys(str(word) for word in words))
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(f"'{word}'" for word in listed[:most]) + more
