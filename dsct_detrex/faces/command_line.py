"""``dsct data boxes``: from a CAER-S download without boxes to a box file that training reads."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from dsct_detrex.cli.invocation import this_command
from dsct_detrex.cli.stopping import exit_status
from dsct_detrex.data.dataset import SPLITS
from dsct_detrex.data.places import existing_root
from dsct_detrex.data.sets.caer_s import found_box_file, image_root
from dsct_detrex.errors import UserError
from dsct_detrex.faces import box_file as files
from dsct_detrex.faces.detector import FaceDetector
from dsct_detrex.faces.frames import Frame, frames_of, with_validation
from dsct_detrex.faces.gallery import gallery
from dsct_detrex.faces.journal import FILE, Journal
from dsct_detrex.faces.outcome import Outcome, outcome_of
from dsct_detrex.faces.search import Progress as Told
from dsct_detrex.faces.search import search
from dsct_detrex.files import replacing
from dsct_detrex.paths import user_path

FOLDER = "annotations"
"""Below the root; where the reader looks for box files."""

_STEPS = 20  # lines of progress where there is no terminal


def make_boxes(options: argparse.Namespace, words: Sequence[str] = ()) -> int:
    """Look for faces in all pictures under ``options.data_root`` and write the box files.

    Returns:
        The exit status: 0 done, 1 done but pictures could not be read, 130 or 143 interrupted.

    Raises:
        UserError: nothing can be done as asked; nothing was written then, except the journal of a broken-off search.
    """
    root = existing_root(options.data_root, options.format)
    images = image_root(root)
    folder = root / FOLDER if options.out is None else user_path(options.out)
    frames, notes = frames_of(images)
    frames, held_out = _with_validation(frames, options.val, images)
    files.check_free(folder, options.overwrite)
    if options.out is None:
        _check_first(root, images, folder)
    detector = _detector(options)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with Journal(folder / FILE, detector, options.overwrite) as journal, _progress() as told:
            found, broken = search(
                frames, detector, journal, options.jobs or os.cpu_count() or 1, told, options.on_error == "raise"
            )
    except KeyboardInterrupt as stop:
        print(f"Interrupted; what was found is in {folder / FILE}. Go on with: {this_command()}", file=sys.stderr)
        return exit_status(stop)
    score = detector.usual_score if options.min_score is None else options.min_score
    outcome = outcome_of(frames, found, broken, score, options.faces)
    if not any(outcome.people.values()):
        raise UserError(
            f"data boxes: no face in {len(frames):,} pictures with --min-score {score:g} and --faces "
            f"{options.faces}; no box file was written. All faces with their scores are in {folder / FILE}."
        )
    _write(outcome, folder, _settings(detector, score, options.faces, held_out))
    _tell(outcome, folder, f"{detector.name}, score at least {score:g}", options, [*notes, *held_out])
    return 1 if broken and options.on_error == "report" else 0


def _with_validation(frames: list[Frame], share: float | None, images: Path) -> tuple[list[Frame], list[str]]:
    """The frames with a validation split, and what to say about it."""
    own = any(frame.split == "val" for frame in frames)
    if own and share is not None:
        raise UserError(f"data boxes: --val takes pictures of train for validation, but {images} has its own val/.")
    share = 0.1 if share is None else share
    if share >= 1:
        raise UserError(f"data boxes: --val expects a share of train from 0 to below 1. Got {share:g}.")
    if own or not share or all(frame.split != "train" for frame in frames):
        return frames, []
    return with_validation(frames, share), [
        f"val is the last {100 * share:g} % of every class of train (training evaluates on it; --val 0 leaves it out)"
    ]


def _check_first(root: Path, images: Path, folder: Path) -> None:
    """A box file that the reader takes before ours would be used instead, unsaid."""
    for split in SPLITS:
        other = found_box_file(root, images, split)
        if other is not None and other.resolve() != (folder / f"{split}.txt").resolve():
            raise UserError(
                f"data boxes: there is a box file already, {other}, which is read before {folder / f'{split}.txt'} "
                "would be. Give --out DIR to keep both, and name one with annotations=."
            )


def _detector(options: argparse.Namespace) -> FaceDetector:
    torch.set_num_threads(1)  # the jobs are threads already, which would get in each other's way
    if options.model is not None:
        from dsct_detrex.faces.yunet import YuNet

        return YuNet(user_path(options.model), options.min_size)
    from dsct_detrex.faces.mtcnn import Mtcnn

    return Mtcnn(options.min_size)


@contextmanager
def _progress() -> Iterator[Told]:
    """A bar on a terminal, else a line every twentieth part."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines()
        return
    columns = (TextColumn("looking for faces"), BarColumn(None), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("")
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines() -> Told:
    last = -1

    def told(done: int, total: int) -> None:
        nonlocal last
        if (step := done * _STEPS // max(1, total)) > last:
            last = step
            print(f"looking for faces: {done:,} of {total:,} pictures", file=sys.stderr, flush=True)

    return told


def _settings(detector: FaceDetector, score: float, choice: str, held_out: Sequence[str]) -> dict[str, Any]:
    """What a reader of the boxes must know of how they were made."""
    return {
        "made": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "detector": detector.name,
        "min_score": score,
        "min_size": detector.min_size,
        "faces": choice,
        "validation": list(held_out),
    }


def _write(outcome: Outcome, folder: Path, settings: dict[str, Any]) -> None:
    for split in SPLITS:
        people, path = outcome.people.get(split), folder / f"{split}.txt"
        if people:
            files.write(path, files.box_lines(people, settings["detector"]))
        else:
            path.unlink(missing_ok=True)  # of an earlier search, whose pictures may be in another split by now
    files.write(folder / files.LEFT_OUT, files.left_out_lines(outcome.left_out))
    sheet = gallery(outcome)
    if sheet is not None:
        with replacing(folder / files.GALLERY) as unfinished:
            sheet.save(unfinished)
    files.write(folder / files.SUMMARY, {**settings, "splits": outcome.counts_as_dict()})


def _tell(outcome: Outcome, folder: Path, finder: str, options: argparse.Namespace, notes: Sequence[str]) -> None:
    console = Console(soft_wrap=True, highlight=False)
    console.print(Text(f"faces found by {finder}; written: {options.faces}"))
    console.print(outcome.table())
    lines = list(notes)
    if outcome.left_out:
        lines.append(f"{len(outcome.left_out):,} pictures have no line; {folder / files.LEFT_OUT} says why")
    written = [split for split, people in outcome.people.items() if people]
    lines += [f"{split} has no box file: no face was written" for split in outcome.people if split not in written]
    names = ", ".join(f"{split}.txt" for split in written)
    lines.append(f"{folder}: {names}; look over {files.GALLERY} before you train")
    if options.out is not None:
        keys = " and ".join(f"dataloader.{loader}.dataset.annotations" for loader in ("train", "test"))
        lines.append(f"to use them: {keys}='{folder}/{{split}}.txt'")
    lines.append("found boxes differ from the published ones, which people checked: say so beside a result")
    for line in lines:
        console.print(Text(line))
