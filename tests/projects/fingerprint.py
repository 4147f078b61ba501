"""What a run would be, as plain values: two configs with equal fingerprints train and evaluate alike.

Built objects are taken apart: classes, plain attributes, shapes of weights and whether they train. Models are built on
the meta device; only where nothing differs there are the values of weights and buffers looked at, too.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from dsct_detrex.config import instantiate
from dsct_detrex.engine import build
from dsct_detrex.engine.plan import make_plan
from dsct_detrex.engine.settings import TrainSettings

BLOCKS = ("train", "model", "optimizer", "lr_multiplier", "dataloader.train", "dataloader.test", "dataloader.evaluator")


def resolved(cfg: DictConfig) -> dict[str, Any]:
    """The values of every block; equal ones build equal things."""
    blocks = {block: OmegaConf.to_container(OmegaConf.select(cfg, block), resolve=True) for block in BLOCKS}
    return blocks | {"emotions": OmegaConf.to_container(cfg.emotions, resolve=True)}


class Fingerprints:
    """Fingerprints of one config and of its neighbours; what a neighbour has in common is not built again."""

    def __init__(self, cfg: DictConfig) -> None:
        self.values = resolved(cfg)
        self.model = _meta_model(self.values["model"])
        self.parts = {block: self._part(cfg, block, self.model) for block in self.values}

    def differs(self, cfg: DictConfig) -> bool:
        """Whether a changed config is another run."""
        values = resolved(cfg)
        changed = [block for block in values if values[block] != self.values[block]]
        model = _meta_model(values["model"]) if "model" in changed else self.model
        if any(self._part(cfg, block, model) != self.parts[block] for block in changed):
            return True
        return "model" in changed and _weights(values["model"]) != self.weights

    @functools.cached_property
    def weights(self) -> Any:
        return _weights(self.values["model"])

    @staticmethod
    def _part(cfg: DictConfig, block: str, model: nn.Module) -> Any:
        if block == "train":
            return effective(build.read_settings(cfg))
        if block == "model":
            return describe(model)
        if block == "optimizer":
            optimizer = build.build_optimizer(cfg, model)
            groups = [{k: len(v) if k == "params" else v for k, v in g.items()} for g in optimizer.param_groups]
            return describe([type(optimizer), optimizer.defaults, groups])
        if block == "lr_multiplier":
            multiplier = build.build_multiplier(cfg)
            return [float(multiplier(step / 1000)) for step in range(1000)]
        if block == "emotions":
            return describe(build.build_emotions(cfg))
        return describe(build.build_loader(cfg, block.removeprefix("dataloader.")))


def effective(settings: TrainSettings) -> Any:
    """What the engine makes of the ``train`` block: what a switch turns off is not there."""
    switched = {
        name: getattr(settings, name) if getattr(settings, name).enabled else None
        for name in ("amp", "compile", "clip_grad", "fast_dev_run", "wandb", "tensorboard", "model_ema", "report")
    }
    always = (
        "output_dir",
        "init_checkpoint",
        "accumulate",
        "seed",
        "device",
        "thresholds",
        "float32_precision",
        "rewrites",
    )
    kept = {name: getattr(settings, name) for name in (*always, "best", "early_stop")}
    keep = settings.checkpointer.max_to_keep
    return describe([make_plan(settings, 128, 32), switched, kept, keep])


def describe(thing: Any, known: dict[int, tuple[int, Any]] | None = None) -> Any:
    """Anything as nested tuples of plain values; a second meeting with an object is its number."""
    known = {} if known is None else known
    if thing is None or isinstance(thing, (bool, int, float, str, bytes, torch.device, torch.dtype)):
        return thing
    if isinstance(thing, Tensor):
        values = None if thing.is_meta or thing.numel() > 64 else tuple(thing.flatten().tolist())
        return ("tensor", tuple(thing.shape), str(thing.dtype), thing.requires_grad, values)
    if isinstance(thing, np.ndarray):
        return ("array", thing.shape, thing.tobytes())
    if isinstance(thing, type) or (
        callable(thing) and hasattr(thing, "__qualname__") and not getattr(thing, "__dict__", None)
    ):
        return f"{thing.__module__}.{thing.__qualname__}"
    if id(thing) in known:
        return ("seen", known[id(thing)][0])
    known[id(thing)] = (len(known), thing)  # kept alive, so that its id stays its own
    if isinstance(thing, functools.partial):
        return ("partial", describe(thing.func, known), describe([thing.args, thing.keywords], known))
    if isinstance(thing, Mapping):
        return tuple((str(key), describe(value, known)) for key, value in thing.items())
    if isinstance(thing, (list, tuple, set, frozenset, range)) or OmegaConf.is_list(thing):
        return tuple(describe(value, known) for value in thing)
    if isinstance(thing, torch.Generator):
        return "generator"
    attributes = {name: getattr(thing, name) for name in getattr(thing, "__slots__", ()) if hasattr(thing, name)}
    attributes |= getattr(thing, "__dict__", {})
    return (type(thing).__qualname__, describe(attributes, known))


def _model(values: Mapping[str, Any], device: str) -> nn.Module:
    """Built from its resolved values alone, which is quicker than out of a whole config."""
    alone = OmegaConf.create({"model": dict(values)}, flags={"allow_objects": True})
    return build.build_model(alone, torch.device(device), "none")


def _meta_model(values: Mapping[str, Any]) -> nn.Module:
    host = values.get("host")
    if isinstance(host, Mapping) and "backbone" in host:
        values = {**values, "host": {**host, "backbone": _meta_backbone(host["backbone"])}}
    with torch.device("meta"):
        return _model({**values, "device": "meta"}, "meta")


_backbones: dict[str, nn.Module] = {}


def _meta_backbone(values: Any) -> nn.Module:
    """A backbone of one's own; equal ones are built once and copied."""
    key = repr(values)
    if key not in _backbones:
        with torch.device("meta"):
            _backbones[key] = instantiate(OmegaConf.create(values, flags={"allow_objects": True}))
    return copy.deepcopy(_backbones[key])


def _weights(values: Mapping[str, Any]) -> Any:
    """Sums of all weights and buffers of the model, drawn with one seed."""
    torch.manual_seed(0)
    model = _model(values, "cpu")
    named = [*model.named_parameters(), *model.named_buffers()]
    return {name: (value.double().sum().item(), value.double().abs().max().item()) for name, value in named}
