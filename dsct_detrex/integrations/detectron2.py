"""What an installed detectron2 (and the fvcore beneath it) gives to the config room.

A config file must mean the same under our ``dsct train`` and under detrex's ``tools/train_net.py``, so where
detectron2 is installed its own ``LazyCall``, ``instantiate`` and schedulers are used. Nothing here is imported by a
user who has neither package.
"""

from __future__ import annotations

import importlib
import warnings
from types import ModuleType


def detectron2_config() -> ModuleType | None:
    """The module ``detectron2.config``, or None where detectron2 is not installed."""
    return _import_installed("detectron2.config")


def detectron2_solver() -> ModuleType | None:
    """The module ``detectron2.solver``, or None where detectron2 is not installed."""
    return _import_installed("detectron2.solver")


def fvcore_schedulers() -> ModuleType | None:
    """The module ``fvcore.common.param_scheduler``, or None where fvcore is not installed."""
    return _import_installed("fvcore.common.param_scheduler")


def _import_installed(name: str) -> ModuleType | None:
    """Import a module of an optional package.

    Absent (also: an empty ``detectron2`` folder, as an unfetched git submodule leaves one) means None. Present but
    failing to import is said aloud, because then a config file means something else than its owner expects.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}."):
            return None
        warnings.warn(
            f"dsct_detrex: {name} is installed but cannot be imported ({error}), so dsct_detrex uses its own "
            f"equivalents. Repair the installation, or uninstall it to silence this warning.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
