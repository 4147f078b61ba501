"""The work of ``dsct dashboard``: the dashboard of a W&B project as a file, and with ``--push`` in W&B."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

from dsct_detrex.config import load_config
from dsct_detrex.dashboard.layout import CELL, HOST, make_dashboard
from dsct_detrex.dashboard.workspace import build_workspace, push_workspace, workspace_json
from dsct_detrex.data.catalogue import get_label_set, label_sets
from dsct_detrex.engine.build import build_emotions
from dsct_detrex.engine.loggers.wandb_run import has_api_key, project
from dsct_detrex.errors import UserError
from dsct_detrex.files import write_whole
from dsct_detrex.paths import user_path
from dsct_detrex.structures import Emotions, check_emotions
from dsct_detrex.suggestions import did_you_mean
from dsct_detrex.weights import load_release

_NAME = re.compile(r"[A-Za-z0-9][\w .-]*", re.ASCII)  # stands in a filter, a title, an address and a file's name
_KEY = re.compile(r"[A-Za-z_]\w*(\.\w+)*", re.ASCII)


def dashboard(options: argparse.Namespace, words: Sequence[str]) -> int:
    """Write the dashboard; returns the exit status."""
    _settle(options)
    emotions = _emotions(options.emotions)
    board = make_dashboard(emotions, options.project, options.sweep, options.group_by)
    workspace = build_workspace(board, options.entity, options.project)
    path = options.out or Path("runs") / "dashboard" / f"{options.sweep or options.project}_{emotions.name}.json"
    _write(path, workspace_json(workspace))
    print(f"dashboard: {path}")
    if options.push:
        if not has_api_key():
            raise UserError(
                f"--push needs a W&B API key and there is none: run `wandb login`, or set WANDB_API_KEY, then call "
                f"this again. {path} is written."
            )
        print(f"in W&B: {push_workspace(workspace)}")
    return 0


def _emotions(name: str) -> Emotions:
    """The label set of a data set, or of a run whose ``config.yaml`` or release ``name`` is."""
    if name in label_sets():
        return get_label_set(name)
    path = user_path(name)
    if path.suffix == ".safetensors":
        released = load_release(path).emotions
        check_emotions(released, f"--emotions {name}", "Name a data set, or a run of a DSCT model.")
        return released
    if path.is_file():
        emotions = build_emotions(load_config(path))
        if emotions is not None:
            return emotions
    raise UserError(
        f"--emotions expects one of {', '.join(label_sets())}, or a file of a run that names its emotions, its "
        f"config.yaml or a release (*.safetensors). Got {name!r}.{did_you_mean(name, label_sets())}"
    )


def _settle(options: argparse.Namespace) -> None:
    """Take from the environment what no flag says.

    Raises:
        UserError: a name or key that cannot be used.
    """
    options.project = project() if options.project is None else options.project
    options.entity = os.environ.get("WANDB_ENTITY") if options.entity is None else options.entity
    if options.entity is None:
        raise UserError("Say whose project it is, a user or a team of W&B: --entity NAME, or set WANDB_ENTITY.")
    for name in ("project", "entity", "sweep"):
        value = getattr(options, name)
        if value is not None and not _NAME.fullmatch(value):
            raise UserError(
                f"--{name} expects a name of letters, digits, spaces and _ . - that starts with a letter or digit. "
                f"Got {value!r}."
            )
    if not _KEY.fullmatch(options.group_by):
        raise UserError(f"--group-by expects a key of the config, such as {HOST}, or {CELL}. Got {options.group_by!r}.")
    if options.group_by == CELL and options.sweep is None:
        raise UserError(f"--group-by {CELL} needs the sweep whose cells they are: --sweep NAME, e.g. table_6.")


def _write(path: Path, text: str) -> None:
    """Write the file anew; one that is no dashboard is somebody's and stays.

    Raises:
        UserError: it is such a file, or cannot be written.
    """
    if path.is_file() and not _is_dashboard(path):
        raise UserError(f"{path} is there and is no dashboard, so it is not written over; choose another with --out.")
    try:
        write_whole(path, text)
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}); choose another file with --out.") from error


def _is_dashboard(path: Path) -> bool:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and {"entity", "project", "spec"} <= content.keys()
