"""PyAV, whose wheel carries ffmpeg: imported where it is needed, with a sentence where it is missing."""

from __future__ import annotations

import importlib
from typing import Any

from dsct_detrex.errors import UserError


def pyav(what: str) -> Any:
    """The module ``av``.

    Args:
        what: needs it, at the start of the message.

    Raises:
        UserError: it is not installed.
    """
    try:
        return importlib.import_module("av")
    except ImportError as error:
        raise UserError(
            f"{what} needs PyAV, which cannot be imported ({error}). Install it with: pip install av"
        ) from error


def reason(error: Exception) -> str:
    """Why ffmpeg gave up, in its own words, on one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())
