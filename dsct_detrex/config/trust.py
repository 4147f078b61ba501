"""Build objects from a config that came out of somebody's checkpoint, without letting it run what it likes.

``instantiate`` calls any ``_target_``; ``os.system`` is one. ``instantiate_trusted`` calls only targets of an
allow-list, checks where an object really lives (``torch.nn.modules.module.warnings`` is reached through ``torch.nn``
but is not of it), and resolves interpolations once, before the check, so that nothing changes between check and call.

What a place on the list stands for are its classes, of other people's libraries their modules. Functions and methods
are called only where their whole name is on the list: ``torchvision.models`` has some that download a file and unpickle
it. Of what is on the list nothing writes a file, opens a connection or runs a program, and what would read a file
(``reads_files`` of a class names the arguments) is built without one; ``tests/reliability/test_allow_list.py`` looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import OmegaConf
from torch import nn

from dsct_detrex.config.building import instantiate
from dsct_detrex.config.diagnosis import full_key
from dsct_detrex.config.errors import ConfigError
from dsct_detrex.config.targets import locate, named
from dsct_detrex.integrations.detrex.installation import located

# What a model is made of. Entries that end in a dot cover the classes below them, others one class or function.
TRUSTED_TARGETS = (
    "dsct_detrex.detection.",
    "dsct_detrex.dsct.",
    "dsct_detrex.hosts.",
    "dsct_detrex.layers.",
    "dsct_detrex.modalities.",
    "dsct_detrex.objective.",
    "dsct_detrex.structures.",
    "dsct_detrex.dsct.context_detection.context_detection",
    "dsct_detrex.hosts.resnet.resnet_channels",
    "dsct_detrex.hosts.resnet.resnet_shapes",
    "dsct_detrex.hosts.torchvision_resnet.torchvision_channels",
    "dsct_detrex.objective.classification.focal_for",
    "dsct_detrex.structures.emotions.get_emotions",
    "dsct_detrex.structures.object_classes.if_annotated",
    "dsct_detrex.structures.object_classes.number_of_classes",
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
    "detrex.modeling.backbone.resnet.ResNet.make_default_stages",
    "detectron2.modeling.backbone.resnet.ResNet.make_default_stages",
    "dsct_detrex.integrations.detrex.feature_shapes.feature_shapes",
)
# Of these only modules are built, and no others' classes: torchvision's ``Weights`` knows an address.
_LIBRARIES = ("torch.", "torchvision.", "detrex.", "detectron2.", "projects.")
# Modules that fetch, unpickle or compile something while they are built (timm, torchvision's downloads, mmdet, fx).
_DOERS = (
    "torchvision.models.feature_extraction.",
    "detrex.modeling.backbone.timm_backbone.",
    "detrex.modeling.backbone.torchvision_backbone.",
    "detectron2.modeling.mmdet_wrapper.",
)
_NAMED = f"{named.__module__}.{named.__qualname__}"
_NAMED_TARGETS = ("dsct_detrex.config.named", _NAMED)


def instantiate_trusted(cfg: Any, allowed: tuple[str, ...] | None = None) -> Any:
    """Build ``cfg`` if every ``_target_`` in it, at any depth, is allowed; nothing is called or imported before that.

    Unlike with ``instantiate``, mappings reach constructors as plain ``dict`` and lists as plain ``list``.

    Args:
        cfg: a config of plain values, targets given by dotted names.
        allowed: prefixes ending in a dot, whose classes are trusted, or whole names. None: ``TRUSTED_TARGETS``, and
            ``LIVE_TARGETS`` where live detrex was asked for. Extend the list by ``(*TRUSTED_TARGETS, "my_package.")``.

    Raises:
        ConfigError: a target is not allowed (the message names it), a file is to be read, or an interpolation calls a
            resolver other than ``oc.select``.
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
    check_resolvers(OmegaConf.to_container(node, resolve=False))
    content = OmegaConf.to_container(node, resolve=True)
    blocks = list(_blocks(content))
    for name, _ in blocks:
        _check(name, name, allowed)  # before anything is imported
    for name, arguments in blocks:
        if name not in _NAMED_TARGETS:
            _check_found(locate(name), name, arguments, allowed)
    return content


def _check_found(found: Any, asked: str, arguments: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    """Look at the object itself: where it lives, what kind it is, and whether it would read a file."""
    module, path = getattr(found, "__module__", None), getattr(found, "__qualname__", None)
    really = f"{module}.{path}" if isinstance(module, str) and isinstance(path, str) else "an object without a name"
    _check(really, asked, allowed)
    if really in allowed:
        return
    if not isinstance(found, type):
        raise _not_trusted(asked, really, "is a function; of a place on the list only classes are called")
    if really.startswith(_LIBRARIES) and not issubclass(found, nn.Module):
        raise _not_trusted(asked, really, "is no nn.Module; of other libraries only modules are built")
    if really.startswith(_DOERS):
        raise _not_trusted(asked, really, "reads files, downloads or compiles while it is built")
    for argument in getattr(found, "reads_files", ()):
        if arguments.get(argument) is not None:
            raise ConfigError(
                f"instantiate_trusted: the config asks `{asked}` to read the file {arguments[argument]!r} "
                f"({argument}=). A config inside a file of weights names no other files: set it to null there."
            )


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
    raise _not_trusted(asked, name, "is not on the list of trusted targets")


def _not_trusted(asked: str, really: str, reason: str) -> ConfigError:
    other = "" if really == asked else f" (really `{really}`)"
    return ConfigError(
        f"instantiate_trusted: the config asks to call `{asked}`{other}, which {reason}. If you trust the file, pass "
        f"allowed=(*TRUSTED_TARGETS, {really!r})."
    )


def _is_on(allowed: tuple[str, ...], name: str) -> bool:
    return any(name.startswith(entry) if entry.endswith(".") else name == entry for entry in allowed)


def target_names(value: Any) -> Iterator[str]:
    """Every dotted name that building ``value`` would look up."""
    return (name for name, _ in _blocks(value))


def _blocks(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every dotted name that building ``value`` would look up, with the arguments it would be called with."""
    if isinstance(value, Mapping):
        if "_target_" in value:
            target = _text(value["_target_"], "_target_")
            yield target, value
            if target in _NAMED_TARGETS:
                name = _text(value.get("name"), "name")
                if name in _NAMED_TARGETS:  # it would come out unguarded, and name anything when it is called
                    raise ConfigError(
                        f"instantiate_trusted: `{target}` expects another name than its own. Got {name!r}."
                    )
                yield name, value.get("keywords") or {}
        for item in value.values():
            yield from _blocks(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _blocks(item)


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"instantiate_trusted: `{key}` expects a dotted name. Got {value!r}.")
    return value


def check_resolvers(value: Any) -> None:
    """Refuse ``${resolver:...}``: a resolver registered in this process may run code. ``oc.select`` only looks up."""
    if isinstance(value, Mapping):
        for item in value.values():
            check_resolvers(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            check_resolvers(item)
    elif isinstance(value, str) and "${" in value:
        depth = 0
        for char in re.sub(r"\$\{\s*oc\.select:", "${", value):
            depth = max(0, depth + (char == "{") - (char == "}"))
            if char == ":" and depth > 0:
                raise ConfigError(
                    f"instantiate_trusted: the interpolation {value!r} calls a resolver, which may run code. Save the "
                    f"config with resolve=True."
                )
