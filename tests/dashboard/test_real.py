"""Whatever the dashboard shows is really logged: runs of a sweep through ``dsct train``'s own main, kept offline.

The words of the runs are those that ``dsct sweep --dry-run`` prints, so group, name and tags are the sweep's.
"""

import contextlib
import io
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from dsct_detrex.engine.device import peak_memory
from tests.commands import sweep, train
from tests.dashboard.views import View, conditions, keys, make_view, runs
from tests.wandb_offline import forget_account, read_records

pytest.importorskip("wandb_workspaces")

Records = list[dict[str, Any]]
TINY = [
    "train.device=cpu",
    "train.wandb.enabled=True",
    "train.wandb.num_pictures=1",
    "train.max_iter=2",
    "train.report.enabled=False",
    "train.log_period=1",
    "dataloader.train.total_batch_size=2",
    "dataloader.train.num_workers=0",
    "dataloader.test.num_workers=0",
    "dataloader.test.dataset.length=16",  # enough for every emotion and every number of people
    "dataloader.train.dataset.size=[96,72]",
    "dataloader.test.dataset.size=[96,72]",
    "dataloader.train.mapper.transforms.scales=[72]",
    "dataloader.test.mapper.transforms.size=72",
]


@pytest.fixture(scope="module", params=["caer_s", "emotic"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def records(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Records]:
    """Of one run of Table 10's sweep with this kind of emotions."""
    folder = tmp_path_factory.mktemp(kind)
    with pytest.MonkeyPatch.context() as patch:
        forget_account(folder, patch)
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("DSCT_MSDA_BACKEND", "pytorch")
        options = ["--table", "10", "--scale", "demo", "--only", "detr", "--seeds", "1", "--dry-run"]
        options += ["--output-dir", str(folder)]
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            assert sweep([*options, *TINY, f"emotions.name={kind}", f"train.wandb.params.dir={folder}"]) == 0
        words = shlex.split(printed.getvalue(), comments=True)
        assert train(words[words.index("train") + 1 :]) == 0
        (run,) = (folder / "wandb").glob("offline-run-*")
        yield read_records(run)


@pytest.fixture
def view(kind: str) -> View:
    return make_view(kind, "table_10")


def test_every_key_of_the_dashboard_is_logged(records: Records, view: View) -> None:
    logged = {
        key.split(".")[0]  # of a table: predictions._type, predictions.path, ...
        for record in records
        if record["type"] == "history"
        for key in record["history"]["item"]
    }
    assert keys(view) - logged == {"gpu_mem_mb"}, "which a CPU has not; see the next test"


def test_the_remaining_key_is_that_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 2**20)
    assert peak_memory(torch.device("cuda")) == {"gpu_mem_mb": 1.0}


def test_the_dashboard_finds_the_run_of_a_sweep(records: Records, kind: str, view: View) -> None:
    run = next(record["run"] for record in records if record["type"] == "run")
    assert (run["display_name"], run["run_group"]) == ("table_10-detr-seed0", "table_10")
    assert run["tags"] == ["table_10", "detr", "synthetic", "demo"]
    found = {key: value_at(run, key) for key in conditions(view)}
    assert found == conditions(view) == {"config:emotions.value.name": kind, "run:group": "table_10"}
    for grouped in (view, make_view(kind, "table_10", group_by="cell")):
        (group,) = runs(grouped)["grouping"]
        assert value_at(run, f"{group['section']}:{group['name']}") == "detr"


def test_the_steps_of_the_curves_are_defined(records: Records) -> None:
    steps = {
        record["metric"]["glob_name"]: record["metric"]["step_metric"]
        for record in records
        if record["type"] == "metric" and "glob_name" in record["metric"]
    }
    assert (steps["*"], steps["emotion/*"], steps["bbox/*"]) == ("iteration", "epoch", "epoch")


def value_at(run: dict[str, Any], key: str) -> Any:
    """A run's value of a key as the server names it, where each top-level value of a config has an envelope."""
    section, _, name = key.partition(":")
    if section == "run":
        return run[{"group": "run_group", "jobType": "job_type"}[name]]
    value: Any = {top: {"value": inner} for top, inner in run["config"]["update"].items()}
    for part in name.split("."):
        value = value[part]
    return value
