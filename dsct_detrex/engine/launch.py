"""``--num-gpus N``: the same command N times, with the environment that torchrun would set.

Each process is this command again with ``RANK``, ``WORLD_SIZE``, ``LOCAL_RANK`` and an address to meet at, so that
one road leads through the rest of the engine whoever started the processes.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

import torch

from dsct_detrex.cli.train import Arguments
from dsct_detrex.engine import ddp
from dsct_detrex.errors import UserError

_GRACE = 30.0  # seconds that the others get to end by themselves after one has failed
_POLL = 0.1


def processes_wanted(arguments: Arguments) -> int:
    """How many processes to start; 1 means to go on in this one.

    Raises:
        UserError: more than there are GPUs, or together with torchrun or another device.
    """
    wanted = arguments.num_gpus
    if wanted is None or wanted == 0:
        return 1
    if wanted < 0:
        raise UserError(f"--num-gpus expects 0 or more. Got {wanted}.")
    if ddp.under_torchrun():
        world = int(os.environ["WORLD_SIZE"])
        if world != wanted:
            raise UserError(f"--num-gpus {wanted}, but torchrun started {world} processes: leave the flag out.")
        return 1
    if arguments.device in ("cpu", "mps") and wanted > 1:
        raise UserError(
            f"--num-gpus {wanted} with --device {arguments.device}: only GPUs can be counted. For several processes "
            "on a CPU use torchrun --nproc_per_node=N."
        )
    available = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted > available and arguments.device not in ("cpu", "mps"):
        raise UserError(
            f"--num-gpus {wanted}, but torch sees {available} GPU(s) here: ask for {available}"
            + ("." if available else ", or use --device cpu (and torchrun for several processes).")
        )
    return wanted


def launch(command: Sequence[str], processes: int) -> int:
    """Run ``python <command>`` in several processes and wait for all.

    Ctrl-C reaches them from the terminal and SIGTERM is passed on; they save and end, and this waits for it. When one
    fails, the others get a while to end, then they are stopped.

    Returns:
        The first exit status that is not 0, else 0.
    """
    port = _free_port()
    environments = [_environment(rank, processes, port) for rank in range(processes)]
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    children = [subprocess.Popen([sys.executable, *command], env=environment) for environment in environments]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: _send(children, signal.SIGTERM))
    try:
        return _wait(children)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _wait(children: Sequence[subprocess.Popen[bytes]]) -> int:
    failed_at: float | None = None
    first = 0
    while True:
        statuses = [child.poll() for child in children]
        bad = [status for status in statuses if status]
        if bad and failed_at is None:
            failed_at, first = time.monotonic(), bad[0]
        if all(status is not None for status in statuses):
            return first if first >= 0 else 128 - first  # killed by signal n: 128 + n, as a shell says
        if failed_at is not None and time.monotonic() - failed_at > _GRACE:
            _send(children, signal.SIGKILL)
        time.sleep(_POLL)


def _send(children: Sequence[subprocess.Popen[bytes]], number: signal.Signals) -> None:
    for child in children:
        if child.poll() is None:
            child.send_signal(number)


def _environment(rank: int, processes: int, port: int) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(processes),
        "LOCAL_WORLD_SIZE": str(processes),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
