"""One run on one, two and four processes of the same total batch: how far its losses are apart.

``python -m tests.reliability.processes`` tries all cases on all numbers of processes; the test tries some.
"""

from __future__ import annotations

import math
import sys
import tempfile
from pathlib import Path
from typing import Any

from dsct_detrex.engine import run
from tests.engine.engine_runs import read_jsonl
from tests.reliability.people import people_config
from tests.reliability.ranks import as_ranks, trained

Case = tuple[str, tuple[int, ...], dict[str, Any]]
Losses = list[dict[str, float]]

CASES: dict[str, Case] = {
    "denoising, nobody alone": ("dn_detr", (2, 1, 1, 3), {"groups": 2}),
    "half of the pictures without people": ("deformable_detr", (2, 1, 0, 0), {}),
    "fewer people than processes": ("deformable_detr", (1, 0, 0, 0), {}),
    "nobody anywhere": ("detr", (0, 0, 0, 0), {}),
    "things that contexts detect": ("deformable_detr", (2, 0, 0, 1), {"things": True}),
    "denoising, a process without people": ("dn_detr", (2, 1, 0, 0), {"groups": 2}),
    "contrastive denoising, a process without people": ("dino", (2, 1, 0, 0), {"groups": 2}),
}
"""Host, people of the four pictures of a batch, options of the model."""


def losses(folder: Path, case: Case, world: int, steps: int) -> Losses:
    """All losses and the norm of the gradient, step by step, of a run on so many processes."""
    host, counts, model = case
    cfg = people_config(str(folder / str(world)), host, counts, max_iter=steps, model=model)
    if world == 1:
        run(cfg, quiet=True)
    else:
        assert as_ranks([lambda: trained(cfg)] * world) == [0] * world
    rows = read_jsonl(folder / str(world) / "metrics.jsonl")
    return [{name: value for name, value in row.items() if "loss" in name or name == "grad_norm"} for row in rows]


def apart(one: Losses, other: Losses, case: Case) -> float:
    """The largest relative difference.

    Pictures without people get boxes of chance in denoising, which answer for nobody and which ``loss_class_dn`` alone
    judges: where there are such, it is left out, and so are steps behind the first, whose weights have learnt of it.
    """
    assert [set(row) for row in one] == [set(row) for row in other]
    assert all(math.isfinite(value) for row in other for value in row.values())
    by_chance = "groups" in case[2] and 0 in case[1]
    left_out = ("loss_class_dn", "total_loss", "grad_norm") if by_chance else ()
    steps = list(zip(one, other, strict=True))[: 1 if by_chance else None]
    return max(
        abs(mine[name] - yours[name]) / max(abs(mine[name]), 1e-3)
        for mine, yours in steps
        for name in mine
        if not name.startswith(left_out)
    )


def main() -> int:
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory(prefix="processes") as place:
            alone = losses(Path(place), case, 1, 4)
            for world in (2, 4):
                found = losses(Path(place), case, world, 4)
                print(f"{name}, {world} processes: {apart(alone, found, case):.1e}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
