"""A new run writes over nothing that an older one, or the user, left in its folder."""

from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import DictConfig

from dsct_detrex.engine import run
from dsct_detrex.errors import UserError

Toy = Callable[..., DictConfig]

OF_A_RUN = [
    "last.pth", "last.prev.pth", "summary.json", "metrics.csv", "metrics.jsonl", "config.yaml", "environment.json",
    "data.json", "non_finite.json", "evaluation.json", "evaluation_ema.json", "evaluation_test.json",
    "evaluation_test_1.json", "coco_instances_results.json", "best.safetensors", "last.safetensors",
    "last_ema.safetensors", "model_0000005.safetensors", "best.md", "last.md", "last_ema.md", "model_0000005.md",
    "tensorboard/events.out.tfevents.1", "wandb/run-1/log.txt",
]  # fmt: skip
FOREIGN = ["holiday.jpg", "photos/a.jpg", "my_model.safetensors", "README.md", "train.log", "sweep_run.json"]


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", OF_A_RUN)
def test_anything_of_a_run_is_set_aside(
    toy: Toy, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text("precious")
    run(toy("train.max_iter=1"))
    assert (folder / "previous" / "1" / name).read_text() == "precious"
    assert "held another run, which is now in" in capsys.readouterr().out


def test_what_is_no_runs_stays_where_it_is(toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    for name in FOREIGN:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("precious")
    run(toy("train.max_iter=1"))
    assert {name: (folder / name).read_text() for name in FOREIGN} == dict.fromkeys(FOREIGN, "precious")
    assert "held another run" not in capsys.readouterr().out
    assert not (folder / "previous").exists()


def test_a_finished_run_whose_checkpoint_was_removed_is_kept(toy: Toy, tmp_path: Path) -> None:
    """As sweeps leave their runs."""
    folder = tmp_path / "run"
    run(toy("train.tensorboard.enabled=true"), quiet=True)
    for name in ("last.pth", "last.prev.pth"):
        (folder / name).unlink()
    before = {name: (folder / name).read_bytes() for name in ("best.safetensors", "metrics.jsonl", "evaluation.json")}
    events = [path.name for path in (folder / "tensorboard").iterdir()]
    run(toy("train.max_iter=1", "train.tensorboard.enabled=true"), quiet=True)
    kept = folder / "previous" / "1"
    assert {name: (kept / name).read_bytes() for name in before} == before
    assert [path.name for path in (kept / "tensorboard").iterdir()] == events
    assert len(list((folder / "tensorboard").iterdir())) == 1


def test_previous_runs_keep_their_order(toy: Toy, tmp_path: Path) -> None:
    previous = tmp_path / "run" / "previous"
    for number in ("1", "10", "notes"):
        (previous / number).mkdir(parents=True)
    run(toy("train.max_iter=1"), quiet=True)
    run(toy("train.max_iter=1"), quiet=True)
    assert sorted(path.name for path in previous.iterdir()) == ["1", "10", "11", "notes"]


def test_resuming_sets_nothing_aside(toy: Toy, tmp_path: Path) -> None:
    run(toy("train.max_iter=2", "train.tensorboard.enabled=true"), quiet=True)
    run(toy("train.max_iter=4", "train.tensorboard.enabled=true"), resume=True, quiet=True)
    assert not (tmp_path / "run" / "previous").exists()


def test_a_file_in_the_place_of_the_folder(toy: Toy, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("precious")
    with pytest.raises(UserError, match=r"train\.output_dir=.*run cannot be written: it is a file, no folder"):
        run(toy(), quiet=True)
    assert (tmp_path / "run").read_text() == "precious"
