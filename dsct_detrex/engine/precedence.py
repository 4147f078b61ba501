"""Which keys rule over which: a key of the first column counts for nothing while the condition beside it holds.

One table, read from top to bottom; the first line that fits a key is the one that is told. ``unused.py`` compares it
with what a user gave. What no line can say, that a key is not reached by anything that is built, it finds out itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dsct_detrex.config import locate
from dsct_detrex.config.building import instantiate
from dsct_detrex.engine import ddp
from dsct_detrex.errors import UserError
from dsct_detrex.structures import Emotions, MultiClassEmotions

ABSENT = "<absent>"


class View:
    """A composed config and how its command was given, as conditions look at them.

    Args:
        alone: one process trains.
    """

    def __init__(self, cfg: DictConfig, eval_only: bool = False, alone: bool = True) -> None:
        self.cfg = cfg
        self.eval_only = eval_only
        self.alone = alone and not ddp.under_torchrun()

    def __getitem__(self, key: str) -> Any:
        """The value of a key; ``ABSENT`` where there is none."""
        try:
            value = OmegaConf.select(self.cfg, key, default=ABSENT)
        except OmegaConfBaseException:
            return ABSENT
        return OmegaConf.to_container(value) if OmegaConf.is_list(value) else value

    @property
    def emotions(self) -> Emotions | None:
        """The label set; None in a config that knows of no emotions."""
        return instantiate(self.cfg.emotions) if self.cfg.get("emotions") is not None else None

    def off(self, key: str) -> bool:
        """Whether a switch is there and off: false, null, zero or an empty list."""
        return self[key] != ABSENT and not self[key]

    def on(self, key: str) -> bool:
        return self[key] != ABSENT and bool(self[key])

    def target(self, key: str) -> Any:
        """What a block calls; None where there is no such block or nothing of that name."""
        target = self[f"{key}._target_"]
        try:
            return locate(target) if isinstance(target, str) and target != ABSENT else target
        except UserError:
            return None


@dataclass(frozen=True)
class Rule:
    """One line of the table.

    Attributes:
        keys: keys, each with all that is below it; ``*`` is any one name.
        silent: when they count for nothing.
        ruler: the key that rules then, whose value is told with it; or a few words.
        remedy: how to make them count.
        note: they may be right all the same, because the same words also serve another way of running: say so only.
    """

    keys: tuple[str, ...]
    silent: Callable[[View], bool]
    ruler: str
    remedy: str
    note: bool = False

    def covers(self, key: str) -> bool:
        return any(_below(key.split("."), pattern.split(".")) for pattern in self.keys)


def _below(parts: list[str], pattern: list[str]) -> bool:
    return len(parts) >= len(pattern) and all(want in ("*", part) for part, want in zip(parts, pattern))


def _cpu_only(view: View) -> bool:
    return view["train.device"] in ("cpu", "mps") or not torch.cuda.is_available()


def _evaluates_once(view: View) -> bool:
    key = "train.eval_period" if view["train.max_epoch"] in (None, ABSENT) else "train.eval_epochs"
    return isinstance(view[key], int | float) and view[key] <= 0


def _off(key: str) -> Callable[[View], bool]:
    return lambda view: view.off(key)


def _no_list(view: View) -> bool:
    return view.off("model.aggregation.k_spatial") and view.off("model.aggregation.k_semantic")


def _spared_by_fusion(view: View, key: str) -> bool:
    """Whether the chosen fusion makes nothing of a key, as the class of ``model.aggregation`` tells."""
    given, reads = view["model.aggregation"], getattr(view.target("model.aggregation"), "reads", None)
    return isinstance(given, DictConfig) and reads is not None and key not in reads(given)


def _crop_rules(split: str) -> Rule:
    transforms = f"dataloader.{split}.mapper.transforms"
    return Rule(
        (f"{transforms}.crop_scales", f"{transforms}.crop_min", f"{transforms}.crop_max"),
        lambda view: view.off(f"{transforms}.crop_probability"),
        f"{transforms}.crop_probability",
        "give it a share above 0",
    )


def _host_keys(*names: str) -> tuple[str, ...]:
    return tuple(f"{host}.{name}" for host in ("hosts.*", "model.host") for name in names)


def _of_the_host(names: tuple[str, ...], remedy: str) -> Rule:
    """What a host's own training or inference reads, and DSCT does not."""
    return Rule(_host_keys(*names), lambda view: "DSCT" in str(view["model._target_"]), "model (DSCT)", remedy)


def _network_off(view: View, name: str) -> bool:
    return view["model.modalities.use"] != ABSENT and name not in (view["model.modalities.use"] or [])


_FUSION = ("model.aggregation", "model.fusion_layers", "model.placement", "model.distance_frame")
_COUNT_EPOCHS = (
    "add train.max_epoch=null (train.max_iter, train.eval_period and train.checkpointer.period count then), or give "
    "--epochs"
)
_COUNT_ITERATIONS = "set train.max_epoch or give --epochs, or use train.eval_period and train.checkpointer.period"

