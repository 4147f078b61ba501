"""What is right to believe about a person's annotation, given all that a picture shows (Bayes' rule on the table).

This is what ``bounds`` takes averages of, for one person: the probabilities of a reader who knows the table and reads
every cue. Where a part of the scene is painted out, the other people's faces and objects are evidence of it.

Shapes: S = 72 scenes, 7 emotions, K categories.
"""

from __future__ import annotations

import numpy as np

from . import table
from .bounds import Format
from .latents import Latents
from .painting_out import OF_THE_SCENE, PaintedOut
from .scene import Scene
from .table import Array


def label_probabilities(format: Format, scene: Scene, person: int, out: PaintedOut | None = None) -> Array:
    """P(category in the annotation | what shows), (K,).

    Args:
        format: whose annotation.
        scene: as it was drawn.
        person: index into ``scene.people``.
        out: what is painted out of the picture.
    """
    shown = out.emptied(scene) if out else scene
    faceless = out.person if out and out.cause == "face" else None
    likelihood = _possible(shown.latents.scene, out) * table.scene_probability()
    for index, other in enumerate(shown.latents.people):
        if index != person:
            likelihood = likelihood * _cues(other, index != faceless).sum(1)
    own = shown.latents.people[person]
    belief = likelihood[:, None] * _cues(own, person != faceless)  # (S, 7)
    belief = belief / belief.sum()
    if format == "caer_s":
        return np.asarray(belief.sum(0) @ table.caer_s_label_given_emotion())
    return np.asarray(np.einsum("se,sec->c", belief, table.emotic_label_given_latents()[:, :, own.thing]))


def _cues(person: Latents, face: bool) -> Array:
    """P(emotion, what this person shows | scene), (S, 7)."""
    shown = table.object_given_emotion()[:, person.thing]
    if face:
        shown = shown * table.expression_given_emotion()[:, person.expression]
    return np.asarray(table.emotion_given_scene() * shown)


def _possible(scene: int, out: PaintedOut | None) -> Array:
    """1 for the scenes that agree with all parts that show, (S,)."""
    hidden = OF_THE_SCENE.index(out.cause) if out and out.cause in OF_THE_SCENE else None
    parts = [part for part in range(len(OF_THE_SCENE)) if part != hidden]
    true = table.SCENES[scene]
    return np.array([float(all(other[part] == true[part] for part in parts)) for other in table.SCENES])
