"""A detection loss on contexts beside all that a run may have on: processes, average, mixed precision, compiler."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.engine.engine_runs import read_jsonl
from tests.reliability.people import people_config, people_model
from tests.reliability.ranks import MANY, as_ranks, trained

ALL = dict(
    amp=dict(enabled=True, dtype="bfloat16"),
    model_ema=dict(enabled=True, decay=0.9, device="", use_ema_weights_for_eval_only=False),
    compile=dict(enabled=MANY, backend="eager", regions=["heads.*"]),
    rewrites="all",
)


@pytest.mark.parametrize("source", ["teacher", "things"] if MANY else ["teacher"])
def test_with_all_options_on_two_processes(source: str, tmp_path: Path) -> None:
    """Half of the pictures have nobody; of a third nobody annotated the things, where annotations tell them."""
    start = tmp_path / "start.pth"
    torch.manual_seed(5)
    torch.save({"model": people_model("deformable_detr").state_dict()}, start)
    model: dict[str, Any] = {"things": True} if source == "things" else {"teacher": 0.012}
    folder = tmp_path / "run"

    cfg = people_config(str(folder), "deformable_detr", (2, 0, 1, 0), max_iter=2, model=model, **ALL)
    cfg.train.init_checkpoint = str(start)
    assert as_ranks([lambda: trained(cfg)] * 2) == [0, 0]
    rows = read_jsonl(folder / "metrics.jsonl")
    assert [row["iteration"] for row in rows] == [1, 2]
    for row in rows:
        asked = {name: value for name, value in row.items() if "objects" in name}
        assert len(asked) == 6
        assert all(value > 0 for value in asked.values())
    saved = torch.load(folder / "last.pth", weights_only=True)
    names = set(people_model("deformable_detr").state_dict())
    assert set(saved["model"]) == set(saved["ema"]) == names, "neither teacher nor compiler is in a checkpoint"
    assert (saved["teacher"] is not None) == (source == "teacher")
    heads = [name for name in names if name.startswith("host.class_embed")]
    before = torch.load(start, weights_only=True)["model"]
    assert heads
    assert any(not torch.equal(saved["model"][name], before[name]) for name in heads)
    assert all(value.isfinite().all() for value in saved["ema"].values())
