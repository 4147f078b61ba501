"""Find detrex and detectron2, wherever they are, and make them importable.

What is installed goes first, because it may be compiled; ``DETREX_ROOT`` (a checkout of detrex) and ``DETECTRON2_ROOT``
(one of detectron2; detrex's own submodule serves too) supply what is missing, ``DETREX_ROOT`` also the ``projects``
folder that no installation of detrex contains. Folders go to the end of ``sys.path``, so that nothing is hidden.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from dsct_detrex.integrations.detrex.errors import DetrexError
from dsct_detrex.integrations.detrex.operator_stand_in import register_stand_in
from dsct_detrex.integrations.detrex_operator import OPERATOR, forget_operator
from dsct_detrex.paths import user_path

DETREX_ROOT = "DETREX_ROOT"
DETECTRON2_ROOT = "DETECTRON2_ROOT"

_HOW_TO_INSTALL = {
    "cv2": "opencv-python-headless",
    "pkg_resources": "'setuptools<81'",
    "yaml": "pyyaml",
    "PIL": "pillow",
    "hydra": "hydra-core",
}
"""Where ``pip install`` does not take the name of the module."""


@dataclass(frozen=True)
class Installation:
    """What ``locate`` found.

    Attributes:
        detrex: folder of the package ``detrex``.
        detectron2: folder of the package ``detectron2``.
        projects: detrex's folder ``projects`` with the models and their configs, or None.
        stand_in: whether ``dsct_detrex`` computes in the place of the operator that detrex was never compiled with.
    """

    detrex: Path
    detectron2: Path
    projects: Path | None
    stand_in: bool


_located: Installation | None = None


def located() -> Installation | None:
    """What ``locate`` found in this process; None if it was never called, so that nobody asked for live detrex."""
    return _located


def locate() -> Installation:
    """Put detrex and detectron2 on ``sys.path``, a stand-in in the place of a missing operator, and import both.

    Call it before anything else imports detrex. Later calls look again.

    Raises:
        DetrexError: detrex or detectron2 is not found, something they need is not installed, or they cannot be
            imported as they are; one sentence that says what to do.
    """
    global _located
    root = _folder_of(DETREX_ROOT, "detrex")
    detrex = _package("detrex", [root])
    if detrex is None:
        raise DetrexError(
            "detrex is not installed: install it, or set DETREX_ROOT to a checkout of detrex (github.com/IDEA-Research/"
            "detrex); compiling it is not needed."
        )
    submodule = None if root is None else root / "detectron2"
    detectron2 = _package("detectron2", [_folder_of(DETECTRON2_ROOT, "detectron2"), submodule])
    if detectron2 is None:
        raise DetrexError(
            f"detrex in {detrex} needs detectron2, which is not found: install it, or set DETECTRON2_ROOT to a "
            "checkout of detectron2 (github.com/facebookresearch/detectron2; compiling it is not needed), or fetch "
            "detrex's submodule of that name."
        )
    forget_operator()
    stand_in = register_stand_in([str(detrex)])
    _import_both()
    _located = Installation(detrex, detectron2, _projects(detrex, root), stand_in)
    return _located


def _folder_of(variable: str, package: str) -> Path | None:
    """The folder that an environment variable names, or None if it is not set."""
    value = os.environ.get(variable)
    if not value:
        return None
    folder = user_path(value).absolute()
    if not (folder / package / "__init__.py").is_file():
        raise DetrexError(
            f"{variable} expects a checkout of {package}, a folder with {package}/__init__.py in it. Got {folder}."
        )
    return folder


def _package(name: str, roots: list[Path | None]) -> Path | None:
    """The folder of an importable package; the first root that has it is put on the path if that makes it so."""
    found = _importable(name)
    for root in roots:
        if found is None and root is not None and (root / name / "__init__.py").is_file():
            _append_to_path(root)
            found = _importable(name)
    return found


def _importable(name: str) -> Path | None:
    """The folder of a package, imported or not; a folder without ``__init__.py`` is none (an unfetched submodule)."""
    module = sys.modules.get(name)
    if module is not None and module.__file__ is not None:
        return Path(module.__file__).parent
    if module is not None:
        del sys.modules[name]  # a namespace that an empty folder of this name left behind
    spec = importlib.util.find_spec(name)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def _append_to_path(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
        importlib.invalidate_caches()


def _projects(detrex: Path, root: Path | None) -> Path | None:
    """Detrex's ``projects``, importable: that of ``DETREX_ROOT``, or the one beside the package."""
    for parent in (root, detrex.parent):
        if parent is not None and (parent / "projects" / "detr" / "modeling").is_dir():
            _append_to_path(parent)
            return parent / "projects"
    return None


def _import_both() -> None:
    """Import detectron2 and detrex, and detrex's operator or what stands in for it."""
    for name in ("detectron2.config", "detrex", OPERATOR):
        try:
            importlib.import_module(name)
        except (ImportError, AttributeError) as error:  # the latter: made for another version of a dependency
            raise DetrexError(_why_not(name, error)) from error
    layer = importlib.import_module("detrex.layers.multi_scale_deform_attn")
    if not hasattr(layer, "_C"):
        raise DetrexError(
            "detrex was imported before dsct_detrex could stand in for its operator, which was never compiled: call "
            "dsct_detrex.integrations.detrex.locate() first, or start the script with `python -m "
            "dsct_detrex.integrations.detrex SCRIPT ...`."
        )


def _why_not(name: str, error: Exception) -> str:
    missing = str(getattr(error, "name", None)).split(".")[0]
    if isinstance(error, ModuleNotFoundError) and missing not in ("detrex", "detectron2"):
        package = _HOW_TO_INSTALL.get(missing, missing)
        return f"{name} needs the package {missing}, which is not installed: pip install {package}"
    return f"{name} was found but cannot be imported: {error}. Repair or reinstall it."
