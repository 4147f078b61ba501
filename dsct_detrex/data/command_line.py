"""The work of ``dsct data``: check, show, generate."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress as ProgressBar

from dsct_detrex.data import catalogue
from dsct_detrex.data.card import DataSetCard
from dsct_detrex.data.checkup_tables import print_checkup
from dsct_detrex.data.doctor import check_root
from dsct_detrex.data.synthetic.writer import FolderInUseError, write_dataset
from dsct_detrex.errors import UserError
from dsct_detrex.files import replacing, write_whole
from dsct_detrex.names import SPLITS

_PICTURES = (".png", ".jpg")
_WRITTEN_AS = {"mat": "mat", "txt": "txt", "coco": "json"}


def look_after(options: argparse.Namespace, words: Sequence[str]) -> int:
    """Carry out a subcommand.

    Returns:
        The exit status: 0 fine, 1 the data needs attention.
    """
    return _ACTIONS[options.action](options)


def _check_new(path: Path, parsed: argparse.Namespace) -> None:
    """Nothing that is there is written over unless it was asked for, be it a report or a picture of the data."""
    if path.is_dir():
        raise UserError(f"{path} is a folder: name a file to write.")
    if not path.parent.is_dir():
        raise UserError(f"{path} cannot be written: its folder {path.parent} is not there. Make it first.")
    if path.exists() and not parsed.overwrite:
        raise UserError(f"{path} is there already: choose another name, or give --overwrite to replace it.")


def _reader(parsed: argparse.Namespace) -> dict[str, Any]:
    """The arguments for the data set class that were given."""
    return {
        name: getattr(parsed, name)
        for name in ("boxes", "annotations", "box_format")
        if getattr(parsed, name) is not None
    }


def _card(parsed: argparse.Namespace) -> DataSetCard:
    card = catalogue.recognise(parsed.data_root) if parsed.format == "auto" else catalogue.get(parsed.format)
    useless = [name for name in _reader(parsed) if name not in card.options]
    if useless:
        flag = f"--{useless[0].replace('_', '-')}"
        raise UserError(f"{flag} says nothing about {card.title}, which leaves no such choice. Leave it out.")
    return card


def _check(parsed: argparse.Namespace) -> int:
    card = _card(parsed)
    if parsed.json is not None:
        _check_new(parsed.json, parsed)
    console = Console(stderr=True)
    with ProgressBar(console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks: dict[str, Any] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done)

        checkup = check_root(
            card.name,
            parsed.data_root,
            parsed.splits,
            read_images=not parsed.no_images,
            find_near_duplicates=parsed.near_duplicates,
            threads=parsed.threads,
            progress=progress,
            **_reader(parsed),
        )
    print_checkup(checkup, Console())
    if parsed.json is not None:
        write_whole(parsed.json, json.dumps(checkup.to_dict(), indent=1))
    return 0 if checkup.healthy else 1


def _show(parsed: argparse.Namespace) -> int:
    dataset = _card(parsed).reader(parsed.data_root, parsed.split, on_error="skip", **_reader(parsed))
    if parsed.out.suffix.lower() not in _PICTURES:
        raise UserError(f"--out of show expects a file ending in {' or '.join(_PICTURES)}. Got {parsed.out}.")
    _check_new(parsed.out, parsed)
    from dsct_detrex.visualization.gallery import draw_gallery  # nothing else here draws

    with replacing(parsed.out) as unfinished:
        draw_gallery(dataset, parsed.images).save(unfinished)
    Console().print(f"{parsed.out}: {dataset.name}, {dataset.description}", highlight=False, soft_wrap=True)
    return 0


def _generate(parsed: argparse.Namespace) -> int:
    sizes = {split: getattr(parsed, split) for split in SPLITS if getattr(parsed, split)}
    options: dict[str, Any] = {} if parsed.size is None else {"size": tuple(parsed.size)}
    options["overwrite"] = parsed.overwrite
    try:
        write_dataset(parsed.format, parsed.out, sizes, parsed.seed, _WRITTEN_AS.get(parsed.annotations), **options)
    except FolderInUseError as error:
        raise FolderInUseError(error.problem, "give --overwrite") from error
    counts = ", ".join(f"{count} {split}" for split, count in sizes.items())
    Console().print(f"{parsed.out}: {parsed.format} stand-in with {counts} images", highlight=False, soft_wrap=True)
    return 0


_ACTIONS = {"check": _check, "show": _show, "generate": _generate}
