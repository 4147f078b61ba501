"""The config inside a release, made fit to evaluate it: only code that is trusted is named, folders can be changed.

A release comes from anywhere. What evaluation builds besides the model are data sets, loaders and evaluators of this
package, so its classes are trusted and, of its functions, those that build them: no function that writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dsct_detrex.config import config_from_yaml
from dsct_detrex.config.targets import locate
from dsct_detrex.config.trust import check_trusted, target_names, trusted_targets
from dsct_detrex.errors import UserError
from dsct_detrex.weights import load_release

_BUILT = ("model", "emotions", "dataloader.test", "dataloader.evaluator")
_ROOMS = ("dsct_detrex.baselines.", "dsct_detrex.data.", "dsct_detrex.evaluation.")
_BUILDERS = (
    "dsct_detrex.data.build_test_loader",
    "dsct_detrex.data.loader.build_test_loader",
    "dsct_detrex.data.eval_transforms",
    "dsct_detrex.data.train_transforms",
    "dsct_detrex.data.transforms.",
    "dsct_detrex.data.synthetic.synthetic_references",
    "dsct_detrex.data.synthetic.bounds.synthetic_references",
)


def released_config(path: str) -> DictConfig:
    """The config of a release. What evaluation does not build stays in it, unbuilt and unchecked.

    Raises:
        UserError: the file is no release, its config cannot evaluate it, or asks for code that is not trusted.
    """
    cfg: DictConfig = config_from_yaml(load_release(path).config, f"the config inside {path}")
    missing = [key for key in _BUILT if OmegaConf.select(cfg, key) is None]
    if missing:
        raise UserError(
            f"eval: the config inside {path} has no {' and no '.join(missing)}: name the config to evaluate it with, "
            "--config FILE."
        )
    for key in _BUILT:
        block = OmegaConf.select(cfg, key)
        check_trusted(block, (*trusted_targets(), *_BUILDERS, *_classes(block)))
    _link_folders(cfg)
    return cfg


def _classes(block: Any) -> Iterator[str]:
    """Classes of the trusted rooms that a block names, by that name and by the one of their module."""
    for name in target_names(OmegaConf.to_container(block, resolve=False)):
        found = locate(name) if name.startswith(_ROOMS) else None
        if isinstance(found, type) and found.__module__.startswith(_ROOMS):
            yield from (name, f"{found.__module__}.{found.__qualname__}")


def _link_folders(cfg: DictConfig) -> None:
    """Refer to the keys that a user changes, as the config did before it was resolved."""
    root = OmegaConf.select(cfg, "dataloader.test.dataset.root")
    if root is not None and root == OmegaConf.select(cfg, "data.root"):
        cfg.dataloader.test.dataset.root = "${data.root}"
    if cfg.dataloader.evaluator.get("output_dir") is not None:  # whoever made the file does not say where to write
        cfg.dataloader.evaluator.output_dir = "${train.output_dir}"
