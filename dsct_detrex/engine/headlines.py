"""What each split of a run holds, said before anything is trained or evaluated on it, and kept in ``data.json``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsct_detrex.data import headline_of
from dsct_detrex.engine.files import write_json
from dsct_detrex.structures import Headline

FILE = "data.json"

Headlines = Mapping[str, Headline]
"""``train`` and ``test``, as the loaders are called, to what their data sets hold; foreign loaders may be absent."""


def headlines(**loaders: Any) -> dict[str, Headline]:
    """The headlines of the loaders that name their ``dataset``."""
    found = {name: headline_of(getattr(loader, "dataset", None)) for name, loader in loaders.items()}
    return {name: headline for name, headline in found.items() if headline is not None}


def headline_text(known: Headlines, max_batches: int | None = None) -> str:
    """For the console: a paragraph for each split, then what is to be shown beside any result.

    Args:
        max_batches: of a short evaluation, which the headline of its split must not hide.
    """
    lines = ["data"]
    for name, headline in known.items():
        first, *more = headline.lines()
        if name == "test" and max_batches is not None:
            more.append(f"note: only the first {max_batches} batches of it are evaluated (train.fast_dev_run)")
        lines += [f"  {name:<6} {first}", *(f"{'':<9}{line}" for line in more)]
    warnings = dict.fromkeys(warning for headline in known.values() for warning in headline.warnings)
    lines += [f"  note: {warning}" for warning in warnings]
    return "\n".join(lines)


def plain_headlines(known: Headlines) -> dict[str, Any]:
    """As plain types, for files and loggers."""
    return {name: headline.to_dict() for name, headline in known.items()}


def save_headlines(folder: Path, known: Headlines) -> None:
    """Write ``data.json``, where anything is known."""
    if known:
        write_json(folder / FILE, plain_headlines(known))
