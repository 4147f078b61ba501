"""``best``, ``last`` and numbered ``*.safetensors``: files that can be used alone, without the folder of the run.

Each holds weights, label set, decision thresholds, resolved config and provenance
(``dsct_detrex.weights.save_release``). Beside each lies its model card, ``best.md`` and so on (``model_card/``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from dsct_detrex.cli.invocation import this_command
from dsct_detrex.engine import ddp
from dsct_detrex.engine.contracts import Scalars
from dsct_detrex.engine.model_card import card_path, facts_of, remove_card, write_card
from dsct_detrex.errors import UserError
from dsct_detrex.structures import Emotions
from dsct_detrex.weights import Provenance, save_release
from dsct_detrex.weights.release import checked_header

_DEFAULT_THRESHOLD = 0.5


@dataclass(frozen=True)
class ReleaseWriter:
    """Writes releases of one run, on rank 0 only.

    Args:
        config: the resolved config as YAML text.
        thresholds: ``train.thresholds``, used where the evaluation chose none: see ``threshold_table``.
        max_to_keep: numbered releases kept; the oldest go first.
        note: written into every file, for what must be known about its weights.
        say: tells the user, once each, that a card which somebody edited is kept.
    """

    output_dir: Path
    emotions: Emotions
    config: str
    thresholds: Any = None
    max_to_keep: int = 100
    note: str = ""
    say: Callable[[str], None] = print
    _kept: set[Path] = field(default_factory=set, repr=False)

    def write(
        self,
        name: str,
        weights: Mapping[str, Tensor],
        epoch: float | None = None,
        metrics: Scalars | None = None,
        report: Mapping[str, Any] | None = None,
        iteration: int | None = None,
    ) -> Path:
        """Write ``<output_dir>/<name>.safetensors`` and its card; all ranks may call, rank 0 writes.

        Args:
            report: of the evaluation that belongs to these weights; its ``thresholds`` go into the file.
            epoch, iteration: how long the weights were trained.

        Raises:
            UserError: the disk refuses; an old file of that name is intact.
        """
        path = self.output_dir / f"{name}.safetensors"
        if not ddp.is_main():
            return path
        chosen = (report or {}).get("thresholds")
        thresholds = threshold_table(self.emotions, self.thresholds if chosen is None else chosen)
        whole = None if epoch is None else int(epoch)
        provenance = Provenance(this_command(), whole, metrics or {}, note=self.note, iteration=iteration)
        try:
            save_release(path, weights, self.emotions, self.config, thresholds, provenance)
            facts = facts_of(path.name, weights, self.emotions, self.config, tuple(thresholds), provenance, report)
            if not write_card(path, facts) and path not in self._kept:
                self._kept.add(path)
                self.say(
                    f"note: {card_path(path)} was edited and is kept, so it may tell of earlier weights; without it, a "
                    "new one is written."
                )
        except OSError as error:
            raise UserError(
                f"Writing {path} failed ({error}); what was there before is intact. "
                "Free some space or choose another train.output_dir, then continue with --resume."
            ) from error
        return path

    def holds(self, name: str, iteration: int) -> bool:
        """Whether ``<output_dir>/<name>.safetensors`` is of an iteration."""
        try:
            with safe_open(str(self.output_dir / f"{name}.safetensors"), framework="pt") as file:
                header = checked_header(self.output_dir, file.metadata() or {})
            return bool(header["provenance"]["iteration"] == iteration)
        except (OSError, SafetensorError, UserError, ValueError, KeyError):
            return False

    def numbered(self, iteration: int) -> str | None:
        """The name that ``write_numbered`` gives; None where none are kept."""
        return f"model_{iteration:07d}" if self.max_to_keep > 0 else None

    def write_numbered(self, iteration: int, weights: Mapping[str, Tensor], epoch: float | None) -> None:
        """Write ``model_<iteration>.safetensors`` and remove the oldest beyond ``max_to_keep``."""
        name = self.numbered(iteration)
        if name is None or not ddp.is_main():
            return
        self.write(name, weights, epoch, iteration=iteration)
        for old in sorted(self.output_dir.glob("model_*.safetensors"))[: -self.max_to_keep]:
            old.unlink()
            remove_card(old)


def threshold_table(emotions: Emotions, thresholds: Any) -> list[float]:
    """One decision threshold for each emotion.

    Args:
        thresholds: None (0.5 for all), one number for all, K numbers, or a mapping from names (0.5 for the others).

    Raises:
        UserError: an unknown emotion, or not K numbers.
    """
    if thresholds is None:
        return [_DEFAULT_THRESHOLD] * emotions.num_emotions
    if isinstance(thresholds, int | float):
        return [float(thresholds)] * emotions.num_emotions
    try:
        return _numbers(emotions, thresholds)
    except (TypeError, ValueError) as error:
        raise UserError(f"train.thresholds expects numbers. Got {thresholds!r}.") from error


def _numbers(emotions: Emotions, thresholds: Any) -> list[float]:
    if isinstance(thresholds, Mapping):
        unknown = [name for name in thresholds if name not in emotions.names]
        if unknown:
            raise UserError(f"train.thresholds expects names of {', '.join(emotions.names)}. Got {unknown[0]!r}.")
        return [float(thresholds.get(name, _DEFAULT_THRESHOLD)) for name in emotions.names]
    table = [float(value) for value in thresholds]
    if len(table) != emotions.num_emotions:
        raise UserError(f"train.thresholds expects {emotions.num_emotions} numbers, one an emotion. Got {len(table)}.")
    return table
