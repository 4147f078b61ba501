"""Text files as editors, shells and spreadsheets save them: the one reader for JSON, txt and csv annotations.

UTF-8 with and without a byte order mark is read, and so are UTF-16 and UTF-32 with one (PowerShell, "Unicode text" of a
spreadsheet). Any other encoding is refused: read with the wrong table it would name other pictures.
"""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

from dsct_detrex.errors import UserError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order mark -> encoding."""


def read_text(path: Path) -> str:
    """The text of a file without its byte order mark; every kind of line end is a newline.

    Raises:
        UserError: the file cannot be opened, is empty, or has an encoding that cannot be known.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}). Check the file and its permissions.") from error
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not a text file in {encoding.upper()}. Save it again as UTF-8.") from error
    if "\0" in text:
        raise UserError(f"{path} is not a text file in UTF-8: it holds zero bytes. Save it again as UTF-8.")
    if not text.strip():
        raise UserError(f"{path} is empty. Copy or download it again.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        UserError: see ``read_text``; or not one complete JSON value; says which line breaks it.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            remedy = "Put everything into one object (a file with one JSON object per line, JSONL, is not read)"
            raise UserError(
                f"{path} holds more than one JSON value, the second at line {error.lineno}. {remedy}."
            ) from error
        raise UserError(
            f"{path} is not a complete JSON file (line {error.lineno}, column {error.colno}: {error.msg}). "
            "Copy or download it again."
        ) from error
    except (RecursionError, ValueError) as error:  # nested too deeply, or a number of thousands of digits
        raise UserError(f"{path} is not an annotation file: it is nested too deeply or has a giant number.") from error
