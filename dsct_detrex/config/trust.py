"""Build objects from a config that came out of somebody's checkpoint, without letting it run what it likes.

``instantiate`` calls any ``_target_``; ``os.system`` is one. ``instantiate_trusted`` calls only targets of an
allow-list, checks where an object really lives (``torch.nn.modules.module.warnings`` is reached through ``torch.nn``
but is not of it), and resolves interpolations once, before the check, so that nothing changes between check and call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import OmegaConf

from dsct_detrex.config.building import instantiate
from dsct_detrex.config.diagnosis import full_key
from dsct_detrex.config.errors import ConfigError
from dsct_detrex.config.targets import locate, named
from dsct_detrex.integrations.detrex.installation import located

# What a model is made of. Entries that end in a dot cover everything below them, others one name.
TRUSTED_TARGETS = (
    "dsct_detrex.detection.",
    "dsct_detrex.dsct.",
    "dsct_detrex.hosts.",
    "dsct_detrex.layers.",
    "dsct_detrex.modalities.",
    "dsct_detrex.objective.",
    "dsct_detrex.structures.",
    "torch.nn.",
    "torchvision.models.",
    "torchvision.ops.",
)
# What a live host is made of besides; trusted once the process asked for live detrex (``integrations.detrex.locate``).
LIVE_TARGETS = (
    "detrex.layers.",
    "detrex.modeling.",
    "detectron2.layers.",
    "detectron2.modeling.",
    "projects.",
    "dsct_detrex.integrations.detrex.feature_shapes.feature_shapes",
)
_NAMED = f"{named.__module__}.{named.__qualname__}"
_NAMED_TARGETS = ("dsct_detrex.config.named", _NAMED)


def instantiate_trusted(cfg: Any, allowed: tuple[str, ...] | None = None) -> Any:
    """Build ``cfg`` if every ``_target_`` in it, at any depth, is allowed; nothing is called or imported before that.

    Unlike with ``instantiate``, mappings reach constructors as plain ``dict`` and lists as plain ``list``.

    Args:
        cfg: a config of plain values, targets given by dotted names.
        allowed: prefixes ending in a dot, or whole names. None: ``TRUSTED_TARGETS``, and ``LIVE_TARGETS`` where live
            detrex was asked for. Extend the list by ``(*TRUSTED_TARGETS, "my_package.")``.

    Raises:
        ConfigError: a target is not allowed (the message names it), or an interpolation calls a resolver other than
            ``oc.select``.
    """
    node = cfg if OmegaConf.is_config(cfg) else OmegaConf.create(cfg)
    return instantiate(check_trusted(node, allowed), full_key(node))


def trusted_targets() -> tuple[str, ...]:
    """``TRUSTED_TARGETS``, and ``LIVE_TARGETS`` where live detrex was asked for."""
    return TRUSTED_TARGETS if located() is None else (*TRUSTED_TARGETS, *LIVE_TARGETS)


def check_trusted(cfg: Any, allowed: tuple[str, ...] | None = None) -> Any:
    """The same check alone; returns the content that was checked, as plain values.

    Raises:
        ConfigError: see ``instantiate_trusted``.
    """
    allowed = trusted_targets() if allowed is None else allowed
    node = cfg if OmegaConf.is_config(cfg) else OmegaConf.create(cfg)
    _check_resolvers(OmegaConf.to_container(node, resolve=False))
    content = OmegaConf.to_container(node, resolve=True)
    names = list(target_names(content))
    for name in names:
        _check(name, name, allowed)
    for name in names:
        if name not in _NAMED_TARGETS:
            found = locate(name)
            _check(f"{getattr(found, '__module__', None)}.{getattr(found, '__qualname__', None)}", name, allowed)
    return content


def _check(name: str, asked: str, allowed: tuple[str, ...]) -> None:
    if name in _NAMED_TARGETS:
        return
    if _is_on(allowed, name):
        return
    if _is_on(LIVE_TARGETS, asked) and located() is None:
        raise ConfigError(
            f"instantiate_trusted: the config asks for `{asked}`, a part of the user's own detrex. If that is wanted, "
            f"say --hosts-from detrex, or call dsct_detrex.integrations.detrex.locate() first."
        )
    really = "" if name == asked else f" (really `{name}`)"
    raise ConfigError(
        f"instantiate_trusted: the config asks to call `{asked}`{really}, which is not on the list of trusted "
        f"targets. If you trust the file, pass allowed=(*TRUSTED_TARGETS, {asked!r})."
    )


def _is_on(allowed: tuple[str, ...], name: str) -> bool:
    return any(name.startswith(entry) if entry.endswith(".") else name == entry for entry in allowed)


def target_names(value: Any) -> Iterator[str]:
    """Every dotted name that building ``value`` would look up."""
    if isinstance(value, Mapping):
        if "_target_" in value:
            target = value["_target_"]
            yield _text(target, "_target_")
            if target in _NAMED_TARGETS:
                yield _text(value.get("name"), "name")
        for item in value.values():
            yield from target_names(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from target_names(item)


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"instantiate_trusted: `{key}` expects a dotted name. Got {value!r}.")
    return value


def _check_resolvers(value: Any) -> None:
    """Refuse ``${resolver:...}``: a resolver registered in this process may run code. ``oc.select`` only looks up."""
    if isinstance(value, Mapping):
        for item in value.values():
            _check_resolvers(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check_resolvers(item)
    elif isinstance(value, str) and "${" in value:
        depth = 0
        for char in re.sub(r"\$\{\s*oc\.select:", "${", value):
            depth = max(0, depth + (char == "{") - (char == "}"))
            if char == ":" and depth > 0:
                raise ConfigError(
                    f"instantiate_trusted: the interpolation {value!r} calls a resolver, which may run code. Save the "
                    f"config with resolve=True."
                )
