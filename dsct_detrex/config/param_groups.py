"""Which learning rate and weight decay each parameter gets: the ``params`` of an optimizer config.

Same arguments and same groups as ``detectron2.solver.get_default_optimizer_params``, which takes its place where
installed, and a rule table for learning rates that a saved config can hold (a lambda cannot).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import nn

from dsct_detrex.config.errors import ConfigError

_NORMS = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.SyncBatchNorm,
    nn.GroupNorm,
    nn.InstanceNorm1d,
    nn.InstanceNorm2d,
    nn.InstanceNorm3d,
    nn.LayerNorm,
    nn.LocalResponseNorm,
)


class LrFactors:
    """Learning-rate factors by parameter name: the first rule whose text occurs in the name decides; 1 if none does.

    ``lr_factor_func=L(LrFactors)(rules={"backbone": 0.1, "reference_points": 0.1, "sampling_offsets": 0.1})`` is what
    DETR-like models train with. Put the longer text first where one contains another.

    Args:
        rules: text -> factor, in the order in which they are tried.

    Raises:
        ConfigError: a factor is not a number >= 0.
    """

    def __init__(self, rules: Mapping[str, float]) -> None:
        for text, factor in rules.items():
            if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not factor >= 0:
                raise ConfigError(f"LrFactors(rules=) expects factors >= 0. Got {factor!r} for {text!r}.")
        self.rules = {str(text): float(factor) for text, factor in rules.items()}

    def __call__(self, name: str) -> float:
        return next((factor for text, factor in self.rules.items() if text in name), 1.0)

    def __repr__(self) -> str:
        return f"LrFactors(rules={self.rules})"


def get_default_optimizer_params(
    model: nn.Module,
    base_lr: float | None = None,
    weight_decay: float | None = None,
    weight_decay_norm: float | None = None,
    bias_lr_factor: float | None = 1.0,
    weight_decay_bias: float | None = None,
    lr_factor_func: Callable[[str], float] | None = None,
    overrides: Mapping[str, Mapping[str, float]] | None = None,
) -> list[dict[str, Any]]:
    """Parameter groups for an optimizer. Frozen parameters are left out, shared ones appear once.

    Later rules win: base, then ``weight_decay_norm`` and ``lr_factor_func``, then ``overrides`` and the bias rules.

    Args:
        base_lr, weight_decay: what a parameter gets if no rule speaks; None leaves it to the optimizer.
        weight_decay_norm: weight decay of parameters of normalisation layers.
        bias_lr_factor, weight_decay_bias: learning rate (as a factor of ``base_lr``) and weight decay of parameters
            called ``bias``.
        lr_factor_func: full parameter name -> factor of ``base_lr``.
        overrides: last part of a parameter name, e.g. ``"level_embeds"`` -> ``{"lr": ..., "weight_decay": ...}``.

    Returns:
        One group per combination of settings, ``{"params": [...], "lr": ..., "weight_decay": ...}``, in order of
        first appearance.

    Raises:
        ConfigError: a factor without ``base_lr``, or ``overrides["bias"]`` beside a bias rule.
    """
    by_name = {name: dict(values) for name, values in (overrides or {}).items()}
    bias = _bias_rules(base_lr, bias_lr_factor, weight_decay_bias)
    if bias and "bias" in by_name:
        raise ConfigError(
            "get_default_optimizer_params: overrides['bias'] contradicts bias_lr_factor or weight_decay_bias. Keep one."
        )
    if bias:
        by_name["bias"] = bias
    if lr_factor_func is not None and base_lr is None:
        raise ConfigError("get_default_optimizer_params: lr_factor_func needs base_lr. Got None.")

    groups: dict[tuple[tuple[str, float], ...], dict[str, Any]] = {}
    for module, module_name, name, parameter in _trainable(model):
        settings: dict[str, float] = {}
        if base_lr is not None:
            factor = 1.0 if lr_factor_func is None else lr_factor_func(f"{module_name}.{name}")
            settings["lr"] = base_lr * factor
        if weight_decay is not None:
            settings["weight_decay"] = weight_decay
        if weight_decay_norm is not None and isinstance(module, _NORMS):
            settings["weight_decay"] = weight_decay_norm
        settings.update(by_name.get(name, {}))
        group = groups.setdefault(tuple(sorted(settings.items())), {"params": [], **settings})
        group["params"].append(parameter)
    return list(groups.values())


def _bias_rules(base_lr: float | None, factor: float | None, weight_decay: float | None) -> dict[str, float]:
    rules: dict[str, float] = {}
    if factor is not None and factor != 1.0:
        if base_lr is None:
            raise ConfigError("get_default_optimizer_params: bias_lr_factor needs base_lr. Got None.")
        rules["lr"] = base_lr * factor
    if weight_decay is not None:
        rules["weight_decay"] = weight_decay
    return rules


def _trainable(model: nn.Module) -> Iterator[tuple[nn.Module, str, str, nn.Parameter]]:
    """Each trainable parameter once, with the module that holds it first: module, its name, own name, parameter."""
    seen: set[nn.Parameter] = set()
    for module_name, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.requires_grad and parameter not in seen:
                seen.add(parameter)
                yield module, module_name, name, parameter
