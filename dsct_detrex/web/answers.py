"""What the page answers: to a picture, a threshold, a person, a layer. Made from the look that the session holds."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio

from dsct_detrex.data.images import Photo
from dsct_detrex.errors import UserError
from dsct_detrex.prediction import Prediction, Predictor
from dsct_detrex.web import words
from dsct_detrex.web.look import Look, look_at
from dsct_detrex.web.parts import Parts
from dsct_detrex.web.scenes import Gallery
from dsct_detrex.web.uploads import Limits, kept, read_upload
from dsct_detrex.web.view import NOBODY, Closer, download_html, look_closer, person_at

Update = dict[Any, Any]
"""Part of the page -> its new value."""


class Answers:
    """One method for each kind of question; arguments are what the parts say, as the browser sends it.

    ``own`` is whether the thresholds of the checkpoint hold, ``threshold`` the one that holds otherwise; ``person`` is
    None where nobody was chosen yet.
    """

    def __init__(self, parts: Parts, predictor: Predictor, limits: Limits, gallery: Gallery) -> None:
        self.parts = parts
        self.predictor = predictor
        self.limits = limits
        self.gallery = gallery

    def to_upload(
        self, upload: dict[str, Any] | None, confidence: float, own: bool, threshold: float, layer: int
    ) -> Update:
        """A picture was dropped, taken or pasted, or went away."""
        if upload is None:
            return {self.parts.look: None, self.parts.notice: words.notice(words.WELCOME), **self._hidden()}
        name = upload.get("orig_name") or "picture"
        photo = read_upload(upload["path"], name, self.limits)
        return self._new(photo, name, confidence, own, threshold, layer)

    def to_scene(
        self, page: int, confidence: float, own: bool, threshold: float, layer: int, event: gradio.SelectData
    ) -> Update:
        """A drawn scene was chosen."""
        photo, name = self.gallery.photo(page, int(event.index))
        return {self.parts.picture: None, **self._new(photo, name, confidence, own, threshold, layer)}

    def to_other_scenes(self, page: int) -> Update:
        """The next scenes of the gallery."""
        pictures = list(self.gallery.page(page + 1))
        return {self.parts.scenes_page: page + 1, self.parts.scenes: gradio.Gallery(pictures, selected_index=None)}

    def to_thresholds(
        self, look: Look | None, confidence: float, own: bool, threshold: float, person: int | None, layer: int
    ) -> Update:
        """Another threshold."""
        return self._all(_held(look), confidence, own, threshold, person or 0, layer)

    def to_threshold(
        self, look: Look | None, confidence: float, own: bool, threshold: float, person: int | None, layer: int
    ) -> Update:
        """Another threshold of emotions, which then holds instead of the checkpoint's."""
        return {self.parts.own: False, **self.to_thresholds(look, confidence, False, threshold, person, layer)}

    def to_choice(
        self, look: Look | None, confidence: float, own: bool, threshold: float, person: int | None, layer: int
    ) -> Update:
        """Another person or layer."""
        found = _held(look)
        shown = found.shown(confidence, None if own else threshold)
        return self._closer(look_closer(found, shown, person or 0, layer) if len(shown) else NOBODY)

    def to_click(
        self,
        look: Look | None,
        confidence: float,
        own: bool,
        threshold: float,
        person: int | None,
        layer: int,
        event: gradio.SelectData,
    ) -> Update:
        """A click on the picture of people: whoever is there is chosen."""
        found = _held(look)
        shown = found.shown(confidence, None if own else threshold)
        width, height = shown.plot().size
        clicked = person_at(shown, event.index[0] / width, event.index[1] / height)
        if clicked is None:
            return {}
        return {
            self.parts.person: clicked,
            **self.to_choice(look, confidence, own, threshold, clicked, layer),
        }

    def _new(self, photo: Photo, name: str, confidence: float, own: bool, threshold: float, layer: int) -> Update:
        look = look_at(photo, name, self.predictor).with_photo(kept(photo))
        return {self.parts.look: look, **self._all(look, confidence, own, threshold, 0, layer)}

    def _all(self, look: Look, confidence: float, own: bool, threshold: float, person: int, layer: int) -> Update:
        shown = look.shown(confidence, None if own else threshold)
        person = person if person < len(shown) else 0
        choices = [(words.person_name(number, one), number - 1) for number, one in enumerate(shown, 1)]
        closer = look_closer(look, shown, person, layer) if len(shown) else NOBODY
        return {
            self.parts.notice: words.notice(words.found(look, shown, confidence)),
            self.parts.results: gradio.Column(visible=True),
            self.parts.people: shown.plot(),
            self.parts.download: download_html(shown),
            self.parts.person: gradio.Radio(choices, value=person if len(shown) else None),
            **self._closer(closer),
        }

    def _closer(self, closer: Closer) -> Update:
        parts = self.parts
        return {
            parts.closer: gradio.Row(visible=closer is not NOBODY),
            parts.bars: closer.bars,
            parts.contexts: gradio.Image(closer.contexts, visible=closer.contexts is not None),
            parts.contexts_words: closer.contexts_words,
            parts.points: gradio.Image(closer.points, visible=closer.points is not None),
            parts.points_words: closer.points_words,
        }

    def _hidden(self) -> Update:
        return {self.parts.results: gradio.Column(visible=False), self.parts.closer: gradio.Row(visible=False)}

    def told(self, answer: Callable[..., Update]) -> Callable[..., Update]:
        """The answer, or instead of it a sentence; the traceback of a mistake of ours goes to the terminal."""

        @wraps(answer)
        def answer_or_sentence(*arguments: Any, **keywords: Any) -> Update:
            try:
                return answer(*arguments, **keywords)
            except UserError as error:
                sentence = str(error)
            except Exception:
                traceback.print_exc()
                sentence = words.BROKEN
            return {self.parts.notice: words.notice(sentence, wrong=True), **self._hidden()}

        return answer_or_sentence


def _held(look: Look | None) -> Look:
    if look is None:
        raise UserError(words.FORGOTTEN)
    return look
