"""Weights & Biases: one ``log`` call per iteration with everything it has, curves of evaluations over epochs, pictures.

``train.wandb.params`` goes to ``wandb.init`` (project, name, group, tags, entity, mode, ...). What it leaves null or
empty is W&B's to decide: its environment variables (``WANDB_PROJECT``, ``WANDB_DIR``, ``WANDB_ENTITY``, ``WANDB_MODE``,
``WANDB_NAME``, ...) rule there; where they are silent too, the project is ``dsct_detrex`` and the files lie in the
folder of the run. Without an API key and without a mode the run is kept offline, for ``wandb sync`` later.
"""

from __future__ import annotations

import netrc
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dsct_detrex.engine.loggers.record import Prediction, Record
from dsct_detrex.engine.loggers.wandb_pictures import prediction_table
from dsct_detrex.errors import UserError
from dsct_detrex.paths import expanded
from dsct_detrex.structures import Emotions

_PER_CLASS = "emotion/AP-"


class WandbLogger:
    """One W&B run.

    Args:
        params: keyword arguments of ``wandb.init``; null and empty ones are left out, so that the environment rules.
        config: the resolved config as plain values, taken before any object was put into it.
        run_id: the run to continue, from the checkpoint, unless the environment names one; None starts a new one.
        emotions: names the classes in the table of predictions; None leaves the table out.
        draw: makes the picture of one prediction (a PIL image); None lets W&B draw the boxes, which can then be
            toggled.
        say: told where an offline run goes.

    Raises:
        UserError: the package is not installed, or W&B refuses what it is given.
    """

    def __init__(
        self,
        params: Mapping[str, Any],
        output_dir: Path,
        config: Mapping[str, Any],
        run_id: str | None = None,
        emotions: Emotions | None = None,
        draw: Callable[[Prediction], Any] | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        try:
            import wandb
        except ImportError as error:
            raise UserError("train.wandb.enabled=True needs the wandb package: pip install wandb.") from error
        self._wandb = wandb
        self._emotions = emotions
        self._draw = draw
        given = {name: value for name, value in params.items() if value not in (None, "", [])}
        options: dict[str, Any] = {"project": project(), "dir": os.environ.get("WANDB_DIR") or str(output_dir), **given}
        options["dir"] = expanded(options["dir"])
        if "mode" not in options and "WANDB_MODE" not in os.environ and not has_api_key():
            options["mode"] = "offline"
            say("W&B: no API key found, so this run is kept offline; upload it later with `wandb sync`.")
        Path(options["dir"]).mkdir(parents=True, exist_ok=True)
        chosen = os.environ.get("WANDB_RUN_ID") or options.get("id")
        identity = {"id": chosen or run_id, "resume": "allow"} if run_id else {}
        try:
            self._run = wandb.init(**{**options, **identity}, config=dict(config))
        except (TypeError, ValueError, wandb.Error) as error:
            raise UserError(f"train.wandb.params: wandb.init says: {' '.join(str(error).split())}") from error
        self.run_id: str = self._run.id
        self._run.define_metric("iteration")
        self._run.define_metric("*", step_metric="iteration")
        self._run.define_metric("epoch", step_metric="iteration")
        for group in ("emotion", "bbox", "strict", "data", "ema/emotion", "ema/bbox", "ema/strict", "ema/data"):
            self._run.define_metric(f"{group}/*", step_metric="epoch")

    def log(self, record: Record) -> None:
        values: dict[str, Any] = {"iteration": record.iteration, **record.scalars}
        per_class = [[k.removeprefix(_PER_CLASS), v] for k, v in record.scalars.items() if k.startswith(_PER_CLASS)]
        if per_class:
            values["per_class_AP"] = self._wandb.Table(columns=["emotion", "AP"], data=per_class)
        if record.predictions and self._emotions is not None:
            values["predictions"] = prediction_table(record.predictions, self._emotions, self._draw)
        self._run.log(values, step=record.iteration)
        self._run.summary.update(record.words)

    def close(self, failed: bool) -> None:
        self._run.finish(exit_code=1 if failed else 0)


def project() -> str:
    """The W&B project of runs whose config names none."""
    return os.environ.get("WANDB_PROJECT") or "dsct_detrex"


def has_api_key() -> bool:
    """Whether W&B finds a key without asking: in the environment, or in the netrc file that ``wandb login`` writes."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urlsplit(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).netloc
    path = Path(os.environ.get("NETRC", "~/.netrc")).expanduser()
    if not path.is_file():
        return False
    try:
        return netrc.netrc(str(path)).authenticators(host) is not None
    except netrc.NetrcParseError:
        return False
