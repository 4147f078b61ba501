"""The ``train`` block of a config as typed values: every key the engine reads, with its default.

The keys and defaults are those detrex users know (``configs/common/train.py`` of detrex), followed by ours; a block
written for detrex therefore runs unchanged. Keys this file does not name are left to whoever put them there.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Literal, TypeVar, get_type_hints

from dsct_detrex.config.hints import fits, spoken_hint
from dsct_detrex.errors import UserError
from dsct_detrex.paths import expanded, own_project_file
from dsct_detrex.rewrites import chosen
from dsct_detrex.suggestions import did_you_mean

T = TypeVar("T")


@dataclass(frozen=True)
class Amp:
    """Mixed precision.

    Attributes:
        enabled: on or off (``--amp``), or ``auto``: on where the machine multiplies in this type itself.
        dtype: ``bfloat16``, or ``float16`` with a gradient scaler.
    """

    enabled: bool | Literal["auto"] = False
    dtype: str = "bfloat16"


@dataclass(frozen=True)
class Compile:
    """Parts of the model through ``torch.compile``; the first steps, which compile, take minutes.

    Attributes:
        enabled: on or off.
        backend: of ``torch.compile``: ``inductor``, or ``aot_eager`` and ``eager``, which only trace.
        mode: of ``inductor``: ``default``, ``reduce-overhead``, ``max-autotune``; empty leaves it to torch.
        regions: dotted names of the modules that are compiled, each as one graph; ``*`` stands for any text.
    """

    enabled: bool = False
    backend: str = "inductor"
    mode: str = ""
    regions: list[str] = field(
        default_factory=lambda: ["host.backbone", "*.ffns.*", "decoder.layers.*.aggregation", "heads.*"]
    )


@dataclass(frozen=True)
class Ddp:
    """What several processes hand to ``DistributedDataParallel``.

    Attributes:
        broadcast_buffers: send buffers of the main process to all others at every step.
        find_unused_parameters: bear parameters that a step gives no gradient.
        fp16_compression: exchange gradients in half precision.
    """

    broadcast_buffers: bool = False
    find_unused_parameters: bool = False
    fp16_compression: bool = False


@dataclass(frozen=True)
class ClipGrad:
    """Limit of the gradient's norm.

    Attributes:
        enabled: on or off.
        params: goes to ``torch.nn.utils.clip_grad_norm_``: ``max_norm`` and ``norm_type``.
    """

    enabled: bool = False
    params: dict[str, Any] = field(default_factory=lambda: {"max_norm": 0.1, "norm_type": 2})


@dataclass(frozen=True)
class FastDevRun:
    """A run of four steps and a small evaluation, to see that all works.

    Attributes:
        enabled: on or off.
        overrides: ``key=value`` strings that make the run still smaller, e.g. small images.
    """

    enabled: bool = False
    overrides: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Checkpoints:
    """Files that a run leaves on its way.

    Attributes:
        period: iterations between two checkpoints.
        max_to_keep: numbered releases that are kept beside ``last`` and ``best``.
    """

    period: int = 5000
    max_to_keep: int = 100


@dataclass(frozen=True)
class Wandb:
    """Weights & Biases.

    Attributes:
        enabled: on or off (``--wandb``).
        params: goes to ``wandb.init``; null leaves a key to W&B's environment variables.
        num_pictures: images of each evaluation that go into its table.
    """

    enabled: bool = False
    params: dict[str, Any] = field(default_factory=dict)
    num_pictures: int = 8


@dataclass(frozen=True)
class Report:
    """``report.html`` at the end of a training or an evaluation.

    Attributes:
        enabled: on or off.
        pictures: how many of the best and of the worst pictures it shows.
    """

    enabled: bool = True
    pictures: int = 6


@dataclass(frozen=True)
class Tensorboard:
    """TensorBoard.

    Attributes:
        enabled: on or off.
    """

    enabled: bool = False


@dataclass(frozen=True)
class ModelEma:
    """Exponential moving average of the weights.

    Attributes:
        enabled: on or off.
        decay: share of the old average that a step keeps, in [0, 1).
        device: where the average lies; empty is where the model is.
        use_ema_weights_for_eval_only: with ``--eval-only``, evaluate the average that a checkpoint holds.
    """

    enabled: bool = False
    decay: float = 0.999
    device: str = ""
    use_ema_weights_for_eval_only: bool = False


@dataclass(frozen=True)
class BestRule:
    """Which number of an evaluation decides the best checkpoint.

    Attributes:
        metric: its name; null (or ``auto``) is the data set's own: ``emotion/mAP`` for several emotions a person, else
            ``emotion/acc``.
        mode: ``max`` or ``min``.
    """

    metric: str | None = None
    mode: str = "max"


@dataclass(frozen=True)
class EarlyStop:
    """An end before the last iteration.

    Attributes:
        patience: evaluations in a row without a new best after which training ends; null never ends it.
    """

    patience: int | None = None


@dataclass(frozen=True)
class TrainSettings:
    """The whole block; an iteration is an optimizer step.

    Attributes:
        output_dir: the folder of the run.
        init_checkpoint: weights to start from, of any kind that ``weights`` reads; empty or null are none. What lies in
            ``projects/`` of this project is found there from any working directory.
        max_iter: length in iterations, where ``max_epoch`` is null.
        max_epoch: length in epochs (``--epochs``); null counts ``max_iter``, ``eval_period`` and
            ``checkpointer.period``.
        eval_period: iterations between two evaluations; 0 evaluates after the last one only.
        eval_epochs: the same in epochs, where ``max_epoch`` counts.
        checkpoint_epochs: epochs between two checkpoints, where ``max_epoch`` counts.
        log_period: iterations between two lines of the logs.
        accumulate: batches whose gradients make one iteration.
        rewrites: exact rewrites that make the model faster: ``all``, ``none``, or a list of names, see ``rewrites``.
        seed: of weights, order and augmentation; -1 draws one.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps`` (``--device``).
        thresholds: probability from which an emotion counts as present, where the evaluation chooses none: one number
            in [0, 1], one for each emotion, or a mapping from names; null is 0.5.
        cudnn_benchmark: let cuDNN try its algorithms first, for pictures of one size.
        float32_precision: of matrix products: ``highest``, ``high`` or ``medium``; empty leaves it as torch has it.
        amp: mixed precision.
        compile: parts of the model through ``torch.compile``.
        ddp: several processes.
        clip_grad: limit of the gradient's norm.
        fast_dev_run: a run of four steps.
        checkpointer: files on the way.
        wandb: Weights & Biases.
        tensorboard: TensorBoard.
        model_ema: moving average of the weights.
        best: what the best checkpoint is best in.
        early_stop: an end before the last iteration.
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
    rewrites: str | list[str] = "all"
    seed: int = -1
    device: str = "auto"
    thresholds: Any = None
    cudnn_benchmark: bool = False
    float32_precision: str = ""
    amp: Amp = field(default_factory=Amp)
    compile: Compile = field(default_factory=Compile)
    ddp: Ddp = field(default_factory=Ddp)
    clip_grad: ClipGrad = field(default_factory=ClipGrad)
    fast_dev_run: FastDevRun = field(default_factory=FastDevRun)
    checkpointer: Checkpoints = field(default_factory=Checkpoints)
    wandb: Wandb = field(default_factory=Wandb)
    tensorboard: Tensorboard = field(default_factory=Tensorboard)
    report: Report = field(default_factory=Report)
    model_ema: ModelEma = field(default_factory=ModelEma)
    best: BestRule = field(default_factory=BestRule)
    early_stop: EarlyStop = field(default_factory=EarlyStop)

    @classmethod
    def read(cls, block: Mapping[str, Any]) -> TrainSettings:
        """Read a resolved ``train`` block (plain dicts, lists and numbers); ``~`` in its paths is expanded.

        Raises:
            UserError: a value of the wrong type or outside its range; the message names the key.
        """
        settings = _value(cls, block, "train")
        assert isinstance(settings, cls)
        _one_of("train.amp.dtype", settings.amp.dtype, ("bfloat16", "float16"))
        _one_of("train.best.mode", settings.best.mode, ("max", "min"))
        _one_of("train.float32_precision", settings.float32_precision, ("", "highest", "high", "medium"))
        for key, least in _LEAST.items():
            _at_least(f"train.{key}", attrgetter(key)(settings), least)
        if settings.max_epoch is not None and settings.max_epoch <= 0:
            raise UserError(f"train.max_epoch expects a positive number of epochs or null. Got {settings.max_epoch}.")
        if not 0 <= settings.model_ema.decay < 1:
            raise UserError(f"train.model_ema.decay expects a number in [0, 1). Got {settings.model_ema.decay}.")
        chosen(settings.rewrites, "train.rewrites")
        _check_clipping(settings.clip_grad.params)
        _check_thresholds(settings.thresholds)
        checkpoint = settings.init_checkpoint
        return dataclasses.replace(
            settings,
            output_dir=expanded(settings.output_dir),
            init_checkpoint=checkpoint and own_project_file(expanded(checkpoint)),
        )


