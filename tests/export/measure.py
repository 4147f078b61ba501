"""How far an export is from PyTorch, host by host: ``python -m tests.export.measure [--full] [HOST ...]`` prints rows.

Weights are random, in ``--full`` size as a config builds them before training. It is where the table of
``docs/export.md`` comes from.
"""

import sys
import tempfile
import time
from pathlib import Path

import torch
from omegaconf import OmegaConf

from dsct_detrex.config import instantiate
from dsct_detrex.dsct import DSCT, RelationalAggregation
from dsct_detrex.export import program_of, write_onnx, write_program
from dsct_detrex.export.checking import BATCHES, agreement, run_onnx, run_program
from dsct_detrex.structures import CAER_S
from tests.dsct.tiny import HOSTS, TABLE, tiny_dsct
from tests.export.test_hosts import BATCHES as SMALL_BATCHES
from tests.export.test_hosts import HEADER


def full_dsct(name: str) -> DSCT:
    """DSCT on a host of the table as it is."""
    host = instantiate(OmegaConf.create({"host": TABLE[name]}, flags={"allow_objects": True}).host)
    return DSCT(host, CAER_S, aggregation=RelationalAggregation())


def main(words: list[str]) -> None:
    """One row a host: name, difference, MiB, seconds; ``--program`` measures programs of torch.export instead."""
    full, program = "--full" in words, "--program" in words
    for name in [word for word in words if not word.startswith("--")] or HOSTS:
        torch.manual_seed(0)
        model = (full_dsct if full else tiny_dsct)(name).eval()
        with tempfile.TemporaryDirectory() as folder:
            path, start = Path(folder) / ("a.pt2" if program else "a.onnx"), time.perf_counter()
            write_program(program_of(model), path, HEADER) if program else write_onnx(model, path, HEADER)
            seconds, size = time.perf_counter() - start, path.stat().st_size / 2**20
            found = agreement(
                model, (run_program if program else run_onnx)(str(path)), BATCHES if full else SMALL_BATCHES
            )
        shown = " | ".join(f"{value:.0e}" for value in found.differences.values())
        print(f"| {name} | {shown} | {size:.0f} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
