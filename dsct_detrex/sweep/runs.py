"""One run of a sweep, a cell with a seed: its command, its folder, and how far it is.

``<folder>/sweep_run.json`` says what was asked for and how it ended. A run is finished if it ended well under the very
words that are asked for now; anything else is continued, retried or begun anew.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from dsct_detrex.engine.files import write_json
from dsct_detrex.engine.output_folder import set_aside
from dsct_detrex.engine.summary import SUMMARY
from dsct_detrex.files import move_aside
from dsct_detrex.sweep.description import Cell

EVALUATION = "evaluation.json"
RECORD = "sweep_run.json"
CHECKPOINTS = ("last.pth", "last.prev.pth")


class Standing(Enum):
    """How far a run is. Unfinished is what has begun and not ended: it is running, or was interrupted."""

    NEW = "not run"
    FINISHED = "finished"
    FAILED = "failed"
    UNFINISHED = "unfinished"
    CHANGED = "changed"


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        words: of ``dsct train``, less the folder and ``--resume``.
        folder: of its results.
        record: name of the file that says what was asked for.
    """

    cell: Cell
    seed: int
    words: tuple[str, ...]
    folder: Path
    record: str = RECORD

    @property
    def name(self) -> str:
        return f"{self.cell.name} seed {self.seed}"

    @property
    def short_name(self) -> str:
        """As its folder within that of the sweep: ``dino/seed1``."""
        return f"{self.cell.name}/seed{self.seed}"

    @property
    def log(self) -> Path:
        return self.folder / "train.log"

    def all_words(self, resume: bool = False) -> list[str]:
        """Those of its command line, folder and ``--resume`` included."""
        words = [*self.words, f"train.output_dir={self.folder}"]
        return [*words, "--resume"] if resume else words

    def standing(self) -> Standing:
        record = self._record()
        if not record:
            return Standing.NEW
        if record["words"] != list(self.words):
            return Standing.CHANGED
        standing = Standing(record["status"])
        whole = all((self.folder / name).is_file() for name in (SUMMARY, EVALUATION))
        return Standing.UNFINISHED if standing is Standing.FINISHED and not whole else standing

    def reason(self) -> str:
        """Why it failed; empty where it did not."""
        return str(self._record().get("reason", ""))

    def resumable(self) -> bool:
        """Whether an earlier start under the same words left a checkpoint."""
        unfinished = self.standing() in (Standing.FAILED, Standing.UNFINISHED)
        return unfinished and (self.folder / CHECKPOINTS[0]).is_file()

    def begin(self) -> Path | None:
        """Note that it is about to run; until ``end`` says otherwise it counts as unfinished.

        What another run left in the folder is set aside first, or the next start would go on from its checkpoint.

        Returns:
            Where that is now, if there was anything.
        """
        aside = None if self.resumable() else set_aside(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._note(Standing.UNFINISHED, "")
        return aside

    def end(self, reason: str, keep_checkpoints: bool) -> Standing:
        """Note how it ended.

        Args:
            reason: why it failed, or nothing.
            keep_checkpoints: False removes what only continuing it would need, once it is finished.
        """
        missing = [name for name in (SUMMARY, EVALUATION) if not (self.folder / name).is_file()]
        if not reason and missing:
            reason = f"it ended without {' and '.join(missing)}"
        self._note(Standing.FAILED if reason else Standing.FINISHED, reason)
        if not reason and not keep_checkpoints:
            for name in CHECKPOINTS:
                (self.folder / name).unlink(missing_ok=True)
        return self.standing()

    def set_aside(self) -> Path:
        """Move the folder out of the way, beside itself; nothing that was trained is deleted."""
        number = 1
        while (aside := self.folder.with_name(f"{self.folder.name}.before{number}")).exists():
            number += 1
        move_aside(self.folder, aside)
        return aside

    def difference(self) -> str:
        """What the words of now have that the recorded ones had not, and the other way round."""
        then = self._record().get("words", [])
        added = [word for word in self.words if word not in then]
        gone = [word for word in then if word not in self.words]
        parts = [*([f"now {' '.join(added)}"] if added else []), *([f"before {' '.join(gone)}"] if gone else [])]
        return "; ".join(parts) or "the order of its overrides"

    def _record(self) -> dict[str, Any]:
        path = self.folder / self.record
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return record

    def _note(self, status: Standing, reason: str) -> None:
        content = {"words": list(self.words), "status": status.value, "reason": reason}
        write_json(self.folder / self.record, content)


def plan_runs(cells: Sequence[Cell], seeds: int, words: dict[str, tuple[str, ...]], folder: Path) -> list[Run]:
    """Every cell with every seed, seeds outermost: the whole table is there once before any cell is repeated."""
    return [
        Run(cell, seed, (*words[cell.name], f"train.seed={seed}"), folder / cell.name / f"seed{seed}")
        for seed in range(seeds)
        for cell in cells
    ]
