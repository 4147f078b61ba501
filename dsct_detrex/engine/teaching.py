"""The start of a run as the teacher of its contexts, where a model has one (``dsct.FrozenStart``).

The teacher is read from ``train.init_checkpoint`` itself, never from the model, so that a resumed run has the very same
one: ``last.pth`` holds the SHA-256 of the file instead of its weights.
"""

from __future__ import annotations

import copy
from typing import Any, Protocol

from torch import nn

from dsct_detrex.errors import UserError
from dsct_detrex.paths import sha256_of_file, user_path
from dsct_detrex.structures import ObjectClasses
from dsct_detrex.weights import LoadReport, folded, load_weights, read_checkpoint

_SWITCH = "model.context_detection.teacher_threshold"


class Teacher(Protocol):
    """What takes the host of the start (``dsct.FrozenStart``)."""

    def begin(self, host: nn.Module, softmax: bool) -> None: ...


class _Carrier(nn.Module):
    """A host where DSCT has it, so that checkpoints find it."""

    def __init__(self, host: nn.Module) -> None:
        super().__init__()
        self.host = host


def teach(model: Any, path: str | None, content: dict[str, Any] | None = None) -> str | None:
    """Give the teacher of a model, if it has one, its host.

    Args:
        model: on its device; stays as it is.
        path: ``train.init_checkpoint``.
        content: of the ``last.pth`` to go on from. Where ``path`` is empty, the file of that run is read; where it is
            that file at another place, the place is corrected in its config.

    A DETR's classes are read as it was trained: against its own "no object", but those of a detector's release by
    sigmoid.

    Returns:
        The SHA-256 of the file; None without a teacher.

    Raises:
        UserError: there is no file, it is another one than the run began with, or it lacks weights of the host.
    """
    teacher: Teacher | None = getattr(model, "teacher", None)
    if teacher is None:
        return None
    saved = {} if content is None else content.get("config", {}).get("train", {})
    path = path or saved.get("init_checkpoint") or ""
    if not path:
        raise UserError(
            f"{_SWITCH} makes the start of a run the teacher of its contexts, and train.init_checkpoint is empty: name "
            f"the weights of a detector with train.init_checkpoint=<file>, or set {_SWITCH}=null."
        )
    checkpoint = read_checkpoint(path)
    found = sha256_of_file(user_path(path))
    if content is not None:
        _check_same(found, content.get("teacher"), path)
        saved["init_checkpoint"] = path
    carrier = _Carrier(copy.deepcopy(model.host))
    _check_complete(load_weights(carrier, checkpoint.state_dict), path)
    release = checkpoint.extras.get("release")
    ours = release is not None and isinstance(release.emotions, ObjectClasses)
    teacher.begin(carrier.host, softmax=not ours)
    return found


def _check_same(found: str, wanted: str | None, path: str) -> None:
    if wanted is None:
        raise UserError(
            f"--resume: that run had no teacher, and {_SWITCH} asks for one now. Set it to null, or start a new run."
        )
    if found != wanted:
        raise UserError(
            f"--resume: {path} is not the file that taught that run (SHA-256 {found[:12]}..., expected "
            f"{wanted[:12]}...). Name the one it started from with train.init_checkpoint=<file>."
        )


def _check_complete(report: LoadReport, path: str) -> None:
    """A teacher is no teacher with random weights."""
    other = next((one for one in report.reinitialised if "class_embed" in one.name), None)
    if other is not None:
        raise UserError(
            f"{_SWITCH}: the class heads of {path} are made for another number ({other}). Set num_classes of the host "
            f"to that of the file, hosts.<name>.num_classes, or set {_SWITCH}=null."
        )
    absent = [*(one.name for one in report.reinitialised), *report.missing]
    if absent:
        raise UserError(
            f"{_SWITCH} expects all weights of the host in {path}, heads included. It lacks {folded(absent)}. Start "
            f"from a detector with this host, or set {_SWITCH}=null."
        )
