"""What each split of a run holds, said before anything is trained or evaluated on it, and kept in ``data.json``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsct_detrex.counting import counted
from dsct_detrex.data import headline_of
from dsct_detrex.engine.examine import Examiner
from dsct_detrex.engine.files import write_json
from dsct_detrex.engine.screen.block import Row, in_two_lines
from dsct_detrex.engine.screen.log_file import LOG
from dsct_detrex.structures import Headline

FILE = "data.json"
_VALUE_WIDTH = 66  # what a screen of 80 columns leaves beside the labels

Headlines = Mapping[str, Headline]
"""``train`` and ``test``, as the loaders are called, to what their data sets hold; foreign loaders may be absent."""


def headlines(**loaders: Any) -> dict[str, Headline]:
    """The headlines of the loaders that name their ``dataset``."""
    found = {name: headline_of(getattr(loader, "dataset", None)) for name, loader in loaders.items()}
    return {name: headline for name, headline in found.items() if headline is not None}


def known_headlines(examiner: Examiner | None, train: Any = None) -> dict[str, Headline]:
    """Those of a run: of the loader that is trained on, and of the split that is evaluated, with its warnings."""
    known = headlines(train=train)
    if examiner is not None and examiner.headline is not None:
        known["test"] = examiner.headline
    return known


def data_rows(known: Headlines, width: int = _VALUE_WIDTH) -> list[Row]:
    """A row for each split: images, people, boxes, then who shows what."""
    titles = {"train": "training", "test": "evaluation"}
    return [(titles.get(name, name), "\n".join(_facts(headline, width))) for name, headline in known.items()]


def data_notes(known: Headlines, max_batches: int | None = None, most: int | None = None) -> list[str]:
    """What is to be shown beside any result, a sentence each.

    Args:
        max_batches: of a short evaluation, which the headline of its split must not hide.
        most: so many findings of a split are told; None tells all.
    """
    short = max_batches is not None and "test" in known
    return list(
        dict.fromkeys(
            [
                *(finding for headline in known.values() for finding in _findings(headline, most)),
                *(note for headline in known.values() for note in _nobody(headline)),
                *(warning for headline in known.values() for warning in headline.warnings),
                *([f"only the first {max_batches} batches are evaluated (train.fast_dev_run)"] if short else []),
            ]
        )
    )


def data_details(known: Headlines) -> list[str]:
    """Everything, a paragraph for each split."""
    return ["\n".join([f"{name}: {headline.sentence()}", *headline.lines()[1:]]) for name, headline in known.items()]


def _facts(headline: Headline, width: int) -> list[str]:
    people = headline.annotated()
    images = headline.coverage(headline.images) or counted(headline.images, "image")
    boxes = headline.origin() if headline.boxes and headline.source else None
    return [f"{headline.name}: {', '.join(filter(None, (images, people, boxes)))}", *_labels(headline, width)]


def _labels(headline: Headline, width: int) -> list[str]:
    """How many people show what: all emotions if they fit in two lines, else the most and the least frequent."""
    if not headline.labels:
        return []
    shown = in_two_lines((f"{name} {count:,}" for name, count in headline.labels.items()), width)
    if shown is not None:
        return [shown]
    (rare, fewest), *_, (frequent, most) = sorted(headline.labels.items(), key=lambda item: item[1])
    what, one = ("classes", "thing") if headline.boxes == "thing" else ("emotions", "person")
    return [f"{len(headline.labels)} {what}, from {frequent} ({counted(most, one)}) to {rare} ({fewest:,})"]


def _findings(headline: Headline, most: int | None) -> list[str]:
    left = len(headline.findings) - (len(headline.findings) if most is None else most)
    told = [f"{headline.name}: {finding}" for finding in headline.findings[:most]]
    return [*told, f"{headline.name}: {counted(left, 'more finding')} in {LOG}"] if left > 0 else told


def _nobody(headline: Headline) -> list[str]:
    nobody = [name for name, count in headline.labels.items() if not count]
    return [f"{headline.name}: nobody shows {', '.join(nobody)}"] if nobody else []


def plain_headlines(known: Headlines) -> dict[str, Any]:
    """As plain types, for files and loggers."""
    return {name: headline.to_dict() for name, headline in known.items()}


def save_headlines(folder: Path, known: Headlines) -> None:
    """Write ``data.json``, where anything is known."""
    if known:
        write_json(folder / FILE, plain_headlines(known))
