"""How much work a program of the Triton kernels gets. Letters as in `triton_kernels`."""

import triton

from dsct_detrex.ops.triton_kernels import forward_kernel

INTERPRETED = not isinstance(forward_kernel, triton.JITFunction)
"""Whether triton runs kernels in its interpreter: decided by ``TRITON_INTERPRET`` when the kernels were imported."""

_FEW_ROWS = 2**13
"""Queries times heads times images below which programs are halved, so that every multiprocessor gets some."""


def tile(queries: int, rows: int, samples: int, channels: int) -> dict[str, int]:
    """How much a program holds: N queries x k samples x D channels, and its warps; a table, not a search.

    Eight elements a thread: one 16-byte read a corner of 16-bit values, two of float32, four or eight under way at a
    time. Compiled for compute capability 9.0 with D = 32, that is 48 to 61 registers forward and 80 to 126 backward,
    nothing spilled; twice as many elements take 87 to 181. Eight samples a step leave few sums across threads for the
    end; several queries a program share cells in the L1 cache. Wide heads take the room of samples first.

    A search (``triton.autotune``) would run the atomic additions of the backward several times over and wait for the
    device, for what these numbers decide. The interpreter pays for operations, whatever their size, and gets few.

    Args:
        queries: Q.
        rows: Q times heads times images.
        samples: L times P.
        channels: D.
    """
    room = triton.next_power_of_2(channels)
    if INTERPRETED:
        block, step = min(triton.next_power_of_2(max(1, queries)), 64), min(triton.next_power_of_2(samples), 16)
        return {"QUERIES": block, "TILE_SAMPLES": step, "TILE_CHANNELS": room}
    budget = 1024 if rows >= _FEW_ROWS else 512
    step = min(triton.next_power_of_2(samples), 8, max(1, budget // room))
    block = max(1, min(32, budget // (step * room)))
    warps = max(1, min(8, block * step * room // 256))
    return {"QUERIES": block, "TILE_SAMPLES": step, "TILE_CHANNELS": room, "num_warps": warps}
