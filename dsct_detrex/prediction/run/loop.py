"""The loop of ``dsct predict``: units in, rows, tables and drawn copies out, one after the other."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from dsct_detrex.cli.stopping import exit_status
from dsct_detrex.data.images import ImageError
from dsct_detrex.prediction.growing_list import GrowingList
from dsct_detrex.prediction.prediction import Prediction
from dsct_detrex.prediction.predictor import Predictor
from dsct_detrex.prediction.run.clip_work import ClipWork
from dsct_detrex.prediction.run.progress import Speed
from dsct_detrex.prediction.run.session import Session
from dsct_detrex.prediction.run.tally import Tally
from dsct_detrex.prediction.sources.contract import Clip, Footage, Frame, Unit

_SKIP = "--on-error skip"
_BATCHES_AHEAD = 2
Numbered = tuple[int, Unit]


class Run:
    """The work of one process.

    Args:
        session: what there is to do and where it goes.
        rows: where rows go.
    """

    def __init__(self, session: Session, predictor: Predictor, rows: GrowingList) -> None:
        self.session, self.predictor, self.rows = session, predictor, rows
        self.arguments = session.arguments
        self.results = session.results
        self.tally, self.speed = Tally(before=session.before()), Speed()
        self._settings: dict[str, Any] = {
            "batch_size": self.arguments.batch_size,
            "on_error": "report",
            "ahead": _BATCHES_AHEAD * self.arguments.batch_size,
        }

    def run(self) -> int:
        """Work; returns 0, or the status of an interruption, which is told."""
        total = self.session.count()
        with self.rows, self.session.tables:
            try:
                for is_clip, units in groupby(self.session.units(), lambda numbered: isinstance(numbered[1], Clip)):
                    if is_clip:
                        self._clips(units)
                    else:
                        with self.speed.bar("predicting", total):
                            self._pictures(units)
            except KeyboardInterrupt as stop:
                self._tell_interrupted(total)
                return exit_status(stop)
        return 0

    def _pictures(self, units: Iterable[Numbered]) -> None:
        waiting: deque[Numbered] = deque()

        def paths() -> Iterator[Path]:
            for number, unit in units:
                waiting.append((number, unit))
                yield unit.path

        for result in self.predictor.stream(paths(), **self._settings):
            number, unit = waiting.popleft()
            self._write(number, self._picture(unit, result))
            self.speed.step()

    def _picture(self, unit: Unit, result: Prediction) -> dict[str, Any]:
        if result.error:
            self._broken(unit, result.error)
            return result.to_dict()
        photo = result.photo
        assert photo is not None
        self.tally.counts.update(pictures=1, people=len(result), moving=photo.moving, reduced=photo.reduced)
        row = result.to_dict()
        if self.results.draws(unit):
            row["drawn"] = self.results.save(unit, result.plot(self.arguments.max_emotions))
        return row

    def _clips(self, units: Iterable[Numbered]) -> None:
        for number, clip in units:
            assert isinstance(clip, Clip)
            with ExitStack() as opened:
                try:
                    footage = opened.enter_context(clip.open())
                except ImageError as error:
                    self._broken(clip, error.problem)
                    self._write(number, {"file": str(clip.path), "error": error.problem})
                    continue
                with self.speed.bar(clip.path.name, self._frames(footage)):
                    self._write(number, self._clip(number, clip, footage))

    def _clip(self, number: int, clip: Clip, footage: Footage) -> dict[str, Any]:
        """Write the rows of all frames; returns the row of the clip."""
        arguments, counts = self.arguments, self.tally.counts
        threshold = None if arguments.no_tracks else self.predictor.threshold
        work = ClipWork(clip, footage, self.results, arguments.stride, threshold, arguments.max_emotions)
        ending: list[ImageError] = []
        with work:
            try:
                for frame, result in self._found(footage, ending):
                    self._write(number, work.frame(frame, result))
                    counts.update(frames=1, people=len(result))
                    self.speed.step()
            except KeyboardInterrupt:
                if not clip.endless:
                    raise
        counts.update(tracks=work.tracks, clips=not ending)
        if ending:
            self._broken(clip, ending[0].problem)
        return work.closing_row(ending[0] if ending else None)

    def _found(self, footage: Footage, ending: list[ImageError]) -> Iterator[tuple[Frame, Prediction]]:
        """Frames with their people; what was wrong at the end of a clip goes to ``ending``."""
        waiting: deque[Frame] = deque()

        def photos() -> Iterator[Any]:
            try:
                for frame in islice(footage.frames(self.arguments.stride), self.arguments.max_frames):
                    waiting.append(frame)
                    yield frame.photo
            except ImageError as error:
                ending.append(error)

        for result in self.predictor.stream(photos(), **self._settings):
            yield waiting.popleft(), result

    def _frames(self, footage: Footage) -> int | None:
        """How many frames are to be looked at, as far as that is known."""
        frames, most = footage.total, self.arguments.max_frames
        taken = None if frames is None else -(-frames // self.arguments.stride)
        return min(filter(None, (taken, most)), default=None)

    def _write(self, number: int, row: dict[str, Any]) -> None:
        self.rows.add(self.session.row(number, row))
        self.session.tables.add(row)

    def _broken(self, unit: Unit, problem: str) -> None:
        error = ImageError(problem, _SKIP)
        if self.arguments.on_error == "raise":
            raise error
        self.tally.broken(unit, error)

    def _tell_interrupted(self, total: int | None) -> None:
        of = "" if total is None else f" of {total}"
        print(
            f"Interrupted; {self.tally.units}{of} pictures are in {self.rows.path}. "
            "The same command with --resume goes on.",
            file=sys.stderr,
        )
