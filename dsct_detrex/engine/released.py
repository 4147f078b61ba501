"""The config inside a release, made fit to evaluate it: only code that is trusted is named, folders can be changed.

A release comes from anywhere. What evaluation builds besides the model are data sets, loaders and evaluators of this
package, so its classes are trusted and, of its functions, those that build them: no function that writes. Whatever else
the config describes (optimizer, training data) loses the name of what would be called, so that nothing can build it.
Interpolations are filled in once, before the check: a flag that comes later changes no checked name. Where results
are written and where they are sent is not for the file to say: beside it or in ``--out``, and nowhere else without
``--wandb``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dsct_detrex.config import config_from_yaml
from dsct_detrex.config.targets import locate
from dsct_detrex.config.trust import check_resolvers, check_trusted, target_names, trusted_targets
from dsct_detrex.errors import UserError, reason_of
from dsct_detrex.weights import load_release

_BUILT = ("model", "emotions", "dataloader.test", "dataloader.evaluator")
_OBJECTS = "data.object_classes"
"""Built, too, where a config has it."""
_TABLES = ("hosts", "subject_training")
"""What ``model`` was chosen from; a release of ours has none."""
_ROOMS = ("dsct_detrex.baselines.", "dsct_detrex.data.", "dsct_detrex.evaluation.")
_BUILDERS = (
    "dsct_detrex.data.build_test_loader",
    "dsct_detrex.data.loader.build_test_loader",
    "dsct_detrex.data.eval_transforms",
    "dsct_detrex.data.train_transforms",
    "dsct_detrex.data.transforms.",
    "dsct_detrex.data.transforms.eval_transforms",
    "dsct_detrex.data.transforms.train_transforms",
    "dsct_detrex.data.synthetic.synthetic_references",
    "dsct_detrex.data.synthetic.bounds.synthetic_references",
)
_FOLDER = "output_dir"
"""The argument of evaluators that says where they write."""


def released_config(path: str) -> DictConfig:
    """The config of a release, all that it can build checked.

    Raises:
        UserError: the file is no release, its config cannot evaluate it, or asks for code that is not trusted.
    """
    cfg = _filled_in(config_from_yaml(load_release(path).config, f"the config inside {path}"), path)
    missing = [key for key in _BUILT if OmegaConf.select(cfg, key) is None]
    if missing:
        raise UserError(
            f"eval: the config inside {path} has no {' and no '.join(missing)}: name the config to evaluate it with, "
            "--config FILE."
        )
    for key in (*_BUILT, *([_OBJECTS] if OmegaConf.is_dict(OmegaConf.select(cfg, _OBJECTS)) else [])):
        block = OmegaConf.select(cfg, key)
        check_trusted(block, (*trusted_targets(), *_BUILDERS, *_classes(block)))
    content: Any = OmegaConf.to_container(cfg)
    kept = {key: value for key, value in content.items() if key not in _TABLES}
    cfg = DictConfig(_inert(kept, ""), flags={"allow_objects": True})
    _link_folders(cfg)
    _send_nowhere(cfg)
    return cfg


def _filled_in(cfg: Any, path: str) -> DictConfig:
    """With the values that interpolations have now in their place."""
    if not isinstance(cfg, DictConfig):
        raise UserError(f"eval: the config inside {path} is a list, a mapping is expected.")
    check_resolvers(OmegaConf.to_container(cfg, resolve=False))
    try:
        content = OmegaConf.to_container(cfg, resolve=True)
    except OmegaConfBaseException as error:
        reason = reason_of(error)
        raise UserError(f"eval: the config inside {path} cannot be used: {reason}.") from error
    if (text := next(_texts_to_fill_in(content), None)) is not None:  # \\${...}, which would be filled in later
        raise UserError(f"eval: the config inside {path} holds {text!r}, with '${{' as plain text, which is not read.")
    return DictConfig(content, flags={"allow_objects": True})


def _texts_to_fill_in(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        yield from (text for item in value for text in _texts_to_fill_in(item))
    elif isinstance(value, str) and "${" in value:
        yield value


def _inert(value: Any, key: str) -> Any:
    """Outside of what evaluation builds, blocks call nothing but what is trusted."""
    if key in _BUILT:
        return value
    if isinstance(value, Mapping):
        kept = {name: _inert(item, f"{key}.{name}".lstrip(".")) for name, item in value.items()}
        if "_target_" in kept and not _is_trusted(kept):
            del kept["_target_"]
        return kept
    return [_inert(item, f"{key}.{index}") for index, item in enumerate(value)] if isinstance(value, list) else value


def _is_trusted(block: Mapping[str, Any]) -> bool:
    try:
        check_trusted(block, (*trusted_targets(), *_BUILDERS, *_classes(block)))
    except UserError:
        return False
    return True


def _classes(block: Any) -> Iterator[str]:
    """Classes of the trusted rooms that a block names, by that name and by the one of their module."""
    for name in target_names(OmegaConf.to_container(block) if OmegaConf.is_config(block) else block):
        found = locate(name) if name.startswith(_ROOMS) else None
        if isinstance(found, type) and found.__module__.startswith(_ROOMS):
            yield from (name, f"{found.__module__}.{found.__qualname__}")


def _link_folders(cfg: DictConfig) -> None:
    """Refer to the keys that a user changes, as the config did before it was resolved."""
    root = OmegaConf.select(cfg, "dataloader.test.dataset.root")
    if root is not None and root == OmegaConf.select(cfg, "data.root"):
        cfg.dataloader.test.dataset.root = "${data.root}"
    _write_beside(cfg.dataloader)


def _send_nowhere(cfg: DictConfig) -> None:
    """Whoever made the file does not say to whose account, server or folder W&B goes."""
    wandb = OmegaConf.select(cfg, "train.wandb")
    if OmegaConf.is_dict(wandb):
        wandb.enabled = False
        if OmegaConf.is_dict(wandb.get("params")):
            wandb.params = dict.fromkeys(wandb.params)


def _write_beside(node: Any) -> None:
    """Whoever made the file does not say where to write, at any depth."""
    if OmegaConf.is_list(node):
        for item in node:
            _write_beside(item)
    elif OmegaConf.is_dict(node):
        if node.get(_FOLDER) is not None:
            node[_FOLDER] = "${train.output_dir}"
        for item in node.values():
            _write_beside(item)
