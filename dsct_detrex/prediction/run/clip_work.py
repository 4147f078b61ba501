"""A clip at work: who is who in its frames, its drawn copy as it grows, and the row that closes it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from dsct_detrex.data.images import ImageError
from dsct_detrex.prediction.growing_list import writing_failed
from dsct_detrex.prediction.prediction import Prediction
from dsct_detrex.prediction.results import Results
from dsct_detrex.prediction.run.drawn_video import DrawnVideo
from dsct_detrex.prediction.run.tracking import Identities
from dsct_detrex.prediction.sources.contract import Clip, Footage, Frame


class ClipWork:
    """The results of one clip; a context, at whose end the drawn copy is whole, however it ends.

    Args:
        clip: its name is that of the rows.
        footage: of it, open.
        results: where its drawn copy goes, if there is one.
        stride: every which frame is looked at.
        threshold: least confidence of a person who is followed; None: nobody is.
        max_emotions: lines drawn per person.
    """

    def __init__(
        self, clip: Clip, footage: Footage, results: Results, stride: int, threshold: float | None, max_emotions: int
    ) -> None:
        self._clip, self._results, self._max_emotions = clip, results, max_emotions
        rate = footage.rate / stride
        self._people = None if threshold is None else Identities(float(rate), threshold)
        self._drawn = DrawnVideo(results.begin(clip), rate) if results.draws(clip) else None
        self._closing: dict[str, Any] = {"file": str(clip.path), "frames": 0, "seconds": 0.0}

    @property
    def tracks(self) -> int:
        """How many people were told apart."""
        return 0 if self._people is None else self._people.number

    def frame(self, frame: Frame, result: Prediction) -> dict[str, Any]:
        """The row of the next frame, which is drawn, too.

        Raises:
            UserError: the disk is full or refuses.
        """
        if not result.error:
            if self._people is not None:
                result = replace(result, instances=self._people.follow(result.instances))
            self._draw(frame, result)
        self._closing["frames"] += 1
        self._closing["seconds"] = frame.seconds
        about = {"file": str(self._clip.path), "frame": frame.number, "seconds": frame.seconds}
        return {**about, **{key: value for key, value in result.to_dict().items() if key != "file"}}

    def closing_row(self, error: ImageError | None) -> dict[str, Any]:
        """The row of the clip as a whole.

        Args:
            error: what was wrong with it, after the last frame.
        """
        tracks = {} if self._people is None else {"tracks": self.tracks}
        return {**self._closing, **tracks, **({"error": error.problem} if error else {})}

    def __enter__(self) -> ClipWork:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if self._drawn is None:
            return
        try:
            self._drawn.close()
        except OSError as problem:
            with suppress(OSError):
                self._results.give_up(self._clip)
            raise writing_failed(self._results.folder, problem) from problem
        if self._closing["frames"]:
            self._closing["drawn"] = self._results.finish(self._clip)
        else:
            self._results.give_up(self._clip)

    def _draw(self, frame: Frame, result: Prediction) -> None:
        if self._drawn is None:
            return
        try:
            self._drawn.add(result.plot(self._max_emotions), frame.seconds)
        except OSError as error:
            raise writing_failed(self._results.folder, error) from error
