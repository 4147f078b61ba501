"""Processes side by side: how many at once, with what, and what is read from them."""

import sys
from pathlib import Path

import pytest

from dsct_detrex.errors import UserError
from dsct_detrex.sweep.processes import Ended, Job, logged_rows, run_jobs


def job(folder: Path, code: str, name: str = "job") -> Job:
    return Job(name, [sys.executable, "-c", code], folder, folder / f"{name}.log")


def run(jobs: list[Job], at_once: int = 2) -> list[Ended]:
    over: list[Ended] = []
    run_jobs(jobs, at_once, lambda one: over.append(one) or "")
    return over


def test_never_more_than_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr("dsct_detrex.sweep.processes._POLL_SECONDS", 0.02)
    code = (
        "import pathlib, time; here = pathlib.Path({folder!r}); mine = here / '{name}.on'; mine.touch();"
        "time.sleep(.5); print(len(list(here.glob('*.on')))); mine.unlink()"
    )
    jobs = [job(tmp_path, code.format(folder=str(tmp_path), name=f"j{i}"), f"j{i}") for i in range(5)]
    assert len(run(jobs, at_once=2)) == 5
    most = max(int(one.log.read_text()) for one in jobs)
    assert most == 2


def test_reasons(tmp_path):
    failing = job(tmp_path, "import sys; print('work'); print('error: no data\\n'); sys.exit(2)", "failing")
    killed = job(tmp_path, "import os; os.kill(os.getpid(), 9)", "killed")
    silent = job(tmp_path, "import sys; sys.exit(3)", "silent")
    reasons = {one.job.name: one.reason() for one in run([failing, killed, silent])}
    assert reasons == {"failing": "no data", "killed": "killed by signal 9", "silent": "it said nothing"}


def test_threads_are_shared_out_unless_the_user_chose(tmp_path, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    one = job(tmp_path, "import os; print(os.environ['OMP_NUM_THREADS'])")
    run([one], at_once=4)
    assert one.log.read_text() == "2\n"
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    run([one], at_once=4)
    assert one.log.read_text() == "5\n"


def test_an_error_in_the_caller_stops_the_others(tmp_path):
    quick = job(tmp_path, "", "quick")
    endless = job(tmp_path, "import time; time.sleep(600)", "endless")

    def refuse(over: Ended) -> str:
        raise UserError("enough")

    with pytest.raises(UserError, match="enough"):
        run_jobs([quick, endless], 2, refuse)


def test_a_line_that_is_still_being_written_is_left_out(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"iteration": 1}\n{"itera')
    assert logged_rows(tmp_path) == [{"iteration": 1}]
    assert logged_rows(tmp_path / "nowhere") == []