# Key -> the least number that means something.
_LEAST = {
    "max_iter": 1,
    "log_period": 1,
    "accumulate": 1,
    "seed": -1,
    "checkpointer.max_to_keep": 0,
    "wandb.num_pictures": 0,
    "report.pictures": 0,
    "early_stop.patience": 1,
}
_CLIPPING = {"max_norm": 0.0, "norm_type": 0.0}


def _read(kind: type[T], block: Mapping[str, Any], where: str) -> T:
    assert dataclasses.is_dataclass(kind)
    hints = get_type_hints(kind)
    values = {key: _value(hint, block[key], f"{where}.{key}") for key, hint in hints.items() if key in block}
    return kind(**values)


def _value(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, Mapping):
            raise UserError(f"{where} expects a block of keys. Got {_shown(value)}.")
        return _read(hint, value, where)
    if not fits(value, hint):
        raise UserError(f"{where} expects {spoken_hint(hint)}. Got {_shown(value)}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{where} expects a finite number. Got {value}.")
    return value


def _shown(value: Any) -> str:
    return "null" if value is None else repr(value)


def _one_of(where: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        listed = ", ".join(name or "nothing" for name in known)
        raise UserError(f"{where} expects one of {listed}. Got {value!r}.{did_you_mean(value, known)}")


def _at_least(where: str, value: float | None, least: float) -> None:
    if value is not None and value < least:
        raise UserError(f"{where} expects a number of at least {least}. Got {value}.")


def _check_clipping(params: Mapping[str, Any]) -> None:
    """The keywords of ``clip_grad_norm_``, of which infinity is a norm like others."""
    for name, value in params.items():
        where = f"train.clip_grad.params.{name}"
        if name in ("error_if_nonfinite", "foreach"):
            continue
        if name not in _CLIPPING:
            raise UserError(f"{where} is unknown to torch.nn.utils.clip_grad_norm_.{did_you_mean(name, _CLIPPING)}")
        if not fits(value, float) or not value > _CLIPPING[name]:
            raise UserError(f"{where} expects a positive number. Got {_shown(value)}.")
    if "max_norm" not in params:
        raise UserError("train.clip_grad.params expects the key max_norm. It has none.")


def _check_thresholds(thresholds: Any) -> None:
    """Null, one number, a list of numbers, or a mapping from names to numbers, all in [0, 1]."""
    several = thresholds.values() if isinstance(thresholds, Mapping) else thresholds
    for value in several if isinstance(thresholds, Mapping | list) else [thresholds]:
        if not fits(value, float | None) or not 0 <= (value or 0) <= 1:
            raise UserError(f"train.thresholds expects numbers in [0, 1]. Got {_shown(value)}.")
