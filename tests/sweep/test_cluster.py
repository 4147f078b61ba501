"""SLURM jobs through submitit: its own local executor, and a stand-in that shows what SLURM would be asked for."""

import sys
from contextlib import nullcontext
from pathlib import Path
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

    def __init__(self, folder, cluster):
        Executor.seen = {"folder": folder, "cluster": cluster}

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
    assert Executor.seen["cluster"] == "slurm"


def test_parameters_that_submitit_refuses(sweep, submitit, capsys):
    assert sweep("--slurm", "colour=red") == 2
    assert "--slurm: submitit refuses its parameters: Unknown argument(s): colour" in capsys.readouterr().err


def test_a_rehearsal_with_submitits_local_jobs(sweep, calls, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    Path("out/break_deformable_detr").touch()
    assert sweep("--slurm", "cluster=local", "timeout_min=1") == 1
    assert calls() == ["deformable_detr 0 from 0", "dino 0 from 0"]
    table = Path("out/table.md").read_text()
    assert "| DINO | 50.0 % |" in table
    assert "Deformable failed: Training stopped: loss_class is nan in iteration 1." in table
    assert list(Path("out/slurm").glob("*_result.pkl"))


def test_without_slurm_nothing_runs_here_instead(sweep, calls, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sweep("--slurm") == 2
    said = capsys.readouterr().err
    assert "--slurm: submitit cannot use the cluster 'slurm': Could not detect \"srun\"" in said
    assert "Run it where sbatch is, or without --slurm." in said
    assert calls() == []
    assert not Path("out/dino").exists(), "nothing was begun"


def test_without_submitit(sweep, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "submitit", None)
    assert sweep("--slurm") == 2
    assert "--slurm needs the submitit package: pip install submitit." in capsys.readouterr().err
