"""An interpreter that has never heard of detrex, and checkouts for it to find."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dsct_detrex.integrations import detrex_operator
from dsct_detrex.integrations.detrex import installation

from .fake_checkout import detectron2_checkout, detrex_checkout

_THEIRS = ("detrex", "detectron2", "projects")


def _loaded() -> list[str]:
    return [name for name in sys.modules if name.split(".")[0] in _THEIRS]


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of detrex's imported, importable or named by a variable, whatever this machine has."""
    for name in _loaded():
        monkeypatch.delitem(sys.modules, name)
    hidden = [entry for entry in sys.path if any((Path(entry) / name).is_dir() for name in ("detrex", "detectron2"))]
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in hidden])
    monkeypatch.setattr(sys, "meta_path", [finder for finder in sys.meta_path if "Editable" not in str(finder)])
    for variable in (installation.DETREX_ROOT, installation.DETECTRON2_ROOT):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(installation, "_located", None)
    detrex_operator.forget_operator()
    yield
    for name in _loaded():
        del sys.modules[name]
    detrex_operator.forget_operator()


@pytest.fixture
def detrex_root(bare: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``DETREX_ROOT`` names a checkout that was never compiled."""
    root = detrex_checkout(tmp_path / "their_detrex")
    monkeypatch.setenv(installation.DETREX_ROOT, str(root))
    return root


@pytest.fixture
def both_roots(detrex_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``DETECTRON2_ROOT`` too; the path of the first."""
    root = detectron2_checkout(tmp_path / "their_detectron2")
    monkeypatch.setenv(installation.DETECTRON2_ROOT, str(root))
    return detrex_root
