"""The ``train`` block of a config as typed values: every key the engine reads, with its default.

The keys and defaults are those detrex users know (``configs/common/train.py`` of detrex), followed by ours; a block
written for detrex therefore runs unchanged. Keys this file does not name are left to whoever put them there.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from dsct_detrex.errors import UserError

T = TypeVar("T")


@dataclass(frozen=True)
class Amp:
    enabled: bool = False
    dtype: str = "bfloat16"


@dataclass(frozen=True)
class Ddp:
    broadcast_buffers: bool = False
    find_unused_parameters: bool = False
    fp16_compression: bool = False


@dataclass(frozen=True)
class ClipGrad:
    """``params`` goes to ``torch.nn.utils.clip_grad_norm_``: ``max_norm`` and ``norm_type``."""

    enabled: bool = False
    params: dict[str, Any] = field(default_factory=lambda: {"max_norm": 0.1, "norm_type": 2})


@dataclass(frozen=True)
class FastDevRun:
    """``overrides`` are ``key=value`` strings that make the run still smaller, e.g. small images."""

    enabled: bool = False
    overrides: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Checkpoints:
    """``period`` in iterations; ``max_to_keep`` counts the numbered releases beside ``last`` and ``best``."""

    period: int = 5000
    max_to_keep: int = 100


@dataclass(frozen=True)
class Wandb:
    """``params`` goes to ``wandb.init``; ``num_pictures`` images of each evaluation go into its table."""

    enabled: bool = False
    params: dict[str, Any] = field(default_factory=dict)
    num_pictures: int = 8


@dataclass(frozen=True)
class Tensorboard:
    enabled: bool = False


@dataclass(frozen=True)
class ModelEma:
    """An empty ``device`` keeps the average where the model is."""

    enabled: bool = False
    decay: float = 0.999
    device: str = ""
    use_ema_weights_for_eval_only: bool = False


@dataclass(frozen=True)
class BestRule:
    """Which number of an evaluation decides the best checkpoint; ``mode`` is ``max`` or ``min``.

    ``metric`` null (or ``auto``) is the data set's own: ``emotion/mAP`` for several emotions a person, else
    ``emotion/acc``.
    """

    metric: str | None = None
    mode: str = "max"


@dataclass(frozen=True)
class EarlyStop:
    """``patience``: evaluations in a row without a new best after which training ends; null never ends it."""

    patience: int | None = None


@dataclass(frozen=True)
class TrainSettings:
    """``max_epoch`` (null: unused) replaces ``max_iter`` and both periods; ``eval_epochs`` and ``checkpoint_epochs``
    are those periods then, in epochs. ``accumulate`` batches make one iteration, that is one optimizer step.
    """

    output_dir: str = "./output"
    init_checkpoint: str | None = ""
    max_iter: int = 90000
    max_epoch: float | None = None
    eval_period: int = 5000
    eval_epochs: float = 1.0
    checkpoint_epochs: float = 1.0
    log_period: int = 20
    accumulate: int = 1
    seed: int = -1
    device: str = "auto"
    thresholds: Any = None
    cudnn_benchmark: bool = False
    float32_precision: str = ""
    amp: Amp = field(default_factory=Amp)
    ddp: Ddp = field(default_factory=Ddp)
    clip_grad: ClipGrad = field(default_factory=ClipGrad)
    fast_dev_run: FastDevRun = field(default_factory=FastDevRun)
    checkpointer: Checkpoints = field(default_factory=Checkpoints)
    wandb: Wandb = field(default_factory=Wandb)
    tensorboard: Tensorboard = field(default_factory=Tensorboard)
    model_ema: ModelEma = field(default_factory=ModelEma)
    best: BestRule = field(default_factory=BestRule)
    early_stop: EarlyStop = field(default_factory=EarlyStop)

    @classmethod
    def read(cls, block: Mapping[str, Any]) -> TrainSettings:
        """Read a resolved ``train`` block (plain dicts, lists and numbers).

        Raises:
            UserError: a value of the wrong type or outside its range; the message names the key.
        """
        settings = _read(cls, block, "train")
        _one_of("train.amp.dtype", settings.amp.dtype, ("bfloat16", "float16"))
        _one_of("train.best.mode", settings.best.mode, ("max", "min"))
        for key in ("max_iter", "log_period", "accumulate"):
            if getattr(settings, key) < 1:
                raise UserError(f"train.{key} expects a number of at least 1. Got {getattr(settings, key)}.")
        if settings.max_epoch is not None and settings.max_epoch <= 0:
            raise UserError(f"train.max_epoch expects a positive number of epochs or null. Got {settings.max_epoch}.")
        if not 0 <= settings.model_ema.decay < 1:
            raise UserError(f"train.model_ema.decay expects a number in [0, 1). Got {settings.model_ema.decay}.")
        return settings


def _read(kind: type[T], block: Mapping[str, Any], where: str) -> T:
    assert dataclasses.is_dataclass(kind)
    hints = get_type_hints(kind)
    values = {key: _value(hint, block[key], f"{where}.{key}") for key, hint in hints.items() if key in block}
    return kind(**values)


def _value(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, Mapping):
            raise UserError(f"{where} expects a block of keys. Got {value!r}.")
        return _read(hint, value, where)
    if hint is Any:
        return value
    allowed = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    plain = tuple(get_origin(one) or one for one in allowed)
    if isinstance(value, bool):
        fits = bool in plain
    else:
        fits = isinstance(value, plain) or (isinstance(value, int) and float in plain)
    if not fits:
        expected = " or ".join("null" if one is types.NoneType else one.__name__ for one in plain)
        raise UserError(f"{where} expects {expected}. Got {value!r}.")
    return value


def _one_of(where: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UserError(f"{where} expects one of {', '.join(known)}. Got {value!r}.")
