"""SLURM jobs through submitit, which is replaced by one that runs everything at once, here."""

import sys
from contextlib import nullcontext
from types import ModuleType
from typing import ClassVar

import pytest


class Finished:
    def __init__(self, status):
        self.status = status

    def done(self):
        return True

    def exception(self):
        return None

    def result(self):
        return self.status


class Executor:
    seen: ClassVar[dict] = {}

    def __init__(self, folder):
        Executor.seen = {"folder": folder}

    def update_parameters(self, **parameters):
        if "colour" in parameters:
            raise NameError("Unknown argument(s): colour")
        Executor.seen |= parameters

    def batch(self):
        return nullcontext()

    def submit(self, function, *arguments):
        return Finished(function(*arguments))


@pytest.fixture
def submitit(monkeypatch):
    module = ModuleType("submitit")
    module.AutoExecutor = Executor
    monkeypatch.setitem(sys.modules, "submitit", module)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_runs_are_jobs_of_an_array(sweep, calls, submitit):
    assert sweep("--jobs", "7", "--slurm", "slurm_partition=gpu", "timeout_min=90") == 0
    assert calls() == ["deformable_detr 0 from 0", "dino 0 from 0"]
    assert Executor.seen["slurm_array_parallelism"] == 7
    assert Executor.seen["slurm_partition"] == "gpu"
    assert Executor.seen["timeout_min"] == 90


def test_parameters_that_submitit_refuses(sweep, submitit, capsys):
    assert sweep("--slurm", "colour=red") == 2
    assert "--slurm: submitit refuses its parameters: Unknown argument(s): colour" in capsys.readouterr().err


def test_without_submitit(sweep, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "submitit", None)
    assert sweep("--slurm") == 2
    assert "--slurm needs the submitit package: pip install submitit." in capsys.readouterr().err
