"""The parts of the page and where they stand: pictures on the left, people on the right, one person in detail below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio

from dsct_detrex.prediction import Predictor
from dsct_detrex.structures import MultiLabelEmotions
from dsct_detrex.web import words
from dsct_detrex.web.look import num_layers
from dsct_detrex.web.scenes import Gallery
from dsct_detrex.web.uploads import Limits

HELD_SECONDS = 1800
"""How long a picture, and what was drawn from it, is held at most."""

_LEFT, _RIGHT = {"scale": 4, "min_width": 320}, {"scale": 7, "min_width": 320}


@dataclass(frozen=True)
class Parts:
    """What can be read, changed or asked for; gradio's components, whose names say what they show."""

    look: Any
    picture: Any
    scenes_page: Any
    scenes: Any
    other_scenes: Any
    notice: Any
    results: Any
    people: Any
    confidence: Any
    own: Any
    threshold: Any
    download: Any
    closer: Any
    person: Any
    bars: Any
    layer: Any
    contexts: Any
    contexts_words: Any
    points: Any
    points_words: Any


def lay_out(predictor: Predictor, limits: Limits, gallery: Gallery, confidence: float) -> Parts:
    """Make the parts, in the block that is open.

    Args:
        predictor: what the page shows.
        limits: of uploads, said on the page.
        gallery: of drawn scenes.
        confidence: where the slider of a person's least confidence starts.
    """
    parts: dict[str, Any] = {"look": gradio.State(None, time_to_live=HELD_SECONDS), "scenes_page": gradio.State(0)}
    gradio.HTML(f"<h1>{words.TITLE}</h1><p>{words.about(predictor)}</p>", elem_id="head")
    with gradio.Row(equal_height=False):
        with gradio.Column(**_LEFT):
            parts |= _pictures(limits, gallery)
        with gradio.Column(**_RIGHT):
            parts["notice"] = gradio.HTML(words.notice(words.WELCOME), elem_id="notice")
            with gradio.Column(visible=False, elem_id="results") as parts["results"]:
                parts |= _people(predictor, confidence)
    with gradio.Row(equal_height=False, visible=False, elem_id="closer") as parts["closer"]:
        with gradio.Column(**_LEFT):
            parts["person"] = gradio.Radio([], label="Person", elem_id="person")
            parts["bars"] = gradio.HTML(elem_id="bars")
        with gradio.Column(**_RIGHT):
            parts |= _layers(num_layers(predictor))
    gradio.HTML(words.responsible_use(), elem_id="responsible-use")
    return Parts(**parts)


def _pictures(limits: Limits, gallery: Gallery) -> dict[str, Any]:
    gradio.HTML("<h2>Your picture</h2>", elem_classes="heading")
    picture = gradio.Image(
        show_label=False,
        type="filepath",
        sources=["upload", "webcam", "clipboard"],
        height=260,
        buttons=[],
        elem_id="picture",
    )
    gradio.HTML(words.notice(f"{limits.sentence} {words.KEPT}"), elem_id="limits")
    gradio.HTML("<h2>Or a drawn scene</h2>", elem_classes="heading")
    scenes = gradio.Gallery(
        list(gallery.page(0)),
        show_label=False,
        columns=2,
        height="auto",
        object_fit="cover",
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_id="scenes",
    )
    other = gradio.Button("Other scenes", size="sm", elem_id="other-scenes")
    return {"picture": picture, "scenes": scenes, "other_scenes": other}


def _people(predictor: Predictor, confidence: float) -> dict[str, Any]:
    several = isinstance(predictor.emotions, MultiLabelEmotions)
    mean = sum(predictor.emotion_thresholds) / predictor.emotions.num_emotions
    parts: dict[str, Any] = {"people": _shown("people")}
    with gradio.Row():
        parts["confidence"] = _slider("Least confidence of a person", confidence, "confidence")
        parts["threshold"] = _slider("Threshold of emotions", round(mean, 2), "threshold", several)
    parts["own"] = gradio.Checkbox(True, label=words.OWN_THRESHOLDS, visible=several, elem_id="own")
    if not several:
        gradio.HTML(words.notice(words.ONE_EMOTION))
    parts["download"] = gradio.HTML(elem_id="download")
    return parts


def _layers(count: int) -> dict[str, Any]:
    choices = [(str(index + 1), index) for index in range(count)]
    parts: dict[str, Any] = {
        "layer": gradio.Radio(choices, value=count - 1, label="Decoder layer", visible=count > 0, elem_id="layer")
    }
    with gradio.Row(equal_height=False):
        with gradio.Column(min_width=300):
            gradio.HTML("<h2>Contexts</h2>", elem_classes="heading")
            parts["contexts"] = _shown("contexts")
            parts["contexts_words"] = gradio.HTML(elem_id="contexts-words")
        with gradio.Column(min_width=300):
            gradio.HTML("<h2>Sampling points</h2>", elem_classes="heading")
            parts["points"] = _shown("points")
            parts["points_words"] = gradio.HTML(elem_id="points-words")
    return parts


def _shown(name: str) -> Any:
    return gradio.Image(
        show_label=False, interactive=False, format="png", buttons=["fullscreen"], elem_id=name, alt_text=name
    )


def _slider(label: str, value: float, name: str, visible: bool = True) -> Any:
    return gradio.Slider(0, 1, value, step=0.01, label=label, visible=visible, elem_id=name)
