"""The measurement of one model: every scene read as it is, and with each of its causes painted out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from dsct_detrex.data.synthetic import Painted, PaintedOut, SyntheticScenes, label_probabilities, table, ways
from dsct_detrex.data.synthetic.bounds import Format
from dsct_detrex.data.synthetic.scene import Scene
from dsct_detrex.evaluation.protocols import MISSED
from dsct_detrex.explain.changes import Change, summary
from dsct_detrex.explain.groups import groups_at
from dsct_detrex.explain.reading import Reader, Reading
from dsct_detrex.explain.tally import ShareTally
from dsct_detrex.visualization.plots import ContextMap


@dataclass
class Measured:
    """What was found.

    Attributes:
        images, people, found: how many pictures, people in them, and people that the model found (IoU 0.5).
        shares: rows of ``ShareTally.table``; empty for a model that takes in no contexts.
        changes: rows of ``changes.summary``.
        example: somebody who holds something, beside others if there is such a person; None without shares.
    """

    images: int
    people: int = 0
    found: int = 0
    shares: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    example: ContextMap | None = None


@dataclass(frozen=True)
class _Picture:
    """A scene and what the model made of it: reading 0 is of the picture as it is, the others are of ``outs``.

    Attributes:
        people: (n, 4) annotated boxes, xyxy in pixels.
        speakers: the subject of each person, or ``MISSED``.
    """

    index: int
    scene: Scene
    painted: Painted
    outs: Sequence[PaintedOut]
    reading: Reading
    people: Tensor
    speakers: Sequence[int]

    @property
    def found(self) -> Iterator[tuple[int, int]]:
        """Person and subject."""
        return ((person, subject) for person, subject in enumerate(self.speakers) if subject != MISSED)


def measure(reader: Reader, scenes: SyntheticScenes, format: Format, indices: Iterable[int] | None = None) -> Measured:
    """Read all scenes.

    Args:
        reader: the model, with the emotions of ``format``.
        scenes: the drawn scenes.
        format: whose annotations the exact posterior is of.
        indices: ``range(len(scenes))``, wrapped in whatever shows progress; None shows none.
    """
    measured, tally, changes = Measured(len(scenes)), ShareTally(len(scenes)), list[Change]()
    best = -1
    for index in range(len(scenes)) if indices is None else indices:
        picture = _read(reader, scenes, index)
        measured.people += len(picture.speakers)
        measured.found += sum(1 for _ in picture.found)
        changes += _changes(picture, format)
        for person, subject in picture.found:
            example = _add_shares(tally, picture, person, subject, reader)
            fitness = 2 * bool(picture.scene.people[person].latents.thing) + (len(picture.speakers) in (2, 3))
            if example is not None and fitness > best:
                best, measured.example = fitness, example
    measured.shares, measured.changes = tally.table(), summary(changes, len(scenes))
    return measured


def _read(reader: Reader, scenes: SyntheticScenes, index: int) -> _Picture:
    scene, painted = scenes.scene(index), scenes.painted(index)
    outs = ways(scene)
    reading = reader([painted.image, *(scenes.load_without(index, out) for out in outs)])
    people = torch.tensor([person["bbox"] for person in scenes.record(index)["annotations"]])
    return _Picture(index, scene, painted, outs, reading, people, reading.speakers(0, people))


def _add_shares(tally: ShareTally, picture: _Picture, person: int, subject: int, reader: Reader) -> ContextMap | None:
    """Count one person's contexts; returns them as an example, None where there are none."""
    layers = picture.reading.choices(0)
    if not layers:
        return None
    groups = [groups_at(picture.painted, layer.points, person) for layer in layers]
    rows = [
        (layer.layer, layer.weights[subject], layer.distances[subject], of_layer)
        for layer, of_layer in zip(layers, groups, strict=True)
    ]
    tally.add(picture.index, rows)
    probabilities = picture.reading.probabilities(0)[subject]
    thing = table.OBJECTS[picture.scene.people[person].latents.thing]
    caption = f"read as {reader.emotions.names[int(probabilities.argmax())]} {100 * probabilities.max():.0f} %"
    x0, y0, x1, y1 = picture.people[person].tolist()
    return ContextMap(
        picture.painted.image,
        (x0, y0, x1, y1),
        layers[-1].layer,
        layers[-1].points,
        layers[-1].weights[subject],
        groups[-1],
        f"{caption}; in hand: {thing}",
    )


def _changes(picture: _Picture, format: Format) -> Iterator[Change]:
    """Of every found person and every cause, their own or somebody else's."""
    for number, out in enumerate(picture.outs, start=1):
        speakers = picture.reading.speakers(number, picture.people)
        after = picture.reading.probabilities(number)
        for person, subject in picture.found:
            before = picture.reading.probabilities(0)[subject]
            emotion = int(before.argmax())
            read = None if speakers[person] == MISSED else float(after[speakers[person], emotion] - before[emotion])
            ideal = label_probabilities(format, picture.scene, person, out) - label_probabilities(
                format, picture.scene, person
            )
            yield Change(picture.index, _named(out, person), read, float(ideal[emotion]))


def _named(out: PaintedOut, person: int) -> str:
    """Name of ``changes.CAUSES``, for one person."""
    if out.person is None:
        return out.cause
    return f"own {out.cause}" if out.person == person else f"others' {out.cause}s"
