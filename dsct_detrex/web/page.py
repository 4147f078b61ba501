"""The page: which part asks which question. One is answered at a time, for everybody who has the page open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio

from dsct_detrex.prediction import Predictor
from dsct_detrex.web import words
from dsct_detrex.web.answers import Answers, Update
from dsct_detrex.web.parts import HELD_SECONDS, lay_out
from dsct_detrex.web.scenes import Gallery
from dsct_detrex.web.uploads import Limits

STYLE = Path(__file__).with_name("page.css")
SESSIONS, WAITING = 20, 20
"""Browser tabs whose picture is held, and requests that may wait; of more, the oldest go, or are told to come again."""
_CHORES = 60  # seconds between two deletions of old files


def build_page(predictor: Predictor, limits: Limits, confidence: float) -> gradio.Blocks:
    """The page of a predictor.

    Args:
        predictor: of threshold 0, for the page has a slider.
        limits: of uploads.
        confidence: where that slider starts.
    """
    gallery = Gallery()
    blocks = gradio.Blocks(
        title=words.TITLE, analytics_enabled=False, delete_cache=(_CHORES, HELD_SECONDS), fill_width=True
    )
    blocks.state_session_capacity = SESSIONS
    with blocks:
        parts = lay_out(predictor, limits, gallery, confidence)
        answers = Answers(parts, predictor, limits, gallery)
        thresholds = [parts.confidence, parts.own, parts.threshold]
        asked = [parts.look, *thresholds, parts.person, parts.layer]
        close = [parts.closer, parts.bars, parts.contexts, parts.contexts_words, parts.points, parts.points_words]
        always = [parts.notice, parts.results, *close]
        everything = [*always, parts.people, parts.download, parts.person]

        def on(
            event: Any,
            answer: Callable[..., Update],
            inputs: Sequence[Any],
            outputs: Sequence[Any],
            wait: bool = False,
        ) -> None:
            event(
                answers.told(answer),
                list(inputs),
                list(outputs),
                preprocess=False,  # answers read what the browser says themselves
                api_visibility="private",
                concurrency_limit=1,
                concurrency_id="model",
                show_progress="full" if wait else "hidden",
                show_progress_on=[parts.notice] if wait else None,
                trigger_mode="always_last",
            )

        new = [*thresholds, parts.layer]
        on(parts.picture.input, answers.to_upload, [parts.picture, *new], [parts.look, *everything], wait=True)
        on(
            parts.scenes.select,
            answers.to_scene,
            [parts.scenes_page, *new],
            [parts.look, parts.picture, *everything],
            wait=True,
        )
        on(parts.other_scenes.click, answers.to_other_scenes, [parts.scenes_page], [parts.scenes_page, parts.scenes, *always])
        on(parts.confidence.input, answers.to_thresholds, asked, everything)
        on(parts.own.input, answers.to_thresholds, asked, everything)
        on(parts.threshold.input, answers.to_threshold, asked, [parts.own, *everything])
        on(parts.person.input, answers.to_choice, asked, always)
        on(parts.layer.input, answers.to_choice, asked, always)
        on(parts.people.select, answers.to_click, asked, [parts.person, *always])
    blocks.queue(max_size=WAITING, default_concurrency_limit=1)
    return blocks
