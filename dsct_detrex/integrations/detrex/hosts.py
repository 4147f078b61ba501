"""Live hosts: the embedded hosts' names, built from detrex's own LazyConfigs (``projects/*/configs/models``).

DSCT runs ``backbone``, ``neck``, ``position_embedding`` and ``transformer`` of a host and never its ``forward``. What
only ``forward`` needs is therefore left out: the criterion is not built, and the normaliser's tensors stay on the CPU.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from omegaconf import DictConfig, OmegaConf
from torch import nn

from dsct_detrex.integrations.detrex.errors import DetrexError
from dsct_detrex.integrations.detrex.feature_shapes import feature_shapes
from dsct_detrex.integrations.detrex.installation import locate


@dataclass(frozen=True)
class _Source:
    """A config of detrex's and what makes a variant of it: ``projects/<project>/configs/models/<file>.py``."""

    project: str
    file: str
    changes: Mapping[str, Any] = field(default_factory=dict)


_REFINED = {"with_box_refine": True}
_TWO_STAGE = {**_REFINED, "as_two_stage": True}

_HOSTS = {
    "detr": _Source("detr", "detr_r50"),
    "conditional_detr": _Source("conditional_detr", "conditional_detr_r50"),
    "dab_detr": _Source("dab_detr", "dab_detr_r50"),
    "dn_detr": _Source("dn_detr", "dn_detr_r50"),
    "anchor_detr": _Source("anchor_detr", "anchor_detr_r50"),
    "anchor_detr_mha": _Source(
        "anchor_detr", "anchor_detr_r50", {"transformer.attention_type": "nn.MultiheadAttention"}
    ),
    "deformable_detr": _Source("deformable_detr", "deformable_detr_r50"),
    "deformable_detr_box_refine": _Source("deformable_detr", "deformable_detr_r50", _REFINED),
    "deformable_detr_two_stage": _Source("deformable_detr", "deformable_detr_r50", _TWO_STAGE),
    "dab_deformable_detr": _Source("dab_deformable_detr", "dab_deformable_detr_r50"),
    "dab_deformable_detr_two_stage": _Source("dab_deformable_detr", "dab_deformable_detr_r50", {"as_two_stage": True}),
    "dino": _Source("dino", "dino_r50"),
    # The base config cannot run (it looks forward twice without refining); this is the one that was released.
    "h_deformable_detr": _Source("h_deformable_detr", "h_deformable_detr_r50", _TWO_STAGE),
    "deta": _Source("deta", "deta_r50"),
}

_RELATIVES = {
    "dn_deformable_detr": _Source("dn_deformable_detr", "dn_deformable_detr_r50"),
    "align_detr": _Source("align_detr", "aligndetr_r50"),
    "focus_detr": _Source("focus_detr", "focus_detr_r50"),
    # One group: the decoder would split the queries of a training batch, subjects included, into eleven.
    "group_detr": _Source("group_detr", "group_detr_r50", {"transformer.decoder.group_nums": 1}),
    "pnp_detr": _Source("pnp_detr", "pnp_detr_r50"),
    "sqr_detr": _Source("sqr_detr", "dab_detr_r50_sqr"),
    "dino_eva": _Source("dino_eva", "dino_eva_02"),
}

LIVE_HOSTS = (*_HOSTS, *_RELATIVES)
"""Names of the live hosts: those of the embedded ones, then their relatives."""


def host_configs() -> dict[str, DictConfig]:
    """The table of live hosts; builds nothing. A relative whose file does not load is left out with a warning.

    Raises:
        DetrexError: see ``host_config``.
    """
    table = {name: host_config(name) for name in _HOSTS}
    for name in _RELATIVES:
        try:
            table[name] = host_config(name)
        except DetrexError as error:
            warnings.warn(f"The live host {name} is left out: {error}", RuntimeWarning, stacklevel=2)
    return table


def host_config(name: str) -> DictConfig:
    """One live host, described by detrex's own config without what DSCT never runs.

    Raises:
        DetrexError: detrex cannot be used (see ``locate``), its ``projects`` folder is missing, it has no such config,
            or the name is unknown.
    """
    source = (_HOSTS | _RELATIVES).get(name)
    if source is None:
        raise DetrexError(f"Live hosts are {', '.join(LIVE_HOSTS)}. Got {name!r}.")
    projects = locate().projects
    if projects is None:
        raise DetrexError(
            "Live hosts are made of detrex's folder `projects`, which pip does not install: set DETREX_ROOT to a "
            "checkout of detrex."
        )
    path = projects / source.project / "configs" / "models" / f"{source.file}.py"
    if not path.is_file():
        raise DetrexError(f"The live host {name} expects detrex's config {path}, which does not exist.")
    from detectron2.config import LazyConfig

    try:
        config: DictConfig = LazyConfig.load(str(path)).model
    except (ImportError, AttributeError) as error:
        raise DetrexError(f"The live host {name}: detrex's {path} does not load: {error}.") from error
    return _as_host(config, source.changes)


def build_host(name: str, **overrides: Any) -> nn.Module:
    """Build a live host.

    Args:
        name: a key of ``host_configs()``.
        overrides: values for keys of its config; a key inside a block is written with dots,
            ``**{"transformer.encoder.num_layers": 3}``.

    Raises:
        DetrexError: see ``host_config``; or its config has no such key.
    """
    config = host_config(name)
    for key, value in overrides.items():
        block, _, last = key.rpartition(".")
        parent = OmegaConf.select(config, block) if block else config
        if not OmegaConf.is_dict(parent) or last not in parent:
            raise DetrexError(f"build_host({name!r}): its config has no `{key}`; it has {', '.join(map(str, config))}.")
        OmegaConf.update(config, key, value)
    from detectron2.config import instantiate

    host: nn.Module = instantiate(config)
    return host


def _as_host(config: DictConfig, changes: Mapping[str, Any]) -> DictConfig:
    """The variant, without criterion and CUDA, in a form that a saved config can hold."""
    config.criterion = None
    config.device = "cpu"
    for key, value in changes.items():
        OmegaConf.update(config, key, value)
    shapes = OmegaConf.select(config, "neck.input_shapes")
    if shapes is not None:
        config.neck.input_shapes = DictConfig(
            {"_target_": feature_shapes, **{name: shape.channels for name, shape in shapes.items()}},
            flags={"allow_objects": True},
        )
    return config
