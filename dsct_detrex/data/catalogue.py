"""All data sets on disk: whatever module of ``data/sets`` defines a ``CARD``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from dsct_detrex.cli.invocation import spoken
from dsct_detrex.data import sets
from dsct_detrex.data.card import DataSetCard
from dsct_detrex.errors import UserError
from dsct_detrex.paths import user_path
from dsct_detrex.structures import Emotions
from dsct_detrex.suggestions import did_you_mean


def names() -> tuple[str, ...]:
    """What ``--format`` takes, sorted; nothing is imported to find out."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(sets.__path__)))


@cache
def cards() -> Mapping[str, DataSetCard]:
    """Name -> card, in the order of ``names``."""
    return {name: importlib.import_module(f"{sets.__name__}.{name}").CARD for name in names()}


def get(name: str) -> DataSetCard:
    """The card of a data set.

    Raises:
        UserError: an unknown name; lists the known ones.
    """
    if name not in cards():
        raise UserError(
            f"Data set {name!r} is unknown. Expected one of {', '.join(names())}.{did_you_mean(name, names())}"
        )
    return cards()[name]


def recognise(root: str) -> DataSetCard:
    """The data set whose pictures lie under ``root``.

    Raises:
        UserError: there is no such folder, or it is none of them or several; lists what was looked for.
    """
    folder = user_path(root)
    if not folder.is_dir():
        raise UserError(f"{root} is not a folder. Name the folder of a data set.")
    found = [card for card in cards().values() if card.recognises(folder)]
    if len(found) != 1:
        looked = "; ".join(f"{card.title} ({card.layout})" for card in found or cards().values())
        what = "the pictures of several data sets" if found else "the pictures of no known data set"
        flags = " or ".join(f"--format {card.name}" for card in found or cards().values())
        raise UserError(f"{root} holds {what}: {looked}. Say which is meant with {flags}.")
    return found[0]


def how_to_get(name: str) -> str:
    """The closing sentences of every 'not there' message: where the data comes from, and the stand-in."""
    card = get(name)
    if card.stand_in is None:
        return f"{card.access}."
    return (
        f"{card.access}. To try things out without it, write a small stand-in: "
        f"{spoken('data', ['generate', '--format', name, '--out', 'DIR'])}."
    )


def label_sets() -> dict[str, DataSetCard]:
    """Name of a label set -> the data set that has it, the one of the same name where several do."""
    known = [card for card in cards().values() if card.emotions is not None]
    known.sort(key=lambda card: card.emotions is not None and card.emotions.name == card.name)
    found = {card.emotions.name: card for card in known if card.emotions is not None}
    return dict(sorted(found.items()))


def get_label_set(name: str) -> Emotions:
    """The emotions of a data set that always has the same ones.

    Raises:
        UserError: none of that name; lists those that are.
    """
    found = label_sets().get(name)
    if found is None or found.emotions is None:
        hint = did_you_mean(name, label_sets())
        raise UserError(f"Emotions {name!r} are unknown. Expected one of {', '.join(label_sets())}.{hint}")
    return found.emotions


def title_of(name: str) -> str:
    """How people call the data set of a label set; the name itself where there is none (a user's own)."""
    return label_sets()[name].title if name in label_sets() else name


def subjects_of_emotions() -> dict[str, int]:
    """Name of a label set -> N, where its data set states it; for config files."""
    return {name: card.num_subjects for name, card in label_sets().items() if card.num_subjects is not None}
