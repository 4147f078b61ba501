"""With detectron2 or fvcore installed the exported names are theirs, without them ours; half an installation is said "
"aloud."""

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import dsct_detrex.config as config
from dsct_detrex.config import building, lazy, param_groups, schedules

SCHEDULES = ("ConstantParamScheduler", "CosineParamScheduler", "LinearParamScheduler", "MultiStepParamScheduler")
ALWAYS_OURS = ("apply_overrides", "get_config", "load_config", "save_config", "instantiate_trusted", "LrFactors")


def module(name: str, *members: str) -> dict[str, str]:
    """File name -> text of a package or module that defines classes of these names."""
    return {name: "".join(f"class {member}: pass\n" for member in members)}


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, str]], ModuleType]]:
    """Write files of a pretended installation, and import ``dsct_detrex.config`` in its presence."""
    present = {name: sys.modules[name] for name in sys.modules if name.split(".")[0] in ("detectron2", "fvcore")}
    for name in present:
        monkeypatch.delitem(sys.modules, name)

    def load(files: dict[str, str]) -> ModuleType:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        return importlib.reload(config)

    yield load
    for name in [name for name in sys.modules if name.split(".")[0] in ("detectron2", "fvcore")]:
        del sys.modules[name]
    monkeypatch.undo()
    importlib.reload(config)


def test_detectron2s_own_objects(install: Callable[[dict[str, str]], ModuleType]) -> None:
    ours = {name: getattr(config, name) for name in ALWAYS_OURS}
    found = install(
        module("detectron2/__init__.py")
        | module("detectron2/config.py", "LazyCall", "LazyConfig", "instantiate")
        | module("detectron2/solver.py", "WarmupParamScheduler", "get_default_optimizer_params")
        | module("fvcore/__init__.py")
        | module("fvcore/common/__init__.py")
        | module("fvcore/common/param_scheduler.py", *SCHEDULES)
    )
    homes = {
        name: getattr(found, name).__module__ for name in found.__all__ if hasattr(getattr(found, name), "__module__")
    }
    for name in ("LazyCall", "LazyConfig", "instantiate"):
        assert homes[name] == "detectron2.config"
    for name in ("WarmupParamScheduler", "get_default_optimizer_params"):
        assert homes[name] == "detectron2.solver"
    for name in SCHEDULES:
        assert homes[name] == "fvcore.common.param_scheduler"
    assert {name: getattr(found, name) for name in ALWAYS_OURS} == ours


@pytest.mark.parametrize("files", [{}, {"detectron2/README": ""}, {"fvcore/common/README": ""}])
def test_ours_without_them_and_beside_an_empty_folder(
    install: Callable[[dict[str, str]], ModuleType], files: dict[str, str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = install(files)
    assert (found.LazyCall, found.LazyConfig, found.instantiate) == (
        lazy.LazyCall,
        lazy.LazyConfig,
        building.instantiate,
    )
    assert found.get_default_optimizer_params is param_groups.get_default_optimizer_params
    for name in (*SCHEDULES, "WarmupParamScheduler"):
        assert getattr(found, name) is getattr(schedules, name)


def test_a_broken_installation_is_said_aloud(install: Callable[[dict[str, str]], ModuleType]) -> None:
    files = {"detectron2/__init__.py": "", "detectron2/config.py": "import no_such_iopath\n"}
    with pytest.warns(RuntimeWarning) as caught:
        found = install(files)
    assert str(caught[0].message) == (
        "dsct_detrex: detectron2.config is installed but cannot be imported (No module named 'no_such_iopath'), so "
        "dsct_detrex uses its own equivalents. Repair the installation, or uninstall it to silence this warning."
    )
    assert found.LazyCall is lazy.LazyCall
