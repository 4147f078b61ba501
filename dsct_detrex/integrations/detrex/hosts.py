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
class Source:
    """A config of detrex's and what makes a variant of it.

    Attributes:
        config: ``<project>/<file>``, which is ``projects/<project>/configs/models/<file>.py``.
        changes: key of it -> another value.
    """

    config: str
    changes: Mapping[str, Any] = field(default_factory=dict)


_RELATIVES = {
    "dn_deformable_detr": Source("dn_deformable_detr/dn_deformable_detr_r50"),
    "align_detr": Source("align_detr/aligndetr_r50"),
    "focus_detr": Source("focus_detr/focus_detr_r50"),
    # One group: the decoder would split the queries of a training batch, subjects included, into eleven.
    "group_detr": Source("group_detr/group_detr_r50", {"transformer.decoder.group_nums": 1}),
    "pnp_detr": Source("pnp_detr/pnp_detr_r50"),
    "sqr_detr": Source("sqr_detr/dab_detr_r50_sqr"),
    "dino_eva": Source("dino_eva/dino_eva_02"),
}


def live_hosts() -> dict[str, Source]:
    """Name of every live host -> where it comes from: the embedded ones, as their files say, then their relatives."""
    return _twins() | _RELATIVES


def _twins() -> dict[str, Source]:
    from dsct_detrex.config import get_config

    said = get_config("common/hosts.py").detrex
    return {str(name): Source(twin.config, dict(twin.changes)) for name, twin in said.items()}


def host_configs() -> dict[str, DictConfig]:
    """The table of live hosts; builds nothing. A relative whose file does not load is left out with a warning.

    Raises:
        DetrexError: see ``host_config``.
    """
    table = {name: host_config(name) for name in _twins()}
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
    known = live_hosts()
    source = known.get(name)
    if source is None:
        raise DetrexError(f"Live hosts are {', '.join(known)}. Got {name!r}.")
    projects = locate().projects
    if projects is None:
        raise DetrexError(
            "Live hosts are made of detrex's folder `projects`, which pip does not install: set DETREX_ROOT to a "
            "checkout of detrex."
        )
    project, _, file = source.config.partition("/")
    path = projects / project / "configs" / "models" / f"{file}.py"
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
