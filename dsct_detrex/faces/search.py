"""Looking at all pictures: several threads, every result kept at once, broken pictures named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from dsct_detrex.data.images import ImageError, frame_size, read_rgb
from dsct_detrex.faces.detector import Face, FaceDetector
from dsct_detrex.faces.frames import Frame
from dsct_detrex.faces.journal import Found, Journal

Progress = Callable[[int, int], None]
"""Told (pictures done, of how many)."""


def search(
    frames: Sequence[Frame],
    detector: FaceDetector,
    journal: Journal,
    jobs: int,
    progress: Progress = lambda done, total: None,
    stop_at_broken: bool = False,
) -> tuple[dict[str, Found], dict[str, str]]:
    """Find the faces of all pictures that the journal does not know yet.

    Args:
        journal: open; receives what is found picture by picture, so that an interruption loses nothing of it.
        jobs: pictures at a time.
        stop_at_broken: raise at the first picture that cannot be read.

    Returns:
        path -> what was found, and path -> why it cannot be read, for all pictures.

    Raises:
        ImageError: a picture cannot be read, and ``stop_at_broken``.
    """
    known = {frame.path: found for frame in frames if (found := journal.get(frame)) is not None}
    missing = [frame for frame in frames if frame.path not in known]
    broken: dict[str, str] = {}
    progress(len(known), len(frames))
    pool = ThreadPoolExecutor(jobs)
    try:
        for frame, outcome in zip(missing, pool.map(lambda frame: _look(frame, detector), missing)):
            if isinstance(outcome, Found):
                journal.add(frame, outcome)
                known[frame.path] = outcome
            elif stop_at_broken:
                raise outcome.with_skip("--on-error report")
            else:
                broken[frame.path] = outcome.problem
            progress(len(known) + len(broken), len(frames))
    finally:
        pool.shutdown(cancel_futures=True)
    return known, broken


def _look(frame: Frame, detector: FaceDetector) -> Found | ImageError:
    """The picture in the frame in which a reader of the box file will see it."""
    try:
        picture = read_rgb(str(frame.file), frame_size(str(frame.file)))
    except ImageError as error:
        return error
    width, height = picture.size
    inside = (_inside(face, width, height) for face in detector.find(picture) if face.side >= detector.min_size)
    return Found(width, height, tuple(face for face in inside if face.area > 0))


def _inside(face: Face, width: int, height: int) -> Face:
    x0, y0, x1, y1 = face.box
    return Face((max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height))), face.score)
