"""What ``pip install`` brings: the command, the configs, the projects, the templates, and that it is typed."""

import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    builders = pytest.importorskip("hatchling.builders.wheel", reason="hatchling builds it: pip install hatchling")
    folder = str(tmp_path_factory.mktemp("wheel"))
    (path,) = builders.WheelBuilder(str(ROOT)).build(directory=folder, versions=["standard"])
    return zipfile.ZipFile(path)


def files(folder: str, pattern: str) -> set[str]:
    """Files of the checkout as a wheel has them."""
    inside = "" if folder.startswith("dsct_detrex") else "dsct_detrex/"
    return {inside + path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob(pattern) if path.is_file()}


def test_whatever_is_read_is_in_it(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert files("configs", "*.py") <= names
    assert files("projects", "*.py") <= names
    kept = {name for name in files("dsct_detrex", "*") if "__pycache__" not in name}
    assert kept <= names
    assert {"dsct_detrex/py.typed", "dsct_detrex/visualization/templates/report.html.j2"} <= kept


def test_nothing_else_is(wheel: zipfile.ZipFile) -> None:
    outside = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" not in name}
    assert outside == {"dsct_detrex"}, "a folder `projects` would hide detrex's"


def test_the_command(wheel: zipfile.ZipFile) -> None:
    (entries,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "dsct = dsct_detrex.cli.main:main" in wheel.read(entries).decode()


def test_it_asks_for_the_omegaconf_that_tests_ran_with() -> None:
    """Its 2.4 keeps tuples apart from lists: configs and overrides warn there, line by line."""
    toml = pytest.importorskip("tomllib", reason="Python 3.10 has none")
    specifiers = pytest.importorskip("packaging.specifiers")
    dependencies = toml.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (asked,) = (one.removeprefix("omegaconf") for one in dependencies if one.startswith("omegaconf"))
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    (pinned,) = (line.removeprefix("omegaconf==") for line in pins if line.startswith("omegaconf=="))
    assert pinned in specifiers.SpecifierSet(asked)
    assert "2.4.0" not in specifiers.SpecifierSet(asked)
