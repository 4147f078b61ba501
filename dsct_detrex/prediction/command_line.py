"""The work of ``dsct predict``: a checkpoint and pictures in; drawn copies and ``predictions.json`` (``rows.py``) out.

One picture that cannot be read does not cost the others: its row has the reason, and the exit status says so.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.progress import track

from dsct_detrex.cli.running import INTERRUPTED, USER_ERROR
from dsct_detrex.data.images import ImageError, Photo, read_photo
from dsct_detrex.integrations.detrex import locate
from dsct_detrex.paths import shown
from dsct_detrex.prediction.pictures import Found, find_pictures
from dsct_detrex.prediction.predictor import Predictor, device_named
from dsct_detrex.prediction.results import Results
from dsct_detrex.prediction.rows import Rows
from dsct_detrex.structures import Instances
from dsct_detrex.visualization import draw_predictions

UNREADABLE = 1
_SKIP = "--on-error skip"


def predict(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    """Annotate pictures; returns the exit status, see ``--help``."""
    if arguments.hosts_from == "detrex":
        locate()
    device = device_named(arguments.device, "--device")
    pictures, left_out = find_pictures(arguments.inputs)
    results = Results(Path(arguments.out), pictures, draw=not arguments.no_pictures)
    predictor = Predictor.from_checkpoint(
        arguments.checkpoint, str(device), score_threshold=arguments.threshold, nms_threshold=arguments.nms
    )
    results.open()
    if left_out:
        print(f"left out: {left_out.sentence()}")
    return _Run(arguments, predictor, pictures, results).run()


class _Run:
    """The loop over the pictures, and what it counted."""

    def __init__(
        self, arguments: argparse.Namespace, predictor: Predictor, pictures: Sequence[Found], results: Results
    ) -> None:
        self.arguments = arguments
        self.predictor = predictor
        self.pictures = pictures
        self.results = results
        self.counts: Counter[str] = Counter()
        self.broken: list[tuple[Found, ImageError]] = []

    def run(self) -> int:
        """Predict, write, and say what was done; returns the exit status."""
        with Rows(self.results.folder) as rows:
            if rows.replaced:
                print("the earlier predictions.json is now predictions.previous.json")
            try:
                for row in self._rows():
                    rows.add(row)
            except KeyboardInterrupt:
                done = self.counts["pictures"] + len(self.broken)
                print(f"Interrupted; {done} of {len(self.pictures)} pictures are in {rows.path}.", file=sys.stderr)
                return INTERRUPTED
        print(self._summary(), flush=True)
        return self._status()

    def _rows(self) -> Iterator[dict[str, Any]]:
        size = self.arguments.batch_size
        starts = range(0, len(self.pictures), size)
        for start in track(starts, description="predicting", disable=not sys.stderr.isatty()):
            batch = self.pictures[start : start + size]
            photos = [_read(found) for found in batch]
            people = iter(people_of(self.predictor, [photo for photo in photos if isinstance(photo, Photo)]))
            for found, photo in zip(batch, photos, strict=True):
                yield self._row(found, photo, next(people) if isinstance(photo, Photo) else photo)

    def _row(self, found: Found, photo: Photo | ImageError, people: Instances | ImageError) -> dict[str, Any]:
        if isinstance(photo, ImageError) or isinstance(people, ImageError):
            error = photo if isinstance(photo, ImageError) else people
            assert isinstance(error, ImageError)
            if self.arguments.on_error == "raise":
                raise error.with_skip(_SKIP)
            self.broken.append((found, error))
            return {"file": str(found.path), "error": error.problem}
        self.counts.update(pictures=1, people=len(people), moving=photo.moving, reduced=photo.reduced)
        row = describe(self.predictor, found.path, people)
        if found in self.results.drawn:
            emotions, lines = self.predictor.emotions, self.arguments.max_emotions
            row["drawn"] = self.results.save(found, draw_predictions(photo.pixels, people, emotions, 0.0, lines))
        return row

    def _summary(self) -> str:
        notes = (
            (len(self.broken), "could not be read"),
            (self.counts["moving"], "of several frames, of which the first was read"),
            (self.counts["reduced"], "read at reduced size, boxes in pixels of the original"),
        )
        said = "".join(f"; {count} {words}" for count, words in notes if count)
        return f"{self.counts['pictures']} pictures, {self.counts['people']} people{said}: {self.results.folder}"

    def _status(self) -> int:
        """Say which pictures could not be read."""
        if not self.broken:
            return 0
        examples = "; ".join(f"{shown(found.path)}: {shown(error.problem)}" for found, error in self.broken[:3])
        more = " and others" if len(self.broken) > 3 else ""
        start = f"{len(self.broken)} of {len(self.pictures)} pictures could not be read"
        if len(self.broken) == len(self.pictures):
            print(f"error: predict: {start}. {examples}{more}", file=sys.stderr)
            return USER_ERROR
        if self.arguments.on_error == "skip":
            return 0
        print(f"{start} (their rows have the reason). {examples}{more}", file=sys.stderr)
        return UNREADABLE


def people_of(predictor: Predictor, photos: Sequence[Photo]) -> list[Instances | ImageError]:
    """The people of each picture, together where memory allows, else one by one."""
    try:
        return list(predictor.stream(photos, max(1, len(photos))))
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
    if len(photos) == 1:
        return [ImageError("There is not enough memory to predict on it. Make it smaller.")]
    return [people for photo in photos for people in people_of(predictor, [photo])]


def describe(predictor: Predictor, file: Path, people: Instances) -> dict[str, Any]:
    """The row of one picture, see ``rows.py``."""
    names = predictor.emotions.names
    height, width = people.image_size
    return {
        "file": str(file),
        "width": width,
        "height": height,
        "people": [
            {
                "box": [round(value, 2) for value in people.pred_boxes.tensor[row].tolist()],
                "score": round(float(people.scores[row]), 4),
                "emotions": [names[index] for index in predictor.shown_emotions(people, row)],
                "probabilities": {
                    n: round(p, 4) for n, p in zip(names, people.emotion_probs[row].tolist(), strict=True)
                },
            }
            for row in range(len(people))
        ],
    }


def _read(found: Found) -> Photo | ImageError:
    try:
        return read_photo(str(found.path))
    except ImageError as error:
        return error


def _is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or "memory" in str(error).lower()
