"""What a user says for every cell leaves standing what sets the cells apart, and what the sweep decides itself.

A word of the user wins over one of a cell. Where it takes the cell's place, rows would carry names and numbers of the
paper that they were not trained for: such a word is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dsct_detrex.config.override_grammar import Override, parse_override
from dsct_detrex.engine.compose import without_effect
from dsct_detrex.errors import UserError
from dsct_detrex.sweep.description import Cell

# Keys that every command of a sweep sets after the user's -> what says them instead.
_DECIDED = {
    "train.output_dir": "use --output-dir",
    "train.seed": "use --seeds N, for seeds 0 to N - 1",
    "train.wandb.params.group": "it is the sweep",
    "train.wandb.params.job_type": "it is the cell",
    "train.wandb.params.name": "it is sweep, cell and seed",
    "train.wandb.params.tags": "they are sweep, cell, data and scale",
}


def check_decided(user: Iterable[str]) -> None:
    """Raise a ``UserError`` for a word that the sweep's own would replace."""
    for word in user:
        key = ".".join(parse_override(word).key)
        if key in _DECIDED:
            raise UserError(f"{word} has no effect in a sweep, which sets {key} of each run itself: {_DECIDED[key]}.")


def check_rows(lines: Iterable[tuple[Cell, Sequence[str]]], user: Sequence[str]) -> None:
    """Look for rows that what the user says would make another thing than they are called.

    Args:
        lines: cells, each with its words for ``dsct train``. One that cannot be composed says so itself.
        user: overrides for all of them.

    Raises:
        UserError: one replaces, or leaves without effect, an override of a cell.
    """
    lost: dict[str, list[str]] = {}
    for cell, words in lines:
        for word in _lost(cell, words, user):
            lost.setdefault(word, []).append(cell.name)
    if lost:
        rows = "; ".join(f"{word} of {', '.join(cells)}" for word, cells in lost.items())
        raise UserError(
            f"With {' '.join(user)} in every run, these rows would not be what they are called, because what sets them "
            f"apart would not count: {rows}. Leave it out, or name the rows that you mean with --only."
        )


def _lost(cell: Cell, words: Sequence[str], user: Sequence[str]) -> list[str]:
    """Overrides of a cell that do not count any more."""
    later = [parse_override(word) for word in user]
    lost = [word for word in cell.overrides if any(_replaces(one, parse_override(word)) for one in later)]
    if lost or not cell.overrides:
        return lost
    try:
        unused = _unused(words) - _unused([word for word in words if word not in user])
    except UserError:
        return []
    return [word for word in cell.overrides if word in unused]


def _unused(words: Sequence[str]) -> set[str]:
    """Overrides without effect; of a control there are some that nobody's words are to blame for."""
    return {word for one in without_effect(words) for word in one.words}


def _replaces(later: Override, earlier: Override) -> bool:
    """Whether a value gives way to another one, of its own key or of a block around it."""
    if earlier.key[: len(later.key)] != later.key:
        return False
    value, left = later.value, list(earlier.key[len(later.key) :])
    while left and isinstance(value, dict) and "_target_" not in value:  # merged, key by key
        name = left.pop(0)
        if name not in value:
            return False
        value = value[name]
    return bool(left or value != earlier.value)
