"""What a model card can say: read from the release itself, and from the report of the evaluation that belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from typing import Any

from omegaconf import OmegaConf
from torch import Tensor

from dsct_detrex.config import config_from_yaml
from dsct_detrex.config.targets import locate
from dsct_detrex.counting import counted
from dsct_detrex.data import catalogue
from dsct_detrex.data.card import DataSetCard
from dsct_detrex.data.synthetic import SyntheticScenes
from dsct_detrex.engine.model_facts import backbone_words
from dsct_detrex.structures import Emotions
from dsct_detrex.weights import Provenance, likely_host
from dsct_detrex.weights.parameters import count_parameters
from dsct_detrex.weights.signatures import HOSTS

UNKNOWN = "not known"
_READ = {"protocol", "dataset", "counts", "emotions", "references", "primary_metric", "warnings"}
"""Keys of a report that a card reads."""


@dataclass(frozen=True)
class Facts:
    """Attributes:
    file: name of the release.
    emotions, thresholds, provenance: as in the release; of a detector, ``emotions`` are classes of things.
    config: the resolved config as plain values.
    parameters: numbers that are in the weights.
    host: how people call the host; None where the weights are of none.
    report: of the evaluation that these weights went through (``evaluation/report.py``), or None.
    """

    file: str
    emotions: Emotions
    thresholds: tuple[float, ...] | None
    provenance: Provenance
    config: Mapping[str, Any]
    parameters: int
    host: str | None
    report: Mapping[str, Any] | None = None

    def get(self, key: str) -> Any:
        """A value of the config by its dotted key; None where there is none."""
        value: Any = self.config
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    @property
    def data_set(self) -> DataSetCard | None:
        """The data set that was trained on; None for drawn scenes and for what is not known."""
        reader = self._reader
        return next((card for card in catalogue.cards().values() if _is_one(reader, card.reader)), None)

    @property
    def is_drawn(self) -> bool:
        """Whether it was trained on drawn scenes."""
        return _is_one(self._reader, SyntheticScenes)

    @property
    def data_title(self) -> str:
        """How people call what it was trained on."""
        if self.is_drawn:
            return "drawn scenes"
        return self.data_set.title if self.data_set else UNKNOWN

    @property
    def measured_title(self) -> str:
        """How people call what it was measured on."""
        name = self.get("dataloader.evaluator.dataset_name")
        return "drawn scenes" if name in ("synthetic", "synthetic_things") else str(name or UNKNOWN)

    @property
    def model(self) -> str:
        """For example ``DSCT on Deformable-DETR, ResNet-50``."""
        name = str(self.get("model._target_") or "a model").rpartition(".")[2]
        backbone = self.get("model.host.backbone") or self.get("model.backbone")
        on = f" on {self.host}" if self.host else ""
        return f"{name}{on}{f', {backbone_words(backbone)}' if backbone else ''}"

    @property
    def start(self) -> str:
        """The weights that training started from, without the folder they lay in."""
        start = self.get("train.init_checkpoint")
        return PurePath(str(start)).name if start else "random weights"

    @property
    def budget(self) -> str:
        """For example ``35 epochs of at most 50, batches of 16``."""
        epochs, steps, made = self.get("train.max_epoch"), self.get("train.max_iter"), self.provenance
        most = (
            f"{epochs:g} epochs" if epochs else counted(int(steps), "step") if steps else "an unknown number of steps"
        )
        if made.iteration is not None and not epochs:
            done = f"written after {counted(made.iteration, 'step')}; "
        else:
            done = f"written after {counted(made.epoch, 'whole epoch')}; " if made.epoch is not None else ""
        batch = self.get("dataloader.train.total_batch_size")
        groups = self.get("train.accumulate") or 1
        batches = f", batches of {int(batch) * int(groups)}" if batch else ""
        return f"{done}the run was planned for {most}{batches}"

    @property
    def _reader(self) -> Any:
        name = self.get("dataloader.train.dataset._target_") or self.get("dataloader.test.dataset._target_")
        return locate(str(name)) if str(name).startswith("dsct_detrex.") else None


def _is_one(reader: Any, known: Any) -> bool:
    """Whether a reader is a known one, or derived from it."""
    return isinstance(reader, type) and isinstance(known, type) and issubclass(reader, known)


def facts_of(
    file: str,
    weights: Mapping[str, Tensor],
    emotions: Emotions,
    config: str,
    thresholds: tuple[float, ...] | None,
    provenance: Provenance,
    report: Mapping[str, Any] | None = None,
) -> Facts:
    """The facts of one release; arguments as in ``Release``. A report of somebody else's evaluator is not read."""
    host = likely_host(weights)
    return Facts(
        file,
        emotions,
        thresholds,
        provenance,
        _plain(config),
        count_parameters(weights.items()),
        HOSTS[host] if host else None,
        report if report is not None and report.keys() >= _READ else None,
    )


@lru_cache(maxsize=2)
def _plain(config: str) -> Mapping[str, Any]:
    """The config as plain values; a run writes many releases with one."""
    content = (
        OmegaConf.to_container(config_from_yaml(config, "the config of a release"), resolve=True) if config else {}
    )
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}
