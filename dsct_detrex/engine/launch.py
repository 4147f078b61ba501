"""``--num-gpus N`` and ``--num-machines M``: the same command N times on each of M machines, by torch's own launcher.

Each process is this command again in the environment of torchrun (``RANK``, ``WORLD_SIZE``, ``LOCAL_RANK``, an address
to meet at), so that one road leads through the rest of the engine whoever started the processes.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from dsct_detrex.cli.running import INTERRUPTED
from dsct_detrex.cli.train import Arguments
from dsct_detrex.engine import ddp
from dsct_detrex.errors import UserError

_LOCAL = "127.0.0.1"
_SAVING = "600"  # seconds that processes get to save and end after Ctrl-C, before they are killed
_URL = re.compile(r"tcp://(?P<host>\[[^\]]+\]|[^:/]+):(?P<port>\d+)/?")


@dataclass(frozen=True)
class Group:
    """Processes that train together.

    Attributes:
        machine: number of this machine, below ``machines``.
        processes: on each machine.
        host, port: of machine 0, where all meet; port 0 takes a free one, on a single machine.
    """

    machines: int
    machine: int
    processes: int
    host: str = _LOCAL
    port: int = 0

    @property
    def size(self) -> int:
        """Processes on all machines."""
        return self.machines * self.processes


def group_wanted(arguments: Arguments) -> Group | None:
    """What to start; None means to go on in this process.

    Raises:
        UserError: more processes than GPUs, or flags that contradict each other, torchrun or the device.
    """
    machines, machine = arguments.num_machines or 1, arguments.machine_rank or 0
    host, port = _address(arguments.dist_url)
    if machine >= machines:
        more = "" if arguments.num_machines else f" It has no meaning without --num-machines N, N above {machine}."
        raise UserError(
            f"--machine-rank expects a number below --num-machines, which is {machines}. Got {machine}.{more}"
        )
    if machines > 1 and port == 0:
        raise UserError(
            f"--num-machines {machines} needs --dist-url tcp://HOST:PORT, the same on every machine: the address of "
            "machine 0 and a free port there."
        )
    group = Group(machines, machine, arguments.num_gpus or 1, host, port)
    if ddp.under_torchrun():
        _check_torchrun(arguments, group)
        return None
    if arguments.num_gpus:
        _check_gpus(arguments)
    return group if group.size > 1 else None


def _address(url: str | None) -> tuple[str, int]:
    if url in (None, "auto"):
        return _LOCAL, 0
    found = _URL.fullmatch(str(url))
    if found is None or not 0 < int(found["port"]) < 65536:
        raise UserError(f"--dist-url expects auto, or tcp://HOST:PORT with a port from 1 to 65535. Got {url}.")
    return found["host"], int(found["port"])


def _check_torchrun(arguments: Arguments, group: Group) -> None:
    world = int(os.environ["WORLD_SIZE"])
    if arguments.num_machines and world != group.size:
        raise UserError(
            f"--num-machines {group.machines} of {group.processes} process(es), but torchrun started {world} "
            "processes: leave the flags out."
        )
    if arguments.num_gpus and world != group.size:
        raise UserError(f"--num-gpus {arguments.num_gpus}, but torchrun started {world} processes: leave the flag out.")


def _check_gpus(arguments: Arguments) -> None:
    wanted = arguments.num_gpus or 0
    if arguments.device in ("cpu", "mps"):
        if wanted > 1:
            raise UserError(
                f"--num-gpus {wanted} with --device {arguments.device}: only GPUs can be counted. For several "
                "processes on a CPU use torchrun --nproc_per_node=N."
            )
        return
    if wanted > 1 and ":" in (arguments.device or ""):
        raise UserError(
            f"--num-gpus {wanted} with --device {arguments.device}: all processes would share that GPU. Leave --device "
            "out, and name GPUs by CUDA_VISIBLE_DEVICES=0,1."
        )
    available = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted > available:
        raise UserError(
            f"--num-gpus {wanted}, but torch sees {available} GPU(s) here: ask for {available}"
            + ("." if available else ", or use --device cpu (and torchrun for several processes).")
        )


def launch(command: Sequence[str], group: Group) -> int:
    """Run a command in all processes of this machine and wait for them.

    On Ctrl-C and SIGTERM the processes get the signal, save and end, and this waits for it. When one fails, torch ends
    the others, on all machines.

    Args:
        command: program and arguments.

    Returns:
        The exit status of the first process that failed, else 0; 130 where a signal ended them.
    """
    from torch.distributed.elastic.multiprocessing import SignalException  # half a second, for this alone
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", _SAVING)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // group.processes)))
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # the processes say what happened
    config = LaunchConfig(
        min_nodes=group.machines,
        max_nodes=group.machines,
        nproc_per_node=group.processes,
        run_id="dsct",
        rdzv_backend="static",
        rdzv_endpoint=f"{group.host}:{group.port or _free_port()}",
        rdzv_configs={"rank": group.machine},
        max_restarts=0,
    )
    program, *arguments = command
    try:
        elastic_launch(config, program)(*arguments)
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if failure.exitcode >= 0:
            return failure.exitcode
        _tell_killed(rank, -failure.exitcode)
        return 128 - failure.exitcode  # by signal n: as a shell says it
    except SignalException:
        return INTERRUPTED
    return 0


def _tell_killed(rank: int, number: int) -> None:
    """Whoever is killed tells nothing himself."""
    known = number in {one.value for one in signal.Signals}
    name = signal.Signals(number).name if known else f"signal {number}"
    reason = " (often the system, which had no memory left)" if name == "SIGKILL" else ""
    print(
        f"process {rank} was killed by {name}{reason}; the others were stopped. --resume continues from the last "
        "checkpoint.",
        file=sys.stderr,
        flush=True,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOCAL, 0))
        port: int = probe.getsockname()[1]
    return port
