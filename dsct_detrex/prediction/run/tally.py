"""What a run of ``dsct predict`` did, in words, and the exit status that says it."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice

from dsct_detrex.cli.running import USER_ERROR
from dsct_detrex.counting import counted
from dsct_detrex.data.images import ImageError
from dsct_detrex.paths import shown
from dsct_detrex.prediction.pictures import Found
from dsct_detrex.prediction.rows import Done
from dsct_detrex.prediction.run.progress import pictures_and_frames

UNREADABLE = 1
_EXAMPLES = 3


@dataclass
class Tally:
    """Counts.

    Attributes:
        before: what was done before, by an earlier run that this one goes on with.
        counts: ``pictures`` and ``frames`` that were read, ``people`` in them, ``moving`` and ``reduced`` pictures,
            ``clips``, ``tracks`` in clips, and units that were ``broken``.
        examples: name and problem of the first that were broken.
    """

    before: Done = field(default_factory=Done)
    counts: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[str, str]] = field(default_factory=list)

    def broken(self, unit: Found, error: ImageError) -> None:
        """Count a picture that could not be read, or a clip not to its end."""
        self.counts["broken"] += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append((str(unit.path), error.problem))

    @property
    def units(self) -> int:
        """Pictures and clips that were worked on."""
        read_clips = self.counts["clips"]
        return self.counts["pictures"] + read_clips + self.counts["broken"]

    def words(self) -> str:
        """For example ``2 pictures, 5 people; 1 could not be read``."""
        counts = self.counts
        notes = (
            (counts["broken"], "could not be read"),
            (counts["moving"], "of several frames, of which the first was read"),
            (counts["reduced"], "read at reduced size, boxes in pixels of the original"),
            (len(self.before.problems), "done before"),
        )
        said = "".join(f"; {count} {words}" for count, words in notes if count)
        people = counted(counts["people"], "person")
        followed = f" ({counted(counts['tracks'], 'track')})" if counts["tracks"] else ""
        return f"{pictures_and_frames(counts['pictures'], counts['frames'])}, {people}{followed}{said}"

    def status(self, on_error: str, whole: bool) -> int:
        """Say what could not be read, now or before: a run that goes on ends as one that was never interrupted.

        Args:
            on_error: of ``--on-error``.
            whole: whether this is the whole work, no shard of it.
        """
        earlier = self.before.broken
        broken, units = self.counts["broken"] + len(earlier), self.units + len(self.before.problems)
        if not broken:
            return 0
        frames = self.counts["frames"] + self.before.frames
        known = [*self.examples, *islice(earlier.items(), _EXAMPLES)][:_EXAMPLES]
        examples = "; ".join(f"{shown(name)}: {shown(problem)}" for name, problem in known)
        more = " and others" if broken > len(known) else ""
        noun = "pictures or videos" if self.counts["clips"] or frames else "pictures"
        start = f"{broken} of {units} {noun} could not be read"
        if broken == units and not frames and whole:
            print(f"error: predict: {start}. {examples}{more}", file=sys.stderr)
            return USER_ERROR
        if on_error == "skip":
            return 0
        print(f"{start} (their rows have the reason). {examples}{more}", file=sys.stderr)
        return UNREADABLE
