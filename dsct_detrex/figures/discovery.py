"""Which figures there are: every file of ``figures/kinds``."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import cast

from dsct_detrex.figures.contracts import Kind
from dsct_detrex.names import figures


def chosen_kinds(names: Sequence[str]) -> list[tuple[str, Kind]]:
    """Name and module of those that are asked for, each once; of all where none are."""
    found = dict.fromkeys(names or figures())
    return [(name, cast(Kind, importlib.import_module(f"dsct_detrex.figures.kinds.{name}"))) for name in found]
