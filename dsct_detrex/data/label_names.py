"""Names of emotions as annotation files spell them.

Case, spaces, underscores, hyphens and slashes do not matter (``doubt_confusion`` is ``Doubt/Confusion``), and the known
other words for a category are understood (``Angry`` is CAER-S's ``Anger``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from dsct_detrex.structures import Emotions
from dsct_detrex.structures.emotion_names import folded

_BETWEEN_NAMES = re.compile(r"[,;|]")
_EMOTION = re.compile(
    r"(main|primary|dominant|facial)?(emotions?|moods?|feelings?|expressions?|affects?)"
    r"(labels?|names?|category|categories)?[0-9]*"
)
"""Keys of an object, folded, that ask for the emotion; exporters number them where there are several."""
_NAMING = re.compile(r"(categories|labels?|names?)[0-9]*")
"""Keys of an object, folded, whose values are labels where no key asks for the emotion."""
_YES, _NO = frozenset(("true", "yes", "1", "1.0")), frozenset(("false", "no", "0", "0.0", "none", ""))


NOT_SAID = "__undefined__"
"""CVAT's answer to a question that nobody answered."""


def asks_emotion(key: str) -> bool:
    """Whether the value under a key of an object is an emotion: ``emotion``, ``Emotion 1``, ``facial_expression``."""
    return _EMOTION.fullmatch(folded(key)) is not None


def naming_keys(value: Mapping[str, object]) -> list[str]:
    """The keys of an object whose values are labels: those that ask for the emotion, else ``label``, ``name``, ...

    Somebody with ``{"name": "Anna", "emotion": "happy"}`` is happy, and not Anna.
    """
    return [key for key in value if asks_emotion(key)] or [
        key for key in value if _NAMING.fullmatch(folded(key)) is not None
    ]


def answer(value: object) -> bool | None:
    """Yes or no, as a boolean or as a word; None for anything else, numbers included."""
    word = str(value).strip().casefold() if isinstance(value, bool | str) else ""
    return {"true": True, "yes": True, "false": False, "no": False}.get(word)


def split_words(text: str) -> list[str]:
    """``"sad, tired"`` -> the words between commas, semicolons or bars."""
    return [part.strip() for part in _BETWEEN_NAMES.split(text) if part.strip()]


class LabelNames:
    """Which category a word means.

    Args:
        emotions: the categories.
        aliases: other word -> category name.
        unsaid: words, folded, that say that somebody is there and not what they feel; no label, unless they are
            categories themselves.
    """

    def __init__(self, emotions: Emotions, aliases: Mapping[str, str], unsaid: Collection[str] = ()) -> None:
        self.emotions = emotions
        self._unsaid = unsaid
        self._indices = {folded(name): index for index, name in enumerate(emotions.names)}
        self._indices |= {folded(word): emotions.index(name) for word, name in aliases.items()}

    def find(self, word: object) -> int | None:
        """The class index of a word; None where it is none of the emotions."""
        return self._indices.get(folded(word)) if isinstance(word, str) else None

    def says_nothing(self, word: object) -> bool:
        """Whether a word is merely "person" and the like."""
        return isinstance(word, str) and folded(word) in self._unsaid and self.find(word) is None

    def words(self, value: object) -> list[object]:
        """The single labels in a field: a word, words with commas between, lists of them, objects that hold them.

        Of an object the values under ``emotion``, ``mood`` and the like count, else those under ``categories``,
        ``labels`` or ``name`` (EMOTIC's annotators are such objects), whatever their case and number (``Emotion 1``),
        and the keys that are emotions and answered with yes (as CVAT writes it). An emotion with another answer than
        yes or no, a share or a count, is handed on as ``{emotion: answer}``, which is no name: nothing says from where
        on it holds.
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
        answers = {key: str(said).strip().casefold() for key, said in value.items() if self.find(key) is not None}
        ticked = [key for key, said in answers.items() if said in _YES]
        unclear = [{key: value[key]} for key, said in answers.items() if said not in _YES | _NO]
        named = [key for key in naming_keys(value) if key not in answers]
        return [*ticked, *unclear, *(word for key in named for word in self.words(value[key]))]

    def known(self) -> str:
        """All category names, for messages."""
        return ", ".join(self.emotions.names)


def quoted(words: Iterable[object], most: int = 8) -> str:
    """Words found in a file, for messages; the first few of many."""
    listed = list(dict.fromkeys(str(word) for word in words))
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(f"'{word}'" for word in listed[:most]) + more
