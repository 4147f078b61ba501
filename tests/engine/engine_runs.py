"""Processes of toy runs, and what they wrote."""

import json
import multiprocessing
import os
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def start_ranks(work: Sequence[Callable[[], int]]) -> list[BaseProcess]:
    """Fork one process for each callable, as the ranks of one run; its result is the exit status."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def child(rank: int) -> None:
        if len(work) > 1:
            os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(len(work)))
            os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
        try:
            status = work[rank]()
        except BaseException:
            traceback.print_exc()
            status = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)

    context = multiprocessing.get_context("fork")
    children: list[BaseProcess] = [context.Process(target=child, args=(rank,)) for rank in range(len(work))]
    for process in children:
        process.start()
    return children


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
