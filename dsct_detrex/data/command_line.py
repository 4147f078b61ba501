"""The subcommands of ``scripts/data.py``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress as ProgressBar

from dsct_detrex.data.checkup_tables import print_checkup
from dsct_detrex.data.dataset import SPLITS
from dsct_detrex.data.doctor import FORMATS, check_root, detect_format
from dsct_detrex.data.gallery import draw_gallery
from dsct_detrex.data.synthetic.writer import FolderInUseError, write_dataset
from dsct_detrex.errors import UserError
from dsct_detrex.paths import expanded, user_path

_PICTURES = (".png", ".jpg")
_WRITTEN_AS = {"mat": "mat", "txt": "txt", "coco": "json"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; a user's mistake is one sentence on the error stream.

    Returns:
        The exit status: 0 fine, 1 the data needs attention, 2 the command cannot be carried out.
    """
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except (UserError, OSError) as error:
        Console(stderr=True, soft_wrap=True, markup=False, highlight=False).print(str(error))
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="data.py", description="Look after EMOTIC and CAER-S data.")
    commands = parser.add_subparsers(required=True, metavar="check | show | generate")

    check = commands.add_parser("check", help="examine a data set: counts, labels, bad boxes, broken pictures, leaks")
    _add_reader(check)
    check.add_argument("--splits", nargs="+", choices=SPLITS, default=list(SPLITS))
    check.add_argument("--no-images", action="store_true", help="do not open the pictures")
    check.add_argument("--near-duplicates", action="store_true", help="look for test pictures that are also in train")
    check.add_argument("--threads", type=_count, default=8, help="that read pictures")
    check.add_argument("--json", type=user_path, metavar="FILE", help="write everything found as JSON as well")
    _add_overwrite(check, "replace FILE where it is there")
    check.set_defaults(run=_check)

    show = commands.add_parser("show", help="draw the first pictures with their people")
    _add_reader(show)
    show.add_argument("--split", choices=SPLITS, default="train")
    show.add_argument("--images", type=_count, default=12)
    show.add_argument("--out", type=user_path, required=True, metavar="FILE")
    _add_overwrite(show, "replace FILE where it is there")
    show.set_defaults(run=_show)

    generate = commands.add_parser("generate", help="write a synthetic stand-in in a data set's own layout")
    generate.add_argument("--format", choices=FORMATS, required=True)
    generate.add_argument("--out", type=expanded, required=True, metavar="DIR")
    for split, size in zip(SPLITS, (100, 20, 40)):
        generate.add_argument(f"--{split}", type=int, default=size, metavar="N", help=f"images (default {size})")
    generate.add_argument("--size", type=int, nargs=2, metavar=("W", "H"), help="of the pictures, pixels")
    generate.add_argument("--seed", type=int, default=0)
    generate.add_argument("--annotations", choices=_WRITTEN_AS, help="only this kind; both of the format's by default")
    _add_overwrite(generate, "write into a folder with content: same names are replaced, all other files stay")
    generate.set_defaults(run=_generate)
    return parser


def _count(text: str) -> int:
    """A number of at least 1, as a flag."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expects a whole number of at least 1. Got {text!r}.")
    return int(text)


def _add_overwrite(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument("--overwrite", "--force", action="store_true", help=what)


def _check_new(path: Path, parsed: argparse.Namespace) -> None:
    """Nothing that is there is written over unless it was asked for, be it a report or a picture of the data."""
    if path.is_dir():
        raise UserError(f"{path} is a folder: name a file to write.")
    if not path.parent.is_dir():
        raise UserError(f"{path} cannot be written: its folder {path.parent} is not there. Make it first.")
    if path.exists() and not parsed.overwrite:
        raise UserError(f"{path} is there already: choose another name, or give --overwrite to replace it.")


def _add_reader(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=["auto", *FORMATS], default="auto")
    command.add_argument("--root", type=expanded, required=True, metavar="DIR")
    command.add_argument("--boxes", choices=["auto", "body", "head"], help="EMOTIC: which boxes")
    command.add_argument(
        "--annotations", type=expanded, metavar="FILE", help="the annotation file; {split} is filled in"
    )
    command.add_argument("--box-format", choices=["xywh", "xyxy"], help="of that file, where it is not the usual one")


def _reader(parsed: argparse.Namespace) -> dict[str, Any]:
    """The arguments for the data set class that were given."""
    return {
        name: getattr(parsed, name)
        for name in ("boxes", "annotations", "box_format")
        if getattr(parsed, name) is not None
    }


def _format(parsed: argparse.Namespace) -> str:
    format = detect_format(parsed.root) if parsed.format == "auto" else str(parsed.format)
    if parsed.boxes is not None and format != "emotic":
        raise UserError(f"--boxes chooses between EMOTIC's body and head boxes; {format} has one kind. Leave it out.")
    return format


def _check(parsed: argparse.Namespace) -> int:
    format = _format(parsed)
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
            format,
            parsed.root,
            parsed.splits,
            read_images=not parsed.no_images,
            find_near_duplicates=parsed.near_duplicates,
            threads=parsed.threads,
            progress=progress,
            **_reader(parsed),
        )
    print_checkup(checkup, Console())
    if parsed.json is not None:
        parsed.json.write_text(json.dumps(checkup.to_dict(), indent=1))
    return 0 if checkup.healthy else 1


def _show(parsed: argparse.Namespace) -> int:
    dataset = FORMATS[_format(parsed)](parsed.root, parsed.split, on_error="skip", **_reader(parsed))
    if parsed.out.suffix.lower() not in _PICTURES:
        raise UserError(f"--out of show expects a file ending in {' or '.join(_PICTURES)}. Got {parsed.out}.")
    _check_new(parsed.out, parsed)
    draw_gallery(dataset, parsed.images).save(parsed.out)
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
