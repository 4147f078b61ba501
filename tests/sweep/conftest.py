"""A sweep of two hosts whose trainings are stubs, run in a temporary working directory."""

import functools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dsct_detrex.cli.running import guarded
from dsct_detrex.cli.sweep import parse
from dsct_detrex.engine.compose import compose
from dsct_detrex.sweep import plan
from dsct_detrex.sweep.command_line import sweep as work
from dsct_detrex.sweep.trainer import Trainer

STUB = Trainer((sys.executable, str(Path(__file__).with_name("stub_train.py"))), "python stub_train.py")
SWEEP = """
from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

sweep = L(Sweep)(
    name="two_hosts",
    title="two hosts",
    paper_table="Table 10",
    axis="Host",
    cells=[
        dict(name="dino", label="DINO", overrides=["host.name=dino"], paper={"caer_s": 89.27}),
        dict(name="deformable", label="Deformable", overrides=["host.name=deformable_detr"]),
    ],
)
"""


def main(words: list[str]) -> int:
    """``dsct sweep`` with stubs for trainings."""
    return guarded(lambda: work(parse(words), words, STUB))


def commands(printed: str) -> list[str]:
    """The commands that ``--dry-run`` prints; its table is comments."""
    return [line for line in printed.splitlines() if not line.startswith("#")]


compose_once = functools.cache(compose)  # the same half second otherwise, in every test


@pytest.fixture
def sweep_file(tmp_path: Path) -> Path:
    path = tmp_path / "two_hosts.py"
    path.write_text(SWEEP)
    return path


@pytest.fixture
def sweep(sweep_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run ``dsct sweep`` on the two hosts with further words; results go to ``out``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plan, "compose", compose_once)
    (tmp_path / "out").mkdir()

    def run(*words: str) -> int:
        return main(["--config", str(sweep_file), "--output-dir", "out", "--seeds", "1", *words])

    return run


@pytest.fixture
def calls(tmp_path: Path) -> Callable[[], list[str]]:
    """What the stubs were called for since the last look."""

    def look() -> list[str]:
        path = tmp_path / "out" / "calls.txt"
        lines = sorted(path.read_text().splitlines()) if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    return look
