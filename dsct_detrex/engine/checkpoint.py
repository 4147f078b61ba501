"""``last.pth``: everything a run needs to continue as if it had never stopped.

One file of tensors and plain values, readable with ``weights_only=True``. The version it replaces stays as
``last.prev.pth``, so that a file broken by the machine costs one period, not the run.

Keys: ``format``, ``iteration``, ``max_iter``, ``evaluated_at``, ``model`` (state dict), ``optimizer``,
``optimizer_names`` (of its weights, by group), ``scaler``, ``ema`` (or None), ``best``, ``rng``, ``loader`` and
``losses`` (since the last log; lists with one entry per process), ``wandb_run_id``, ``config`` (resolved, plain
values), ``seconds`` of training, ``measured`` (numbers of the latest evaluation), ``teacher`` (SHA-256 of the file that
teaches contexts, or None). Files of before ``optimizer_names``, ``losses``, ``config``, ``seconds``, ``measured`` and
``teacher`` are read, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from dsct_detrex.engine import ddp, resuming
from dsct_detrex.engine.best import BestTracker
from dsct_detrex.engine.contracts import Resumable
from dsct_detrex.engine.ema import WeightAverage
from dsct_detrex.engine.files import write_atomically
from dsct_detrex.engine.history import History
from dsct_detrex.engine.optimizer_state import names_of, restore_state
from dsct_detrex.engine.rng import rng_state, set_rng_state
from dsct_detrex.errors import UserError, reason_of
from dsct_detrex.weights.training_checkpoint import FORMAT, check_entries

_NAMES_SHOWN = 4


@dataclass
class RunState:
    """The parts of a run that change while it trains.

    ``evaluated_at`` is the iteration of the last finished evaluation, so that one cut short is made up for; ``config``
    is what the run is described by, resolved, as plain values. ``seconds`` is how long it has trained, evaluations
    included, ``measured`` what the latest evaluation gave. ``teacher`` is the SHA-256 of the file of ``teaching``,
    ``history`` has the losses of which the next log is the mean.
    """

    model: nn.Module
    optimizer: Optimizer
    scaler: torch.amp.GradScaler
    ema: WeightAverage | None
    best: BestTracker
    loader: Any
    iteration: int = 0
    evaluated_at: int = 0
    wandb_run_id: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    measured: dict[str, float] = field(default_factory=dict)
    teacher: str | None = None
    history: History = field(default_factory=History)


def last_path(output_dir: Path) -> Path:
    return output_dir / "last.pth"


def previous_path(output_dir: Path) -> Path:
    return output_dir / "last.prev.pth"


def save_last(state: RunState, output_dir: Path, max_iter: int) -> Path:
    """Write ``last.pth``; all ranks take part, rank 0 writes.

    Raises:
        UserError: it could not be written; the old file is intact.
    """
    position = state.loader.state_dict() if isinstance(state.loader, Resumable) else None
    rng, positions, losses = ddp.gather(rng_state()), ddp.gather(position), ddp.gather(state.history.state_dict())
    path = last_path(output_dir)
    failure: str | None = None
    if ddp.is_main():
        content = {
            "format": FORMAT,
            "iteration": state.iteration,
            "max_iter": max_iter,
            "evaluated_at": state.evaluated_at,
            "model": state.model.state_dict(),
            "optimizer": state.optimizer.state_dict(),
            "optimizer_names": names_of(state.optimizer, state.model),
            "scaler": state.scaler.state_dict(),
            "ema": None if state.ema is None else state.ema.state_dict(),
            "best": state.best.state_dict(),
            "rng": rng,
            "loader": positions,
            "losses": losses,
            "wandb_run_id": state.wandb_run_id,
            "config": state.config,
            "seconds": state.seconds,
            "measured": state.measured,
            "teacher": state.teacher,
        }
        try:
            write_atomically(path, lambda unfinished: torch.save(content, unfinished), previous_path(output_dir))
        except UserError as error:
            failure = str(error)
    failure = ddp.from_main(failure)  # every rank stops, none waits for the others
    if failure is not None:
        raise UserError(failure)
    return path


def read_last(output_dir: Path) -> dict[str, Any]:
    """Read ``last.pth`` onto the CPU.

    Raises:
        UserError: there is none, or it cannot be read; the message says what to do.
    """
    path, previous = last_path(output_dir), previous_path(output_dir)
    remedy = f"Rename {previous} to {path.name} to continue from the checkpoint before it." if previous.exists() else ""
    if not path.exists():
        raise UserError(
            f"--resume expects {path}, which does not exist. "
            + (remedy or "Start without --resume, or set train.output_dir to the run's folder.")
        )
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        if content["format"] != FORMAT:
            raise UserError(f"--resume expects a checkpoint of format {FORMAT}. {path} has {content['format']!r}.")
        check_entries(content, path)
    except UserError:
        raise
    except Exception as error:  # bytes cut or flipped anywhere make torch and pickle raise nearly anything
        reason = reason_of(error)
        remedy = remedy or "Start without --resume, from train.init_checkpoint if you have one."
        raise UserError(
            f"--resume cannot read {path}: it is damaged or no checkpoint of ours ({reason}). {remedy}"
        ) from error
    return content


def restore(state: RunState, content: dict[str, Any], path: Path) -> list[str]:
    """Put a checkpoint's content into the parts of this run, random states last. Settings stay those of this run.

    Returns:
        What changed, and what could not be continued exactly, as sentences for the user; empty when nothing did.

    Raises:
        UserError: it is the checkpoint of another model or optimizer, or a setting cannot change within a run.
    """
    saved = content.get("config", {})
    changed = resuming.changes(saved, state.config) if saved and state.config else {}
    resuming.refuse(changed, state.config, path)
    check_same_model(state.model, content["model"], path, resuming.hint(changed))
    state.model.load_state_dict(content["model"])
    told = [*resuming.notes(changed, content["iteration"]), *_restore_optimizer(state, content, path)]
    if content["scaler"]:  # empty if the run needed none
        state.scaler.load_state_dict(content["scaler"])
    state.best.load_state_dict(content["best"])
    state.iteration = content["iteration"]
    state.evaluated_at = content["evaluated_at"]
    state.wandb_run_id = content["wandb_run_id"]
    state.seconds, state.measured = content.get("seconds", 0.0), content.get("measured", {})
    return told + _restore_ema(state, content["ema"]) + _restore_position(state, content)


def _restore_optimizer(state: RunState, content: dict[str, Any], path: Path) -> list[str]:
    try:
        fresh = restore_state(state.optimizer, state.model, content["optimizer"], content.get("optimizer_names"))
    except ValueError as error:
        raise UserError(
            f"--resume: the optimizer of {path} has other parameter groups than optimizer in this config ({error}). "
            "Use the config of that run, its output_dir/config.yaml."
        ) from error
    return (
        [f"These weights did not train before and start without momentum: {_named('', fresh).strip()}"] if fresh else []
    )


def check_same_model(model: nn.Module, weights: dict[str, torch.Tensor], path: Path, hint: str = "") -> None:
    """Raise a ``UserError`` that names the differing weights unless names and shapes agree.

    Args:
        hint: a further sentence about the likely reason, with a space in front.
    """
    own = model.state_dict()
    problems = [
        _named("missing there", [name for name in own if name not in weights]),
        _named("unknown here", [name for name in weights if name not in own]),
        _named("of another shape", [n for n in own if n in weights and own[n].shape != weights[n].shape]),
    ]
    if any(problems):
        raise UserError(
            f"--resume: {path} is the checkpoint of another model: {'; '.join(filter(None, problems))}.{hint} "
            "Use the config of that run, or start without --resume and with train.init_checkpoint, which takes what "
            "fits."
        )


def _named(what: str, names: list[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return f"{', '.join(names[:_NAMES_SHOWN])}{more} {what}" if names else ""


def _restore_ema(state: RunState, average: dict[str, torch.Tensor] | None) -> list[str]:
    if state.ema is None:
        return []
    if average is None:
        state.ema.load_state_dict(state.model.state_dict())
        return ["The checkpoint has no weight average (train.model_ema was off): it starts from the weights now."]
    state.ema.load_state_dict(average)
    return []


def _restore_position(state: RunState, content: dict[str, Any]) -> list[str]:
    """The loader's position and the random states of this process."""
    rank, written_by = ddp.rank(), len(content["rng"])
    same = written_by == ddp.world_size()
    shared = getattr(state.loader, "position_of_all", False)
    position = content["loader"][rank if same else 0] if same or shared else None
    placed = isinstance(state.loader, Resumable) and position is not None
    if placed:
        state.loader.load_state_dict(position)
    if same:
        if "losses" in content:
            state.history.load_state_dict(content["losses"][rank])
        set_rng_state(content["rng"][rank])
        return [] if placed else ["The training loader keeps no position: the data order starts afresh."]
    afresh = "random numbers start afresh" if placed else "data order and random numbers start afresh"
    return [f"The checkpoint was written by {written_by} process(es) and this run has {ddp.world_size()}: {afresh}."]