TABLE: tuple[Rule, ...] = (
    # How long, and when
    Rule(
        ("train.max_iter", "train.eval_period", "train.checkpointer.period"),
        lambda view: view["train.max_epoch"] not in (None, ABSENT),
        "train.max_epoch",
        _COUNT_EPOCHS,
    ),
    Rule(
        ("train.eval_epochs", "train.checkpoint_epochs"),
        lambda view: view["train.max_epoch"] in (None, ABSENT),
        "train.max_epoch",
        _COUNT_ITERATIONS,
    ),
    Rule(
        ("train.early_stop.patience",),
        lambda view: _evaluates_once(view) and view.on("train.early_stop.patience"),
        "the only evaluation, after the last iteration,",
        "give train.eval_epochs (with train.max_epoch=null: train.eval_period) a positive number",
    ),
    Rule(
        ("train.best", "train.early_stop"),
        lambda view: view.off("dataloader.test") or view.off("dataloader.evaluator"),
        "the lack of dataloader.test or dataloader.evaluator",
        "evaluate something",
    ),
    # Blocks that are off
    Rule(
        ("train.compile.backend", "train.compile.mode", "train.compile.regions"),
        _off("train.compile.enabled"),
        "train.compile.enabled",
        "add train.compile.enabled=True",
    ),
    Rule(("train.amp.dtype",), _off("train.amp.enabled"), "train.amp.enabled", "add train.amp.enabled=True or --amp"),
    Rule(
        ("train.clip_grad.params",),
        _off("train.clip_grad.enabled"),
        "train.clip_grad.enabled",
        "add train.clip_grad.enabled=True",
    ),
    Rule(
        ("train.model_ema.decay", "train.model_ema.device"),
        _off("train.model_ema.enabled"),
        "train.model_ema.enabled",
        "add train.model_ema.enabled=True",
    ),
    Rule(
        ("train.wandb.params", "train.wandb.num_pictures"),
        _off("train.wandb.enabled"),
        "train.wandb.enabled",
        "add --wandb or train.wandb.enabled=True",
    ),
    Rule(
        ("train.report.pictures",),
        _off("train.report.enabled"),
        "train.report.enabled",
        "set train.report.enabled=True",
    ),
    Rule(
        ("train.fast_dev_run.overrides",),
        _off("train.fast_dev_run.enabled"),
        "train.fast_dev_run.enabled",
        "add train.fast_dev_run.enabled=True",
    ),
    Rule(
        ("train.thresholds",),
        lambda view: isinstance(view.emotions, MultiClassEmotions),
        "the kind of emotions, one a person,",
        "each has the likeliest one, without a threshold",
    ),
    # Where and with whom it runs
    Rule(
        ("train.ddp",),
        lambda view: view.alone,
        "a single process",
        "it counts for several (--num-gpus, torchrun)",
        True,
    ),
    Rule(("train.cudnn_benchmark",), _cpu_only, "the CPU", "it counts on a GPU", True),
    Rule(
        ("train.model_ema.use_ema_weights_for_eval_only",),
        lambda view: not view.eval_only,
        "training",
        "it counts with --eval-only",
        True,
    ),
    Rule(
        ("model.device",),
        lambda view: view["train.device"] not in (ABSENT, view["model.device"]),
        "train.device",
        "the model goes where training goes; set train.device (--device)",
    ),
    # Optimizer and schedule
    Rule(
        ("optimizer.lr",),
        lambda view: view["optimizer.params.base_lr"] not in (None, ABSENT, view["optimizer.lr"]),
        "optimizer.params.base_lr",
        "set that one",
    ),
    Rule(
        ("optimizer.weight_decay",),
        lambda view: view["optimizer.params.weight_decay"] not in (None, ABSENT, view["optimizer.weight_decay"]),
        "optimizer.params.weight_decay",
        "set that one",
    ),
    Rule(
        ("lr_multiplier.warmup_factor", "lr_multiplier.warmup_method", "lr_multiplier.rescale_interval"),
        _off("lr_multiplier.warmup_length"),
        "lr_multiplier.warmup_length",
        "give the warm-up a share of training above 0",
    ),
    # Fusion
    Rule(
        _FUSION,
        lambda view: view.off("model.use_contexts") and view["model.aggregation"] is not None,
        "model.use_contexts",
        "without contexts nothing fuses",
    ),
    Rule(
        ("model.contexts_see_subjects",),
        _off("model.use_contexts"),
        "model.use_contexts",
        "there are no contexts to see anybody",
    ),
    Rule(
        _FUSION[1:],
        lambda view: view["model.aggregation"] is None,
        "model.aggregation",
        "without aggregation nothing fuses",
    ),
    Rule(
        ("model.aggregation", "model.placement", "model.distance_frame"),
        lambda view: view["model.fusion_layers"] == [],
        "model.fusion_layers",
        "let some layer fuse; null are all",
    ),
    Rule(
        ("model.aggregation.semantic_order",),
        _off("model.aggregation.k_semantic"),
        "model.aggregation.k_semantic",
        "choose at least one context by meaning",
    ),
    Rule(
        ("model.aggregation.reweighting",),
        _no_list,
        "model.aggregation.k_spatial=0 and model.aggregation.k_semantic=0",
        "choose at least one context",
    ),
    Rule(
        ("model.context_detection",),
        _off("model.use_contexts"),
        "model.use_contexts",
        "without contexts nothing recognises things",
    ),
    Rule(
        tuple(f"model.context_detection.{name}" for name in ("classes", "criterion", "weight")),
        lambda view: view.off("data.objects") and view.off("model.context_detection.teacher_threshold"),
        "data.objects",
        "annotate things (data.objects) or let the start detect them (model.context_detection.teacher_threshold=0.3)",
    ),
    Rule(("data.object_classes",), _off("data.objects"), "data.objects", "annotate things (data.objects)"),
    Rule(
        ("model.aggregation.reweighting", "model.aggregation.scale_products", "model.aggregation.project"),
        lambda view: _spared_by_fusion(view, "reweighting"),
        "model.aggregation.formula",
        "its heads have scaled products and an output projection of their own",
    ),
    Rule(
        ("model.aggregation.num_heads",),
        lambda view: _spared_by_fusion(view, "num_heads"),
        "model.aggregation.formula",
        "only one such as `multi_head` has heads",
    ),
    Rule(
        ("model.aggregation.scale_products",),
        lambda view: _spared_by_fusion(view, "scale_products"),
        "model.aggregation.reweighting",
        "no softmax runs over dot products",
    ),
    Rule(
        ("model.aggregation.embed_dim",),
        lambda view: _spared_by_fusion(view, "embed_dim"),
        "model.aggregation.reweighting",
        "only a learned one, such as `attentive`, a projection (project=True) and heads have weights of a width",
    ),
    Rule(
        ("model.distance_frame",),
        lambda view: view.off("model.aggregation.k_spatial") and _spared_by_fusion(view, "distance_frame"),
        "model.aggregation.k_spatial",
        "nothing is chosen by distance",
    ),
    # A control runs with the words of what it controls and one more, so these are no mistakes.
    Rule(
        (
            *(f"model.aggregation.{name}" for name in ("semantic_order", "reweighting", "scale_products", "num_heads")),
            "model.distance_frame",
        ),
        lambda view: view["model.aggregation.gather"] == "self",
        "model.aggregation.gather",
        "the control gathers nothing from anybody",
        note=True,
    ),
    # Of the host, what only its own training and inference would read
    _of_the_host(("criterion", "aux_loss"), "DSCT trains its subjects: set model.criterion"),
    _of_the_host(("device",), "the host goes where training goes; set train.device (--device)"),
    _of_the_host(
        ("dn_number", "denoising_groups", "label_noise_ratio", "label_noise_prob", "box_noise_scale"),
        "denoising belongs to the subjects: set model.denoising, or subject_training.<host>.denoising",
    ),
    _of_the_host(
        ("k_one2many", "lambda_one2many"),
        "further queries belong to the subjects: set model.one_to_many, or subject_training.<host>.one_to_many",
    ),
    _of_the_host(("pixel_mean", "pixel_std"), "DSCT normalises the pictures: set model.pixel_mean and model.pixel_std"),
    _of_the_host(
        ("select_box_nums_for_evaluation", "transformer.decoder.return_intermediate", "input_format", "vis_period"),
        "only the host's own inference reads it, which never runs",
    ),
    _of_the_host(("transformer.decoder.use_checkpoint",), "set model.activation_checkpointing"),
    Rule(
        _host_keys("transformer.two_stage_num_proposals", "transformer.mixed_selection", "mixed_selection"),
        _off("model.host.as_two_stage"),
        "model.host.as_two_stage",
        "a host with one stage proposes nothing",
    ),
    Rule(
        _host_keys(*(f"position_embedding.{name}" for name in ("scale", "offset", "eps"))),
        _off("model.host.position_embedding.normalize"),
        "model.host.position_embedding.normalize",
        "only normalised positions have it",
    ),
    # Data
    _crop_rules("train"),
    _crop_rules("test"),
)


def modality_rule(view: View, key: str) -> Rule | None:
    """The line of a frozen network that is not in use: ``model.modalities.<name>``."""
    parts = key.split(".")
    if parts[:2] != ["model", "modalities"] or len(parts) < 3 or parts[2] == "use":
        return None
    name = parts[2]
    unused = view.off("model.modalities.use") if name == "embed_dim" else _network_off(view, name)
    remedy = "use a network" if name == "embed_dim" else f"add it, as in model.modalities.use=[{name}]"
    return Rule((f"model.modalities.{name}",), lambda _: True, "model.modalities.use", remedy) if unused else None


def rule_for(view: View, key: str) -> Rule | None:
    """The line that silences a key in this config, or None."""
    fitting = (rule for rule in TABLE if rule.covers(key) and rule.silent(view))
    return next(fitting, None) or modality_rule(view, key)
