"""``dsct info``: versions, devices, the operator, detrex, and what could be installed."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from dsct_detrex.info import describe_machine, machine
from dsct_detrex.info.screen import machine_lines
from dsct_detrex.integrations.detrex import DetrexError, Installation
from tests.commands import info


@pytest.fixture
def no_detrex(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Installation:
        raise DetrexError("detrex is not installed: install it.")

    monkeypatch.setattr(machine, "locate", nowhere)


def test_this_machine(no_detrex: None, capsys: pytest.CaptureFixture[str]) -> None:
    found = describe_machine()
    assert found["packages"]["torch"] == machine.installed("torch")
    assert found["devices"][-1]["name"] == "cpu"
    assert found["operator"]["used"] in ("numba", "pytorch", "detrex", "triton")
    assert "pip install" in found["detrex"]["install"][-1]
    lines = machine_lines(found)
    too_long = [line for line in lines if len(line) > 80 and "/" not in line]
    assert too_long == []
    assert info(["--json"]) == 0
    assert json.loads(capsys.readouterr().out)["detrex"]["found"] is False


def test_a_gpu_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    class Properties:
        name, total_memory = "GPU", 80 * 2**30

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: Properties)
    assert [one["name"] for one in machine.devices()] == ["cuda:0", "cuda:1", "cpu"]
    assert machine.devices()[0]["description"] == "GPU, 80 GiB"


def test_why_an_operator_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSCT_MSDA_BACKEND", "pytorch")
    found = machine.operator("cpu")
    assert found["used"] == "pytorch"
    assert found["others"]["detrex"].startswith("needs GPU tensors and detrex")
    monkeypatch.setenv("DSCT_MSDA_BACKEND", "detrex")
    assert "cannot run on a torch.float32 tensor on cpu" in machine.operator("cpu")["problem"]


def test_what_is_missing_says_how_to_get_it(no_detrex: None, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = ("numba", "facenet-pytorch")
    monkeypatch.setattr(machine, "installed", lambda name: None if name in missing else "1.0")
    found: dict[str, Any] = describe_machine()
    lines = machine_lines(found)
    assert [line.split()[0] for line in lines if " missing " in line] == list(missing)
    assert lines[-1] == "  pip install numba 'facenet-pytorch<2.6'"
    monkeypatch.setattr(machine, "installed", lambda name: None)
    assert max(map(len, machine_lines(describe_machine())[-6:])) <= 80


def test_every_extra_is_told_of() -> None:
    """Those of people who use the package, not of those who work on it."""
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    block = text.split("[project.optional-dependencies]")[1].split("\n[")[0]
    extras = dict(re.findall(r"^(\w+) = \[(.*)\]", block, re.MULTILINE))
    of_users = " ".join(listed for name, listed in extras.items() if name not in ("dev", "all", "docs"))
    assert set(re.findall(r'"([\w-]+)', of_users)) == set(machine.OPTIONAL)
