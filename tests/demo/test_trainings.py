"""The demo's processes: side by side, watched, and reported when they fail."""

import sys
from pathlib import Path

import pytest

from dsct_detrex.demo.trainings import Training, run_all
from dsct_detrex.errors import UserError

SCRIPT = """
import json, os, pathlib, sys
folder = pathlib.Path(sys.argv[1])
(folder / "metrics.jsonl").write_text(json.dumps({"iteration": 3, "total_loss": 1.5}) + chr(10))
print("threads", os.environ["OMP_NUM_THREADS"])
sys.exit(int(sys.argv[2]))
"""


class Fake(Training):
    """Runs a script of two lines instead of a training."""

    def command(self, *extra: str) -> list[str]:
        return [sys.executable, "-c", SCRIPT, str(self.output_dir), *extra]


def fakes(folder: Path) -> list[Fake]:
    return [Fake(name, Path("config.py"), folder / name) for name in ("one", "two")]


def test_both_run_and_leave_logs(tmp_path):
    seconds = run_all(fakes(tmp_path), "train", 3, "0")
    assert set(seconds) == {"one", "two"}
    assert all("threads" in (tmp_path / name / "train.log").read_text() for name in seconds)
    assert fakes(tmp_path)[0].rows() == [{"iteration": 3, "total_loss": 1.5}]


def test_a_failure_is_one_sentence_with_the_log(tmp_path):
    with pytest.raises(UserError, match=r"train of one ended with status 2: threads \d \(log: .*train.log\)"):
        run_all(fakes(tmp_path), "train", 3, "2")


def test_the_command_is_the_users_own():
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
