"""``last.pth``: written whole or not at all, read safely, refused where it does not belong."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from omegaconf import DictConfig

from dsct_detrex.engine import run
from dsct_detrex.engine.checkpoint import read_last
from dsct_detrex.engine.files import write_atomically, write_json
from dsct_detrex.engine.rng import preserved_rng, rng_state, seed_everything, set_rng_state
from dsct_detrex.errors import UserError

Toy = Callable[..., DictConfig]


def test_nothing_to_resume(toy: Toy, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"--resume expects .*run/last.pth, which does not exist. Start without --resume"
    ):
        run(toy(), resume=True, quiet=True)
    assert not (tmp_path / "run").exists()


def test_loads_with_weights_only(toy: Toy, tmp_path: Path) -> None:
    run(toy("train.model_ema.enabled=true"), quiet=True)
    content = torch.load(tmp_path / "run" / "last.pth", weights_only=True)
    assert set(content) == {
        "format", "iteration", "max_iter", "evaluated_at", "model", "optimizer", "scaler", "ema", "best", "rng",
        "loader", "wandb_run_id", "config", "optimizer_names", "seconds", "measured", "teacher", "losses",
    }  # fmt: skip
    assert content["iteration"] == 10
    assert content["loader"] == [{"iteration": 10}]


def test_damaged_file_names_the_one_before(toy: Toy, tmp_path: Path) -> None:
    run(toy(), quiet=True)
    last = tmp_path / "run" / "last.pth"
    last.write_bytes(last.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"cannot read .*last.pth: it is damaged.* Rename .*last.prev.pth to last.pth"):
        run(toy("train.max_iter=12"), resume=True, quiet=True)
    os.replace(tmp_path / "run" / "last.prev.pth", last)
    assert read_last(tmp_path / "run")["iteration"] == 5


def test_missing_file_names_the_one_before(toy: Toy, tmp_path: Path) -> None:
    run(toy(), quiet=True)
    (tmp_path / "run" / "last.pth").unlink()
    with pytest.raises(UserError, match=r"does not exist. Rename .*last.prev.pth to last.pth"):
        run(toy(), resume=True, quiet=True)


def test_checkpoint_of_another_model(toy: Toy) -> None:
    run(toy(), quiet=True)
    with pytest.raises(UserError) as caught:
        run(toy("model.hidden=16", "model.spare=true"), resume=True, quiet=True)
    message = str(caught.value)
    assert "is the checkpoint of another model" in message
    assert "spare.weight, spare.bias missing there" in message
    assert "hidden.0.weight" in message
    assert "of another shape" in message


def test_old_checkpoint_of_other_groups(toy: Toy, tmp_path: Path) -> None:
    """Without the names of the weights, groups can only be matched by their order."""
    run(toy(), quiet=True)
    path = tmp_path / "run" / "last.pth"
    content = torch.load(path, weights_only=True)
    del content["optimizer_names"]
    torch.save(content, path)
    other = toy("~optimizer.params.base_lr", "+optimizer.params.weight_decay_norm=0.0", "+optimizer.params.base_lr=0.1")
    with pytest.raises(UserError, match=r"the optimizer of .*last.pth has other parameter groups"):
        run(other, resume=True, quiet=True)


def test_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail(temporary: Path) -> None:
        temporary.write_text("half of the n")
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match=r"Writing .*file.txt failed .*No space left on device.* is intact"):
        write_atomically(path, fail, keep_previous=tmp_path / "previous.txt")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_full_disk_in_a_run(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(toy("train.max_iter=5"), quiet=True)
    before = (tmp_path / "run" / "last.pth").read_bytes()

    def fail(*args: object) -> None:
        raise RuntimeError("[enforce fail at inline_container.cc:664] unexpected pos 64 vs 0")  # torch on a full disk

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(UserError, match="what was there before is intact"):
        run(toy(), resume=True, quiet=True)
    assert (tmp_path / "run" / "last.pth").read_bytes() == before


def test_json_has_no_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"value": float("nan"), "list": [float("inf"), 1.5], 3: "ü"})
    assert (tmp_path / "a.json").read_text() == '{\n "value": null,\n "list": [\n  null,\n  1.5\n ],\n "3": "ü"\n}\n'


def test_random_states_of_all_three_generators() -> None:
    import random

    import numpy as np

    def draw() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002

    assert seed_everything(5, rank=1) == 5
    draw()
    state = rng_state()
    first = draw()
    set_rng_state(state)
    assert draw() == first
    set_rng_state(state)
    with preserved_rng():
        draw()
    assert draw() == first
    seed_everything(5, rank=0)
    other = draw()
    seed_everything(5, rank=1)
    assert draw() != other
