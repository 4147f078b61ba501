"""One override of the command line, ``key=value``, read by the rules of hydra's override grammar.

Where we differ from hydra 1.3 on purpose (the table in ``tests/config/test_override_grammar.py`` holds every case):

* More is read: list indices ``a[0].b`` and bracketed keys ``rules[a.b]``, nested interpolations ``${a.${b}}``,
  JSON-like dict keys ``{"x":1}``, letters outside ASCII, ``None`` as null, blanks after a closing quote or bracket,
  paths such as ``~/x``.
* Less is read: sweeps ``1,2``, functions ``int(3)``, groups ``a/b`` and ``a@b``, the empty key, and ``~key=value``.
  They mean nothing to a single run, so they are errors.
* A blank at the end of a value is always dropped; hydra keeps one behind a colon.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from dsct_detrex.config.errors import ConfigError

_WORD = r"[\w$-]+"
_KEY = re.compile(rf"{_WORD}(?:\.{_WORD}|\[[^\[\]]+\])*")
_KEY_PART = re.compile(rf"({_WORD})|\[([^\[\]]+)\]")

_DIGITS = r"(?:0|[1-9](?:_?\d)*)"
_POINT = rf"(?:{_DIGITS}\.|{_DIGITS}?\.\d(?:_?\d)*)"
_INT = re.compile(rf"[+-]?{_DIGITS}", re.ASCII)
_FLOAT = re.compile(rf"[+-]?(?:(?:{_DIGITS}|{_POINT})[eE][+-]?\d(?:_?\d)*|{_POINT}|inf|nan)", re.ASCII | re.IGNORECASE)
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}

_PLAIN = re.compile(r"[\w/\-\\+.$%*@?|:~ \t]")  # what needs neither quotes nor a backslash
_ESCAPABLE = "\\()[]{}:=, \t"
_BLANKS = ((" ", False), ("\t", False))  # as pieces of a value; one behind a backslash is (" ", True) and stays


@dataclass(frozen=True)
class Override:
    """One parsed override.

    Attributes:
        text: as the user wrote it.
        action: ``set`` for ``key=value``, ``add`` for ``+key=value`` (also ``++``), ``delete`` for ``~key``.
        key: the parts of the key, outermost first; a list index is a string of digits.
        value: None, bool, int, float, str, or a list or dict of these; None when deleting.
    """

    text: str
    action: Literal["set", "add", "delete"]
    key: tuple[str, ...]
    value: Any


def parse_override(text: str) -> Override:
    """Read one override.

    Raises:
        ConfigError: it does not follow the grammar; the message says where and what to write instead.
    """
    prefix, rest = re.fullmatch(r"(~|\+{0,2})(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    key, equals, value = rest.partition("=")
    if not _KEY.fullmatch(key) or (equals == "") != (prefix == "~"):
        raise ConfigError(
            f"Override `{text}` cannot be read. Expected key=value, +new.key=value or ~key, where a key looks like "
            f"train.max_iter or layers[0].dim."
        )
    parts = tuple(word or bracketed for word, bracketed in _KEY_PART.findall(key))
    if prefix == "~":
        return Override(text, "delete", parts, None)
    return Override(text, "add" if prefix else "set", parts, _Reader(text, len(text) - len(value)).whole())


class _Reader:
    """Reads a value from left to right; ``at`` is the next character of ``text``."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._at = at

    def whole(self) -> Any:
        """The value that fills the rest of the text; nothing at all is the empty string."""
        self._blanks()
        if self._at == len(self._text):
            return ""
        value = self._element(stops="")
        if self._next() == ",":
            self._fail(
                "a comma outside brackets is a sweep to hydra, and one run has one value; write [1,2] for a list"
            )
        if self._at < len(self._text):
            self._fail("nothing may follow a closing quote or bracket")
        return value

    def _element(self, stops: str) -> Any:
        """A value that ends at one of the characters ``stops`` (or at a comma), blanks around it included."""
        self._blanks()
        opening = self._next()
        if opening == "[":
            value: Any = self._list()
        elif opening == "{":
            value = self._dict()
        elif opening and opening in "'\"":
            value = self._quoted(opening)
        else:
            return self._primitive(stops + ",")
        self._blanks()
        return value

    def _list(self) -> list[Any]:
        items: list[Any] = []
        self._at += 1
        self._blanks()
        while self._next() != "]":
            if items:
                self._expect(",", "or `]` after an item of a list")
            items.append(self._element(stops="]"))
        self._at += 1
        return items

    def _dict(self) -> dict[Any, Any]:
        items: dict[Any, Any] = {}
        first = True
        self._at += 1
        self._blanks()
        while self._next() != "}":
            if not first:
                self._expect(",", "or `}` after an item of a dict")
            first = False
            key = self._key()
            self._expect(":", "between a key and its value")
            items[key] = self._element(stops="}")
        self._at += 1
        return items

    def _key(self) -> Any:
        self._blanks()
        if self._next() in ("[", "{"):
            self._fail("a key of a dict is a word or a number")
        return self._element(stops=":}")

    def _quoted(self, quote: str) -> str:
        """Text between quotes. A backslash is special only in front of a quote (or of backslashes that lead to one)."""
        match = re.compile(rf"{quote}((?:\\.|[^\\{quote}])*){quote}", re.DOTALL).match(self._text, self._at)
        if match is None:
            self._fail(f"the quote {quote} is not closed")
        self._at = match.end()
        return re.sub(rf"(\\+)(?={quote}|\Z)", lambda m: m[1][1::2], match[1])

    def _primitive(self, stops: str) -> Any:
        pieces: list[tuple[str, bool]] = []
        while self._at < len(self._text) and self._next() not in stops:
            pieces.append(self._piece())
        while pieces and pieces[-1] in _BLANKS:
            pieces.pop()
        if not pieces:
            self._fail("a value is missing")
        text = "".join(piece for piece, _ in pieces)
        return text if any(escaped for _, escaped in pieces) else _typed(text)

    def _piece(self) -> tuple[str, bool]:
        """The next character, escaped character or interpolation, and whether a backslash made it plain text."""
        if self._text.startswith("${", self._at):
            return self._interpolation(), False
        char, follower = self._text[self._at], self._text[self._at + 1 : self._at + 2]
        if char == "\\" and follower and follower in _ESCAPABLE:
            self._at += 2
            return follower, True
        if char == "(":
            self._fail("functions such as int(...) mean nothing here; quote the value if the brackets belong to it")
        if not _PLAIN.fullmatch(char):
            self._fail(f"the character {char} must stand in a quoted value")
        self._at += 1
        return char, False

    def _interpolation(self) -> str:
        """``${...}`` with whatever interpolations it holds."""
        depth, start = 0, self._at
        for end in range(start, len(self._text)):
            depth += (self._text[end] == "{") - (self._text[end] == "}")
            if self._text[end] == "}" and depth == 0:
                self._at = end + 1
                return self._text[start : self._at]
        self._fail("the interpolation ${ is not closed")

    def _blanks(self) -> None:
        while self._next() in (" ", "\t"):
            self._at += 1

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _expect(self, char: str, where: str) -> None:
        if self._next() != char:
            self._fail(f"expected `{char}` {where}")
        self._at += 1

    def _fail(self, reason: str) -> NoReturn:
        raise ConfigError(
            f"Override `{self._text}` cannot be read at character {self._at + 1}: {reason}. Quoting makes any text a "
            f"value: key='a=b, c'."
        )


def _typed(text: str) -> Any:
    if text.lower() in _WORDS or text == "None":
        return _WORDS.get(text.lower())
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
