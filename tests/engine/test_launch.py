"""Starting processes for ``--num-gpus`` and ``--num-machines``: their environment, their statuses, their signals."""

import os
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest
import torch
from engine_runs import start_ranks

from dsct_detrex.cli.train import parse
from dsct_detrex.engine import command_line
from dsct_detrex.engine.launch import Group, group_wanted, launch
from dsct_detrex.errors import UserError
from tests.commands import train

TWO = Group(machines=1, machine=0, processes=2)


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the launcher leaves in the environment goes with the test."""
    for name in ("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "OMP_NUM_THREADS", "TORCHELASTIC_SIGNALS_TO_HANDLE"):
        monkeypatch.setenv(name, os.environ.get(name, "1"))


def test_environment_is_that_of_torchrun(tmp_path: Path) -> None:
    names = "RANK LOCAL_RANK WORLD_SIZE LOCAL_WORLD_SIZE MASTER_ADDR MASTER_PORT"
    program = (
        f"import os, pathlib; v = [os.environ[n] for n in {names.split()!r}]; "
        f"(pathlib.Path({str(tmp_path)!r}) / v[0]).write_text(' '.join(v))"
    )
    assert launch(python(program), TWO) == 0
    first, second = ((tmp_path / name).read_text().split() for name in ("0", "1"))
    assert first[:5] == ["0", "0", "2", "2", "127.0.0.1"]
    assert second[:5] == ["1", "1", "2", "2", "127.0.0.1"]
    assert first[5] == second[5]


def test_first_failure_decides_and_the_others_are_stopped() -> None:
    program = "import os, sys, time; sys.exit(2) if os.environ['RANK'] == '1' else time.sleep(60)"
    start = time.monotonic()
    assert launch(python(program), TWO) == 2
    assert time.monotonic() - start < 30


def test_killed_processes_read_as_in_a_shell() -> None:
    assert launch(python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"), Group(1, 0, 1)) == 128 + 9


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_passed_on_and_waited_for(number: signal.Signals, tmp_path: Path) -> None:
    program = (
        "import os, pathlib, signal, sys, time\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "def save(*a):\n"
        "    time.sleep(0.3)\n"
        "    (folder / f'saved{os.environ[\"RANK\"]}').touch()\n"
        "    sys.exit(130)\n"
        f"signal.signal({int(number)}, save)\n"
        "(folder / os.environ['RANK']).touch()\n"
        "time.sleep(60)\n"
    )

    def send_when_ready() -> None:
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.02)
        os.kill(os.getpid(), number)

    threading.Thread(target=send_when_ready, daemon=True).start()
    handler = signal.getsignal(number)
    assert launch(python(program), TWO) == 128 + number
    assert signal.getsignal(number) is handler
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "saved0", "saved1"]


@pytest.mark.parametrize(
    ("words", "world", "sentence"),
    [
        ("--num-gpus 2", "2", ""),
        ("--num-gpus 2", "3", "--num-gpus 2, but torchrun started 3 processes: leave the flag out"),
        ("--num-machines 2 --num-gpus 2 --dist-url tcp://a:1", "4", ""),
        (
            "--num-machines 2 --num-gpus 2 --dist-url tcp://a:1",
            "2",
            "torchrun started 2 processes: leave the flags out",
        ),
    ],
)
def test_together_with_torchrun(monkeypatch: pytest.MonkeyPatch, words: str, world: str, sentence: str) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", world)
    arguments = parse(["--config", "a.py", *words.split()])
    if not sentence:
        assert group_wanted(arguments) is None
    else:
        with pytest.raises(UserError, match=sentence):
            group_wanted(arguments)


@pytest.mark.parametrize(
    ("words", "group"),
    [
        ("", None),
        ("--num-gpus 0", None),
        ("--num-gpus 1", None),
        ("--num-gpus 1 --num-machines 1 --machine-rank 0 --dist-url auto", None),
        ("--num-gpus 4", Group(1, 0, 4)),
        ("--num-gpus 4 --dist-url tcp://127.0.0.1:29500", Group(1, 0, 4, "127.0.0.1", 29500)),
        ("--num-machines 2 --num-gpus 4 --dist-url tcp://node0:1234", Group(2, 0, 4, "node0", 1234)),
        ("--num-machines 3 --machine-rank 2 --dist-url tcp://10.0.0.1:1 --num-gpus 0", Group(3, 2, 1, "10.0.0.1", 1)),
        ("--num-machines 2 --machine-rank 1 --dist-url tcp://[::1]:9 --device cpu", Group(2, 1, 1, "[::1]", 9)),
    ],
)
def test_groups(monkeypatch: pytest.MonkeyPatch, words: str, group: Group | None) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert group_wanted(parse(["--config", "a.py", *words.split()])) == group


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--num-machines 2", "--num-machines 2 needs --dist-url tcp://HOST:PORT"),
        ("--num-machines 2 --dist-url auto", "--num-machines 2 needs --dist-url tcp://HOST:PORT"),
        ("--machine-rank 1", "a number below --num-machines, which is 1. Got 1. It has no meaning without --num-mach"),
        ("--num-machines 2 --machine-rank 2 --dist-url tcp://a:1", "below --num-machines, which is 2. Got 2."),
        ("--num-machines 2 --dist-url tcp://a", "--dist-url expects auto, or tcp://HOST:PORT"),
        ("--num-machines 2 --dist-url tcp://a:0", "with a port from 1 to 65535. Got tcp://a:0."),
        ("--num-machines 2 --dist-url tcp://a:99999", "with a port from 1 to 65535"),
        ("--num-machines 2 --dist-url a:1", "--dist-url expects auto, or tcp://HOST:PORT"),
        ("--num-machines 2 --dist-url file:///shared", "--dist-url expects auto, or tcp://HOST:PORT"),
        ("--dist-url nonsense", "--dist-url expects auto, or tcp://HOST:PORT"),
        ("--num-machines 0", "--num-machines expects a whole number of at least 1. Got 0"),
        ("--machine-rank -1", "--machine-rank expects a whole number of at least 0. Got -1"),
        ("--num-gpus 9", "--num-gpus 9, but torch sees 0"),
        ("--num-gpus 2 --device cpu", "only GPUs can be counted"),
        ("--num-gpus 2 --device cuda:0", "all processes would share that GPU"),
    ],
)
def test_contradictions(monkeypatch: pytest.MonkeyPatch, words: str, sentence: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError) as error:
        group_wanted(parse(["--config", "a.py", *words.split()]))
    assert sentence in str(error.value)


@pytest.mark.parametrize(("words", "notes"), [("--dist-url tcp://a:1", 1), ("--dist-url auto", 0), ("", 0)])
def test_an_address_where_nobody_is_met_is_told(
    words: str, notes: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.setattr(command_line, "compose", lambda *_: None)
    monkeypatch.setattr(command_line, "run", lambda *_, **__: None)
    assert command_line.train(parse(f"--config demo {words}".split()), words.split()) == 0
    assert capsys.readouterr().out.count("note: --dist-url tcp://a:1 has no effect on a single process.") == notes


def test_two_machines_train_one_run(
    config_file: Path,
    tmp_path: Path,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Both are this machine; they meet at an address, and machine 0 writes."""
    for name in ("PYTHONPATH", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, environment[name])
    port = 20000 + os.getpid() % 20000
    words = ["-c", str(config_file), "--device", "cpu", "--num-machines", "2", f"--dist-url=tcp://127.0.0.1:{port}"]
    lines = [[*words, "train.max_iter=2", "--machine-rank", str(rank)] for rank in range(2)]
    machines = [start_ranks([partial(train, line)])[0] for line in lines]
    for machine in machines:
        machine.join(100)
    said = capfd.readouterr()
    assert [machine.exitcode for machine in machines] == [0, 0], said.err
    assert f"machine 1 of 2: meeting the others at 127.0.0.1:{port}" in said.out
    assert '"processes": 2' in (tmp_path / "run" / "environment.json").read_text()
