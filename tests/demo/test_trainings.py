"""The demo's processes: side by side, watched, reported when they fail, and gone on with when they were stopped."""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from dsct_detrex.cli.running import guarded
from dsct_detrex.demo.trainings import RECORD, Training, forget, run_all, train_all
from dsct_detrex.errors import UserError

SCRIPT = """
import json, os, pathlib, signal, sys, time
folder, *words = sys.argv[1:]
folder = pathlib.Path(folder)
last = folder / "last.pth"
done = int(last.read_text()) if "--resume" in words else 0
(folder / "metrics.jsonl").write_text(json.dumps({"iteration": done + 3, "total_loss": 1.5}) + chr(10))
print("threads", os.environ["OMP_NUM_THREADS"], "from", done)
def save(*_):
    last.write_text(str(done + 3))
    print(f"Interrupted after iteration {done + 3}; saved {last}. Continue with: me --resume")
    sys.exit(143)
signal.signal(signal.SIGTERM, save)
if "slow" in words and folder.name == "two" and not done:
    (folder / "waits").touch()
    time.sleep(60)
last.write_text("9")
(folder / "summary.json").write_text(json.dumps({"seconds": 7.5}))
(folder / "evaluation.json").write_text("{}")
sys.exit(2 if "fail" in words else 0)
"""


class Fake(Training):
    """Runs a script of a few lines instead of a training."""

    def command(self, *extra: str) -> list[str]:
        return [sys.executable, "-c", SCRIPT, str(self.output_dir), *extra]


def fakes(folder: Path) -> list[Fake]:
    return [Fake(name, Path("config.py"), folder / name) for name in ("one", "two")]


def logs(folder: Path) -> list[str]:
    """What the trainings said when they began, over all their starts."""
    return [(folder / name / "train.log").read_text() for name in ("one", "two")]


def test_both_run_and_leave_logs(tmp_path: Path) -> None:
    train_all(fakes(tmp_path), 3)
    assert all("threads" in log for log in logs(tmp_path))
    first = fakes(tmp_path)[0]
    assert (first.rows(), first.seconds()) == ([{"iteration": 3, "total_loss": 1.5}], 7.5)
    run_all(fakes(tmp_path), "test", "--eval-only")
    assert (tmp_path / "two" / "test.log").is_file()


def test_a_failure_is_one_sentence_with_the_log(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"train of one ended with status 2: threads \d from 0 \(log: .*train.log\)"):
        train_all(fakes(tmp_path), 3, "fail")


def test_stopped_it_says_what_is_kept_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def stop_when_one_is_done_and_two_at_work() -> None:
        record, until = tmp_path / "one" / RECORD, time.monotonic() + 60
        while not ((tmp_path / "two" / "waits").exists() and '"finished"' in record.read_text()):
            assert time.monotonic() < until
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    def demo() -> int:
        train_all(fakes(tmp_path), 3, "slow")
        return 0

    threading.Thread(target=stop_when_one_is_done_and_two_at_work).start()
    assert guarded(demo, stopped="what is trained is kept, and the same command goes on") == 143
    assert capsys.readouterr().err.splitlines() == [
        "one: trained",
        f"two: Interrupted after iteration 3; saved {tmp_path}/two/last.pth",
        "Interrupted; what is trained is kept, and the same command goes on.",
    ]
    assert demo() == 0
    assert capsys.readouterr().out.startswith("one: trained already, kept\ntwo: left unfinished, continued\n")
    assert [log.count(" from ") for log in logs(tmp_path)] == [1, 2], "the finished one was not started again"
    assert logs(tmp_path)[1].endswith(" from 3\n")


def test_other_words_and_a_finished_demo_begin_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A checkpoint of before is set aside first: a start that dies at once must not be gone on with from it."""
    train_all(fakes(tmp_path), 3)
    train_all(fakes(tmp_path), 3, "optimizer.lr=1")
    assert [(tmp_path / name / "previous" / "1" / "last.pth").is_file() for name in ("one", "two")] == [True, True]
    forget(fakes(tmp_path))
    train_all(fakes(tmp_path), 3, "optimizer.lr=1")
    assert all(log.count(" from 0") == 1 for log in logs(tmp_path)), "a log of its own"
    assert (tmp_path / "two" / "previous" / "2" / "last.pth").is_file()
    assert f"two: begun anew; the one of before is in {tmp_path}/two/previous/2\n" in capsys.readouterr().out
    record = json.loads((tmp_path / "one" / RECORD).read_text())
    assert record["words"] == ["--config", "config.py", "optimizer.lr=1"]


def test_the_command_is_the_users_own() -> None:
    words = Training("DSCT", Path("projects/demo.py"), Path("runs/demo/dsct")).command("--eval-only")
    assert words == [
        sys.executable,
        "-m",
        "dsct_detrex",
        "train",
        "--config",
        str(Path("projects/demo.py")),
        f"train.output_dir={Path('runs/demo/dsct')}",
        "--eval-only",
    ]
