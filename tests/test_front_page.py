"""What stands at the top of the repository for people who are new to it agrees with the package."""

import re
from pathlib import Path

import yaml

import dsct_detrex

ROOT = Path(__file__).parents[1]


def test_the_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]
    project = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert project is not None
    assert newest is not None
    assert {citation, project[1], newest[1]} == {dsct_detrex.__version__}


def test_the_workflow_calls_make_as_ci_does() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    runs = [step["run"] for step in workflow["jobs"]["test"]["steps"] if "run" in step]
    assert all(command.startswith("make ") for command in runs)
    of_ci = re.findall(r"^make \w+", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert {" ".join(command.split()[:2]) for command in runs} >= set(of_ci) | {"make setup"}


def test_hooks_are_the_linters_of_make_check() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    check = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert check is not None
    tools = {Path(word).name for word in re.findall(r"\$\(BIN\)/(\w+)", check[1])}
    assert {Path(hook["entry"].split()[0]).name for hook in hooks} == tools
