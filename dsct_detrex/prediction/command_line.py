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
from dsct_detrex.counting import counted
from dsct_detrex.data.images import ImageError
from dsct_detrex.engine.host_memory import keep_freed_memory
from dsct_detrex.integrations.detrex import locate
from dsct_detrex.paths import shown
from dsct_detrex.prediction.devices import device_named
from dsct_detrex.prediction.pictures import Found, find_pictures
from dsct_detrex.prediction.prediction import Prediction
from dsct_detrex.prediction.predictor import Predictor
from dsct_detrex.prediction.results import Results
from dsct_detrex.prediction.rows import Rows

UNREADABLE = 1
_SKIP = "--on-error skip"


def predict(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    """Annotate pictures; returns the exit status, see ``--help``."""
    if arguments.hosts_from == "detrex":
        locate()
    device = device_named(arguments.device, "--device")
    if device.type == "cpu":
        keep_freed_memory()
    pictures, left_out = find_pictures(arguments.inputs)
    results = Results(Path(arguments.out), pictures, draw=not arguments.no_pictures)
    predictor = Predictor.from_checkpoint(
        arguments.checkpoint,
        str(device),
        threshold=arguments.threshold,
        nms=arguments.nms,
        rewrites=arguments.rewrites,
    )
    results.open()
    print(f"weights: {predictor.origin}")
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
        files = [found.path for found in self.pictures]
        results = self.predictor.stream(files, self.arguments.batch_size, on_error="report")
        shown_results = track(results, "predicting", len(files), disable=not sys.stderr.isatty())
        for found, result in zip(self.pictures, shown_results, strict=True):
            yield self._row(found, result)

    def _row(self, found: Found, result: Prediction) -> dict[str, Any]:
        if result.error:
            error = ImageError(result.error, _SKIP)
            if self.arguments.on_error == "raise":
                raise error
            self.broken.append((found, error))
            return result.to_dict()
        photo = result.photo
        assert photo is not None
        self.counts.update(pictures=1, people=len(result), moving=photo.moving, reduced=photo.reduced)
        row = result.to_dict()
        if found in self.results.drawn:
            row["drawn"] = self.results.save(found, result.plot(self.arguments.max_emotions))
        return row

    def _summary(self) -> str:
        notes = (
            (len(self.broken), "could not be read"),
            (self.counts["moving"], "of several frames, of which the first was read"),
            (self.counts["reduced"], "read at reduced size, boxes in pixels of the original"),
        )
        said = "".join(f"; {count} {words}" for count, words in notes if count)
        pictures, people = counted(self.counts["pictures"], "picture"), counted(self.counts["people"], "person")
        return f"{pictures}, {people}{said}: {self.results.folder}"

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
