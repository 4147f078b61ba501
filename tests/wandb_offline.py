"""W&B without an account: an environment where none is found, and the records of a run that was kept offline."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def forget_account(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither key nor settings of whoever runs the tests; what W&B stages goes to ``folder/data``."""
    for name in (
        "WANDB_API_KEY",
        "WANDB_MODE",
        "WANDB_BASE_URL",
        "WANDB_ENTITY",
        "WANDB_PROJECT",
        "WANDB_DIR",
        "WANDB_NAME",
        "WANDB_RUN_GROUP",
        "WANDB_TAGS",
        "WANDB_JOB_TYPE",
        "WANDB_RUN_ID",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(folder / "netrc"))
    monkeypatch.setenv("WANDB_DATA_DIR", str(folder / "data"))
    monkeypatch.setenv("WANDB_SILENT", "true")


def read_records(folder: Path) -> list[dict[str, Any]]:
    """The records of an offline run, as W&B's own tool prints them."""
    tool = Path(sys.executable).parent / "wandb"
    command = [str(tool), "leet", "inspect", "--json", str(folder)]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    return [json.loads(line) for line in text.splitlines()]
