"""``locate`` on checkouts of a few lines: what is found, what goes first, and every way in which it can fail."""

import sys
import warnings
from pathlib import Path

import pytest

from dsct_detrex.integrations.detrex import DetrexError, locate, located

from .fake_checkout import detectron2_checkout, detrex_checkout, write

pytestmark = pytest.mark.usefixtures("bare")


def test_checkouts_named_by_variables(both_roots: Path, tmp_path: Path) -> None:
    before = list(sys.path)
    assert located() is None
    found = locate()
    assert (found.detrex, found.detectron2) == (both_roots / "detrex", tmp_path / "their_detectron2/detectron2")
    assert (found.projects, found.stand_in) == (both_roots / "projects", True)
    assert located() == found == locate()
    assert sys.path[: len(before)] == before, "nothing may be hidden"
    assert len(sys.path) == len(before) + 2


def test_the_stand_in_makes_the_layer_exist(both_roots: Path) -> None:
    locate()
    import detrex

    assert detrex.layers.multi_scale_deform_attn.MultiScaleDeformableAttention is sys.modules["detrex._C"]


def test_a_compiled_checkout_keeps_its_operator(bare: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETREX_ROOT", str(detrex_checkout(tmp_path / "a", compiled=True)))
    monkeypatch.setenv("DETECTRON2_ROOT", str(detectron2_checkout(tmp_path / "b")))
    assert not locate().stand_in
    assert sys.modules["detrex._C"].compiled


def test_the_submodule_of_the_checkout_will_do(detrex_root: Path) -> None:
    detectron2_checkout(detrex_root / "detectron2")
    assert locate().detectron2 == detrex_root / "detectron2/detectron2"


def test_what_is_installed_goes_first(both_roots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be compiled; the checkout then supplies the models, which pip does not install."""
    monkeypatch.syspath_prepend(detrex_checkout(tmp_path / "site", compiled=True, projects=False))
    monkeypatch.syspath_prepend(detectron2_checkout(tmp_path / "site2"))
    found = locate()
    assert (found.detrex, found.detectron2) == (tmp_path / "site/detrex", tmp_path / "site2/detectron2")
    assert (found.projects, found.stand_in) == (both_roots / "projects", False)


def test_an_installed_checkout_needs_no_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(detrex_checkout(tmp_path / "a"))
    monkeypatch.syspath_prepend(detectron2_checkout(tmp_path / "b"))
    assert locate().projects == tmp_path / "a/projects"


def test_an_unfetched_submodule_on_the_path_hides_nothing(both_roots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(both_roots)
    import detectron2  # the empty folder: a namespace package

    assert detectron2.__file__ is None
    assert locate().detectron2.name == "detectron2"


def _message() -> str:
    with pytest.raises(DetrexError) as caught:
        locate()
    assert "\n" not in str(caught.value)
    assert located() is None
    return str(caught.value)


def test_nothing_there() -> None:
    assert _message() == (
        "detrex is not installed: install it, or set DETREX_ROOT to a checkout of detrex (github.com/IDEA-Research/"
        "detrex); compiling it is not needed."
    )


def test_no_detectron2(detrex_root: Path) -> None:
    assert _message().startswith(f"detrex in {detrex_root / 'detrex'} needs detectron2, which is not found: install it")
    assert "detrex" not in sys.modules


@pytest.mark.parametrize("variable", ["DETREX_ROOT", "DETECTRON2_ROOT"])
def test_a_variable_that_names_no_checkout(
    variable: str, both_roots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(tmp_path))
    package = variable.removesuffix("_ROOT").lower()
    assert _message() == (
        f"{variable} expects a checkout of {package}, a folder with {package}/__init__.py in it. Got {tmp_path}."
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("import timmy", "detrex needs the package timmy, which is not installed: pip install timmy"),
        ("import nowhere.at.all", "detrex needs the package nowhere, which is not installed: pip install nowhere"),
        ("import cv2", "detrex needs the package cv2, which is not installed: pip install opencv-python-headless"),
        ("import detrex.later", "detrex was found but cannot be imported: No module named 'detrex.later'. Repair"),
        ("from torch import Tensr", "detrex was found but cannot be imported: cannot import name 'Tensr' from"),
        ("import torch; torch.tensr", "detrex was found but cannot be imported: module 'torch' has no attribute"),
    ],
)
def test_what_detrex_needs_is_missing(
    line: str, message: str, both_roots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "cv2"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if not (Path(p) / "cv2").is_dir()])
    write(both_roots / "detrex/__init__.py", line)
    assert _message().startswith(message)


def test_a_broken_operator_is_not_replaced(both_roots: Path) -> None:
    write(both_roots / "detrex/_C.py", "raise ImportError('libsomething.so.12: no such file')")
    assert _message() == (
        "detrex._C was found but cannot be imported: libsomething.so.12: no such file. Repair or reinstall it."
    )


def test_detrex_imported_too_early(both_roots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(both_roots)
    import detrex  # noqa: F401

    assert "was imported before dsct_detrex could stand in for its operator" in _message()


def test_importing_our_package_imports_nothing_of_theirs(both_roots: Path) -> None:
    import dsct_detrex.integrations.detrex  # noqa: F401

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not {"detrex", "detectron2"} & set(sys.modules)
