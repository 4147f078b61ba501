"""The files of ``--out``: kept after every case, whole or not at all; a bench that was stopped goes on where it was.

``<suite>.json`` says ``stopped`` until its suite is finished. The same command then keeps the suites that are finished,
measures the one that was stopped anew, so that all of its numbers are of one time, and goes on with the others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from dsct_detrex.bench.contracts import Suite
from dsct_detrex.bench.discovery import name_of
from dsct_detrex.bench.goals import GOALS_PAGE, goals_page, is_generated
from dsct_detrex.bench.page import page
from dsct_detrex.bench.results import Record
from dsct_detrex.errors import UserError
from dsct_detrex.files import write_whole


def left_to_measure(folder: Path, chosen: Sequence[Suite], command: str, overwrite: bool) -> list[Suite]:
    """The suites that a bench has to measure; a place that is taken is refused before minutes of work.

    Args:
        command: as results keep it; only a bench of the same words goes on, and then even with ``overwrite``.

    Raises:
        UserError: results of something else are there, or the folder cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"bench: --out expects a folder. Got the file {folder}.")
    there = [path for suite in chosen for path in _files_of(folder, suite) if path.exists()]
    goals = folder / GOALS_PAGE
    if goals.exists() and not is_generated(goals):
        there.append(goals)
    left = [suite for suite in chosen if not _is_finished(folder, suite, command)]
    goes_on = bool(left) and _is_ours(folder, chosen, command)
    if there and not overwrite and not goes_on:
        raise UserError(f"bench: {there[0]} exists; choose another --out, or replace it with --overwrite.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f"bench: --out {folder} cannot be written: {error.strerror}.") from error
    return left if goes_on else list(chosen)


def keep(record: Record, folder: Path, finished: bool = False) -> None:
    """The JSON."""
    kept = replace(record, stopped=not finished)
    write_whole(folder / f"{record.suite}.json", json.dumps(asdict(kept), indent=1) + "\n")


def publish(record: Record, folder: Path) -> None:
    """Page and pictures, named after the suite, and the table of goals."""
    from dsct_detrex.bench.plots import growth_pictures  # here: plots import a library a second long

    pictures = growth_pictures(record)
    for file, (_, content) in pictures.items():
        write_whole(folder / file, content)
    write_whole(folder / f"{record.suite}.md", page(record, {file: title for file, (title, _) in pictures.items()}))
    write_whole(folder / GOALS_PAGE, goals_page(folder))
    print(f"written: {folder / record.suite}.md and .json\n", flush=True)


def _files_of(folder: Path, suite: Suite) -> list[Path]:
    return [folder / f"{name_of(suite)}{suffix}" for suffix in (".json", ".md")]


def _is_ours(folder: Path, chosen: Sequence[Suite], command: str) -> bool:
    """Whether all that is there was left by the same command."""
    goals = folder / GOALS_PAGE
    records = [_record(path) for suite in chosen if (path := _files_of(folder, suite)[0]).exists()]
    pages = [suite for suite in chosen if _files_of(folder, suite)[1].exists()]
    unknown = [suite for suite in pages if not _files_of(folder, suite)[0].exists()]
    generated = not goals.exists() or is_generated(goals)
    return generated and not unknown and all(record.get("command") == command for record in records)


def _is_finished(folder: Path, suite: Suite, command: str) -> bool:
    data, said = _files_of(folder, suite)
    record = _record(data)
    failed = any(row.get("error") for case in record.get("cases", ()) for row in case.get("rows", ()))
    return said.exists() and record.get("command") == command and record.get("stopped") is False and not failed


def _record(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
