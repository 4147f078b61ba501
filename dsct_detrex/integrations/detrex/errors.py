"""What is wrong with the user's detrex, as one sentence; also the built-in error that an import would raise."""

from __future__ import annotations

from dsct_detrex.errors import UserError


class DetrexError(UserError, ImportError):
    """detrex, detectron2 or something they need is missing or cannot be used."""
