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

_NO_TEXT = (
    (b"\x1f\x8b", "is compressed by gzip. Unpack it"),
    (b"PK\x03\x04", "is a zip archive or an Excel workbook. Unpack it, or save the sheet as CSV UTF-8"),
    (b"MATLAB 5.0", "is a MATLAB file. Name it .mat"),
    (b"<", "is a web page or XML. Download or export the file itself"),
    (b"version https://git-lfs", "is a pointer of Git LFS. Fetch the file itself: git lfs pull"),
)
"""How files begin that are met in place of a text with annotations -> what they are, and what to do."""


def read_text(path: Path) -> str:
    """The text of a file without its byte order mark; every kind of line end is a newline.

    Raises:
        UserError: the file cannot be opened, is empty, is of a kind that is no text with annotations, or has an
            encoding that cannot be known.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}). Check the file and its permissions.") from error
    kind = next((kind for begin, kind in _NO_TEXT if content[:256].lstrip().startswith(begin)), None)
    if kind is not None:
        raise UserError(f"{path} {kind}.")
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
        if text.lstrip()[0] not in "{[":
            raise UserError(
                f"{path} is not JSON: it begins with {text.lstrip()[:30]!r}. Expected a COCO-style JSON file."
            ) from error
        raise UserError(
            f"{path} is not a complete JSON file (line {error.lineno}, column {error.colno}: {error.msg}). "
            "Copy or download it again."
        ) from error
    except (RecursionError, ValueError) as error:  # nested too deeply, or a number of thousands of digits
        raise UserError(f"{path} is not an annotation file: it is nested too deeply or has a giant number.") from error
