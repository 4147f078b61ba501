"""What the page shows of a look under the chosen thresholds, for the chosen person and layer: pictures and HTML."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from PIL import Image
from torch import Tensor

from dsct_detrex.prediction import Prediction
from dsct_detrex.structures import MultiLabelEmotions
from dsct_detrex.visualization.style import PEOPLE_COLORS
from dsct_detrex.web import words
from dsct_detrex.web.bars import bars_html
from dsct_detrex.web.look import NO_OBSERVER, Contexts, Look
from dsct_detrex.web.marks import LARGEST_CONTEXT, LARGEST_POINT, context_marks, draw_marks, point_marks


@dataclass(frozen=True)
class Closer:
    """One person in one layer: a picture, or none, and the words beside it."""

    bars: str
    contexts: Image.Image | None
    contexts_words: str
    points: Image.Image | None
    points_words: str


NOBODY = Closer("", None, "", None, "")


def person_at(shown: Prediction, x: float, y: float) -> int | None:
    """The person whose box a click is in; of several the one with the smallest, None where there is none.

    Args:
        shown: the people.
        x, y: in [0, 1] of the picture.
    """
    height, width = shown.image_size
    boxes = shown.pred_boxes.tensor
    inside = (boxes[:, 0] <= x * width) & (x * width <= boxes[:, 2])
    inside &= (boxes[:, 1] <= y * height) & (y * height <= boxes[:, 3])
    if not inside.any():
        return None
    areas: Tensor = shown.pred_boxes.area().masked_fill(~inside, float("inf"))
    return int(areas.argmin())


def look_closer(look: Look, shown: Prediction, person: int, layer: int) -> Closer:
    """What a person's query saw.

    Args:
        look: at the picture.
        shown: those of its people that the page shows.
        person: which of them.
        layer: index into ``look.layers``; of no meaning where there are none.
    """
    several = isinstance(shown.emotions, MultiLabelEmotions)
    color = PEOPLE_COLORS[person % len(PEOPLE_COLORS)]
    bars = bars_html(shown[person], color, shown.emotion_thresholds if several else None)
    if not look.layers:
        silent = words.notice(NO_OBSERVER)
        return Closer(bars, None, silent, None, "")
    height, width = shown.image_size
    x0, y0, x1, y1 = shown[person].box
    box = (x0 / width, y0 / height, x1 / width, y1 / height)
    seen, query = look.layers[layer], look.query(person)
    assert shown.photo is not None
    picture, reference = shown.photo.pixels, _middle(box)
    if not isinstance(seen.points, str):
        place = seen.points.references[seen.points.num_contexts + query]
        reference = (float(place[0]), float(place[1]))
    taken = seen.contexts if isinstance(seen.contexts, Contexts) else None
    contexts, contexts_words = None, words.notice(str(seen.contexts))
    if taken is not None:
        contexts = draw_marks(picture, box, context_marks(taken, query), reference, LARGEST_CONTEXT)
        contexts_words = words.contexts_taken_in(taken, query)
    if isinstance(seen.points, str):
        return Closer(bars, contexts, contexts_words, None, words.notice(seen.points))
    points = draw_marks(picture, box, point_marks(seen.points, taken, query), reference, LARGEST_POINT)
    return Closer(bars, contexts, contexts_words, points, words.points_that_mattered(taken is not None))


def download_html(shown: Prediction) -> str:
    """A link that saves the rows of ``predictions.json``; it carries them itself, so that no file is written here."""
    text = json.dumps([shown.to_dict()], indent=1)
    encoded = base64.b64encode(text.encode()).decode()
    return (
        '<a class="download" download="predictions.json" '
        f'href="data:application/json;base64,{encoded}">Download JSON</a>'
    )


def _middle(box: tuple[float, float, float, float]) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
