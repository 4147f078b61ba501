"""What the page answers: to a picture, a threshold, a person, a layer. Made from the look that the session holds."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class Choices:
    """What is chosen on the page, in the order in which the browser says it.

    Attributes:
        confidence: least confidence of a person.
        own: whether the thresholds of the checkpoint hold.
        threshold: of all emotions, where they do not.
        person: row of those shown; None: nobody yet.
        layer: of the decoder, from 0.
    """

    confidence: float
    own: bool
    threshold: float
    person: int | None
    layer: int

    def shown(self, look: Look) -> Prediction:
        """The people of a look that these thresholds leave."""
        return look.shown(self.confidence, None if self.own else self.threshold)

    def chosen(self, shown: Prediction) -> int | None:
        """The chosen person while they are shown, else the surest; None where nobody is."""
        if self.person is not None and self.person < len(shown):
            return self.person
        return 0 if len(shown) else None


class Answers:
    """One method for each kind of question. Each takes what was asked about and the choices."""

    def __init__(self, parts: Parts, predictor: Predictor, limits: Limits, gallery: Gallery) -> None:
        self.parts = parts
        self.predictor = predictor
        self.limits = limits
        self.gallery = gallery

    def to_upload(self, upload: dict[str, Any] | None, choices: Choices) -> Update:
        """A picture was dropped, taken or pasted; None where it made room for a drawn scene."""
        if upload is None:
            return self._as_it_is()
        name = upload.get("orig_name") or "picture"
        return self._new(read_upload(upload["path"], name, self.limits), name, choices)

    def to_removal(self, _: Look | None, choices: Choices) -> Update:
        """The picture was taken away."""
        return {self.parts.look: None, self.parts.notice: words.notice(words.WELCOME), **self._hidden()}

    def to_scene(self, page: int, choices: Choices, place: int) -> Update:
        """A drawn scene of a page of the gallery was chosen."""
        return {self.parts.picture: None, **self._new(*self.gallery.photo(page, place), choices)}

    def to_other_scenes(self, page: int, _: Choices) -> Update:
        """The next scenes of the gallery."""
        pictures = list(self.gallery.page(page + 1))
        return {self.parts.scenes_page: page + 1, self.parts.scenes: gradio.Gallery(pictures, selected_index=None)}

    def to_thresholds(self, look: Look | None, choices: Choices) -> Update:
        """Another threshold."""
        return self._all(_held(look), choices)

    def to_threshold(self, look: Look | None, choices: Choices) -> Update:
        """Another threshold of emotions, which from now on holds instead of the checkpoint's."""
        return {self.parts.own: False, **self._all(_held(look), replace(choices, own=False))}

    def to_choice(self, look: Look | None, choices: Choices) -> Update:
        """Another person or layer."""
        return self._closer(_held(look), choices)

    def to_click(self, look: Look | None, choices: Choices, pixel: tuple[int, int]) -> Update:
        """A click on the picture of people: whoever is there is chosen."""
        held = _held(look)
        shown = choices.shown(held)
        width, height = shown[:0].plot().size  # as large as the picture that was clicked on
        clicked = person_at(shown, pixel[0] / width, pixel[1] / height)
        if clicked is None:
            return self._as_it_is()
        return {self.parts.person: clicked, **self._closer(held, replace(choices, person=clicked))}

    def _new(self, photo: Photo, name: str, choices: Choices) -> Update:
        look = look_at(photo, name, self.predictor).with_photo(kept(photo))
        return {self.parts.look: look, **self._all(look, replace(choices, person=None))}

    def _all(self, look: Look, choices: Choices) -> Update:
        shown = choices.shown(look)
        names = [(words.person_name(number, person), number - 1) for number, person in enumerate(shown, 1)]
        return {
            self.parts.notice: words.notice(words.found(look, shown, choices.confidence)),
            self.parts.results: gradio.Column(visible=True),
            self.parts.people: shown.plot(),
            self.parts.download: download_html(shown),
            self.parts.person: gradio.Radio(names, value=choices.chosen(shown)),
            **self._closer(look, choices),
        }

    def _closer(self, look: Look, choices: Choices) -> Update:
        parts, shown = self.parts, choices.shown(look)
        person = choices.chosen(shown)
        closer: Closer = NOBODY if person is None else look_closer(look, shown, person, choices.layer)
        return {
            parts.closer: gradio.Row(visible=person is not None),
            parts.bars: closer.bars,
            parts.contexts: gradio.Image(closer.contexts, visible=closer.contexts is not None),
            parts.contexts_words: closer.contexts_words,
            parts.points: gradio.Image(closer.points, visible=closer.points is not None),
            parts.points_words: closer.points_words,
        }

    def _hidden(self) -> Update:
        return {self.parts.results: gradio.Column(visible=False), self.parts.closer: gradio.Row(visible=False)}

    def _as_it_is(self) -> Update:
        return {self.parts.notice: gradio.skip()}

    def told(self, answer: Callable[[Any, Choices], Update]) -> Callable[..., Update]:
        """The answer as gradio calls it, with a sentence in place of an error."""

        def plain(about: Any, *said: Any) -> Update:
            return self._or_sentence(lambda: answer(about, Choices(*said)))

        return plain

    def told_where(self, answer: Callable[[Any, Choices, Any], Update]) -> Callable[..., Update]:
        """The same of an answer that wants to know what was clicked on."""

        def where(event: gradio.SelectData, about: Any, *said: Any) -> Update:
            return self._or_sentence(lambda: answer(about, Choices(*said), event.index))

        return where

    def _or_sentence(self, answer: Callable[[], Update]) -> Update:
        """The traceback of what is no mistake of the user's goes to the terminal."""
        try:
            return answer()
        except UserError as error:
            sentence = str(error)
        except Exception:
            traceback.print_exc()
            sentence = words.BROKEN
        return {self.parts.notice: words.notice(sentence, wrong=True), **self._hidden()}


def _held(look: Look | None) -> Look:
    if look is None:
        raise UserError(words.FORGOTTEN)
    return look
