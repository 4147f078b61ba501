"""Which faces of a picture go into the box file: CAER-S has one label for each, so one person."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dsct_detrex.faces.detector import Face

_Choice = Callable[[Sequence[Face]], list[Face]]

CHOICES: dict[str, _Choice] = {
    "largest": lambda faces: sorted(faces, key=lambda face: face.area)[-1:],
    "confident": lambda faces: sorted(faces, key=lambda face: face.score)[-1:],
    "single": lambda faces: list(faces) if len(faces) == 1 else [],
    "all": list,
}
"""Name -> the faces that carry the label of the picture. ``single`` leaves pictures with several out; ``all`` gives
everybody the label, which is annotated for one of them."""


def confident(faces: Sequence[Face], min_score: float) -> list[Face]:
    """The faces that count as found."""
    return [face for face in faces if face.score >= min_score]
