"""torchrun itself: processes of one machine, one of them killed; two machines, one of them lost.

``python -m tests.reliability.torchruns`` plays everything and says what came out. Machines are network namespaces
joined by a cable (``ip netns``, which takes root); where that is not permitted they are two launchers on the loopback,
and it is said.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from tests.engine.engine_runs import ROOT
from tests.engine.engine_toys import ToyTrainLoader

CONFIG = """
from tests.reliability.test_lost_process import config
from tests.reliability.torchruns import SlowLoader
_cfg = config({folder!r}, max_iter={steps}, eval_period={steps}, log_period=1)
_cfg.dataloader.train._target_ = SlowLoader
train, model, dataloader, optimizer = _cfg.train, _cfg.model, _cfg.dataloader, _cfg.optimizer
lr_multiplier, emotions = _cfg.lr_multiplier, _cfg.emotions
"""


class SlowLoader(ToyTrainLoader):
    """Steps that take a twentieth of a second, so that there is a moment to kill at."""

    position_of_all = True

    def __iter__(self) -> Iterator[list[dict[str, Any]]]:
        for batch in super().__iter__():
            time.sleep(0.05)
            yield batch


ADDRESSES = ("10.213.7.1", "10.213.7.2")
SHARED = "dscta", "dsctb"


@dataclass
class Machine:
    """Where a launcher runs.

    Attributes:
        prefix: words in front of its command.
        address: by which others reach it.
        environment: what it needs besides.
    """

    prefix: tuple[str, ...] = ()
    address: str = "127.0.0.1"
    environment: dict[str, str] = field(default_factory=dict)


@contextmanager
def two_machines() -> Iterator[tuple[list[Machine], str]]:
    """Two machines, and what they are."""
    try:
        _lay_cable()
    except (OSError, subprocess.CalledProcessError) as error:
        reason = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[0]
        alike = [Machine(), Machine()]
        yield alike, f"two launchers on the loopback, as namespaces are not permitted here ({reason})"
        return
    try:
        yield (
            [
                Machine(("ip", "netns", "exec", name), address, {"GLOO_SOCKET_IFNAME": f"{name}0"})
                for name, address in zip(SHARED, ADDRESSES)
            ],
            "two network namespaces joined by a cable",
        )
    finally:
        for name in SHARED:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


def _lay_cable() -> None:
    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True, text=True)

    for name in SHARED:
        subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)
        ip("netns", "add", name)
    first, second = (f"{name}0" for name in SHARED)
    ip("link", "add", first, "netns", SHARED[0], "type", "veth", "peer", "name", second, "netns", SHARED[1])
    for name, address in zip(SHARED, ADDRESSES):
        ip("-n", name, "address", "add", f"{address}/24", "dev", f"{name}0")
        ip("-n", name, "link", "set", f"{name}0", "up")
        ip("-n", name, "link", "set", "lo", "up")


def torchrun(machine: Machine, words: Sequence[str], config: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start a launcher as the leader of a group of processes."""
    command = [*machine.prefix, sys.executable, "-m", "torch.distributed.run", *words]
    command += ["-m", "dsct_detrex", "train", "--config", str(config), "--device", "cpu"]
    kept = {name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    environment = kept | machine.environment | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    environment["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"  # else processes find the addresses of the attempt before
    with log.open("ab") as file:
        return subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, env=environment, start_new_session=True, cwd=ROOT
        )


def workers(launcher: int) -> list[int]:
    """The processes that a launcher started, the first one first."""
    found = Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()
    return sorted(int(pid) for pid in found)


def steps_done(folder: Path) -> int:
    """By the log; 0 where there is none yet."""
    try:
        lines = (folder / "metrics.jsonl").read_text().splitlines()
    except OSError:
        return 0
    return json.loads(lines[-1])["iteration"] if lines else 0


def wait_for(steps: int, folder: Path, launchers: Sequence[subprocess.Popen[bytes]], seconds: float = 240) -> None:
    """Until a run has done so many steps."""
    deadline = time.monotonic() + seconds
    while steps_done(folder) < steps:
        assert all(one.poll() is None for one in launchers), f"a launcher ended before step {steps}"
        assert time.monotonic() < deadline, f"{steps_done(folder)} of {steps} steps in {seconds} s"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def weights(folder: Path) -> dict[str, torch.Tensor]:
    saved: dict[str, torch.Tensor] = torch.load(folder / "last.pth", weights_only=True)["model"]
    return saved


def difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """The largest, of any weight."""
    return max((one[name].double() - other[name].double()).abs().max().item() for name in one)


def same_on(processes: Sequence[int], place: Path, steps: int = 20) -> dict[int, float]:
    """Train on each number of processes; how far weights are from those of the first number."""
    found: dict[int, dict[str, torch.Tensor]] = {}
    for number in processes:
        folder, config = place / f"on_{number}", place / f"on_{number}.py"
        config.write_text(CONFIG.format(folder=str(folder), steps=steps))
        one = torchrun(Machine(), ["--standalone", f"--nproc-per-node={number}"], config, place / f"on_{number}.log")
        assert one.wait(120) == 0, (place / f"on_{number}.log").read_text()
        found[number] = weights(folder)
    return {number: difference(found[number], found[processes[0]]) for number in processes[1:]}


def one_killed(place: Path, again: int, steps: int = 60) -> tuple[float, str]:
    """Kill -9 the second of two processes behind a checkpoint.

    Args:
        again: how often torchrun may start them again.

    Returns:
        Seconds until the end of all (0 where it goes on), and what was told.
    """
    folder, config, log = place / f"killed_{again}", place / f"killed_{again}.py", place / f"killed_{again}.log"
    config.write_text(CONFIG.format(folder=str(folder), steps=steps))
    launcher = torchrun(
        Machine(), ["--standalone", "--nproc-per-node=2", f"--max-restarts={again}", "--monitor-interval=0.1"], config,
        log,
    )  # fmt: skip
    wait_for(7, folder, [launcher])
    os.kill(workers(launcher.pid)[1], signal.SIGKILL)
    start = time.monotonic()
    status = launcher.wait(120)
    assert (status == 0) == (again > 0), log.read_text()
    return (0.0 if again else time.monotonic() - start), log.read_text()


def one_machine_lost(place: Path, comes_back: bool, steps: int = 150) -> dict[str, object]:
    """Two machines of two processes; the second is lost behind a checkpoint, and the first goes on alone.

    Args:
        comes_back: another one joins afterwards, so that the end is of two again.
    """
    folder, config = place / f"machines_{comes_back}", place / f"machines_{comes_back}.py"
    config.write_text(CONFIG.format(folder=str(folder), steps=steps))
    port = free_port()
    with two_machines() as (machines, what):
        logs = [place / f"machine_{number}_{comes_back}.log" for number in range(2)]

        def start(number: int) -> subprocess.Popen[bytes]:
            words = [
                "--nnodes=1:2", "--nproc-per-node=2", "--max-restarts=3", "--rdzv-backend=c10d", "--rdzv-id=test",
                f"--rdzv-endpoint={machines[0].address}:{port}", f"--local-addr={machines[number].address}",
                f"--node-rank={number}", "--monitor-interval=0.1",
                f"--rdzv-conf=is_host={number == 0},last_call_timeout=5,join_timeout=300",
            ]  # fmt: skip
            return torchrun(machines[number], words, config, logs[number])

        launchers = [start(0), start(1)]
        try:
            wait_for(7, folder, launchers)
            before = json.loads((folder / "environment.json").read_text())["processes"]
            lost = time.monotonic()
            for pid in [launchers[1].pid, *workers(launchers[1].pid)]:
                os.kill(pid, signal.SIGKILL)
            launchers[1].wait()
            here = steps_done(folder)
            wait_for(here + 3, folder, launchers[:1])
            pause = time.monotonic() - lost
            alone = json.loads((folder / "environment.json").read_text())["processes"]
            if comes_back:
                launchers[1] = start(1)
            statuses = [one.wait(240) for one in (launchers if comes_back else launchers[:1])]
            at_the_end = json.loads((folder / "environment.json").read_text())["processes"]
        finally:
            for one in launchers:
                if one.poll() is None:
                    os.killpg(one.pid, signal.SIGKILL)
        text = "".join(log.read_text() for log in logs)
        assert statuses == [0] * len(statuses), text
    return {
        "machines": what,
        "processes": [before, alone, at_the_end],
        "lost at step": here,
        "seconds until it went on": round(pause, 1),
        "steps in the log": [row["iteration"] for row in _rows(folder)] == list(range(1, steps + 1)),
        "folder": folder,
    }


def _rows(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="torchruns") as name:
        place = Path(name)
        for number, distance in same_on((1, 2, 4), place).items():
            print(f"weights after 20 steps on {number} processes, from those on one: {distance:.1e}", flush=True)
        seconds, told = one_killed(place, again=0)
        sentence = next(line for line in told.splitlines() if "another process of this run ended" in line)
        print(f"one of two killed: all ended after {seconds:.1f} s; told: {sentence}", flush=True)
        _, told = one_killed(place, again=1)
        again = next(line for line in told.splitlines() if "torchrun has started this run again" in line)
        print(f"one of two killed, and started again: {again}", flush=True)
        for comes_back in (False, True):
            found = one_machine_lost(place, comes_back)
            print(f"one of two machines lost{', and another in its place' if comes_back else ''}: {found}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
