"""Starting processes for ``--num-gpus``: their environment, their statuses, their signals."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from dsct_detrex.cli.train import Arguments
from dsct_detrex.engine import launch as launching
from dsct_detrex.engine.launch import launch, processes_wanted
from dsct_detrex.errors import UserError


def test_environment_is_that_of_torchrun(tmp_path: Path) -> None:
    names = "RANK LOCAL_RANK WORLD_SIZE LOCAL_WORLD_SIZE MASTER_ADDR MASTER_PORT"
    program = (
        f"import os, pathlib; v = [os.environ[n] for n in {names.split()!r}]; "
        f"(pathlib.Path({str(tmp_path)!r}) / v[0]).write_text(' '.join(v))"
    )
    assert launch(["-c", program], processes=2) == 0
    first, second = ((tmp_path / name).read_text().split() for name in ("0", "1"))
    assert first[:5] == ["0", "0", "2", "2", "127.0.0.1"]
    assert second[:5] == ["1", "1", "2", "2", "127.0.0.1"]
    assert first[5] == second[5]


def test_first_failure_decides_and_the_others_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launching, "_GRACE", 0.3)
    program = "import os, sys, time; sys.exit(2) if os.environ['RANK'] == '1' else time.sleep(60)"
    start = time.monotonic()
    assert launch(["-c", program], processes=2) == 2
    assert time.monotonic() - start < 30


def test_sigterm_is_passed_on_and_waited_for(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *a: sys.exit(130))\n"
        f"(pathlib.Path({str(tmp_path)!r}) / os.environ['RANK']).write_text('ready')\n"
        "time.sleep(60)\n"
    )

    def send_when_ready() -> None:
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=send_when_ready, daemon=True).start()
    handler = signal.getsignal(signal.SIGTERM)
    assert launch(["-c", program], processes=2) == 130
    assert signal.getsignal(signal.SIGTERM) is handler


def test_killed_processes_read_as_in_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launching, "_GRACE", 0.1)
    assert launch(["-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"], processes=1) == 128 + 9


@pytest.mark.parametrize(("world", "fits"), [("2", True), ("3", False)])
def test_together_with_torchrun(monkeypatch: pytest.MonkeyPatch, world: str, fits: bool) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", world)
    arguments = Arguments(config="a.py", num_gpus=2)
    if fits:
        assert processes_wanted(arguments) == 1
    else:
        with pytest.raises(UserError, match="--num-gpus 2, but torchrun started 3 processes: leave the flag out"):
            processes_wanted(arguments)
