"""The page: which part asks which question. One is answered at a time, for everybody who has the page open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio

from dsct_detrex.prediction import Predictor
from dsct_detrex.visualization.style import PEOPLE_COLORS
from dsct_detrex.web import words
from dsct_detrex.web.answers import Answers, Update
from dsct_detrex.web.parts import HELD_SECONDS, Parts, lay_out
from dsct_detrex.web.scenes import Gallery
from dsct_detrex.web.uploads import Limits

SESSIONS, WAITING = 20, 20
"""Browser tabs whose picture is held, and requests that may wait; of more, the oldest go, or are told to come again."""
_CHORES = 60  # seconds between two deletions of old files


def style() -> str:
    """CSS of the page; people in the list have the colours of their boxes."""
    colors = "".join(
        f"#person label:nth-of-type({len(PEOPLE_COLORS)}n+{row}) {{ --person: {color}; }}\n"
        for row, color in enumerate(PEOPLE_COLORS, 1)
    )
    return Path(__file__).with_name("page.css").read_text(encoding="utf-8") + colors


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
        _connect(parts, Answers(parts, predictor, limits, gallery))
    blocks.queue(max_size=WAITING, default_concurrency_limit=1)
    return blocks


def _connect(parts: Parts, answers: Answers) -> None:
    choices = [parts.confidence, parts.own, parts.threshold, parts.person, parts.layer]
    closer = [parts.closer, parts.bars, parts.contexts, parts.contexts_words, parts.points, parts.points_words]
    least = [parts.notice, parts.results, *closer]
    everything = [*least, parts.people, parts.download, parts.person]

    def on(event: Any, answer: Callable[..., Update], about: Any, outputs: Sequence[Any], wait: bool = False) -> None:
        event(
            answer,
            [about, *choices],
            list(outputs),
            preprocess=False,  # answers read what the browser says themselves
            api_visibility="private",
            concurrency_limit=1,
            concurrency_id="model",
            show_progress="full" if wait else "hidden",
            show_progress_on=[parts.notice] if wait else None,
            trigger_mode="always_last",
        )

    told, where = answers.told, answers.told_where
    on(parts.picture.change, told(answers.to_upload), parts.picture, [parts.look, *everything], wait=True)
    on(parts.picture.clear, told(answers.to_removal), parts.look, [parts.look, *least])
    scene = [parts.look, parts.picture, *everything]
    on(parts.scenes.select, where(answers.to_scene), parts.scenes_page, scene, wait=True)
    more = [parts.scenes_page, parts.scenes, *least]
    on(parts.other_scenes.click, told(answers.to_other_scenes), parts.scenes_page, more)
    on(parts.confidence.input, told(answers.to_thresholds), parts.look, everything)
    on(parts.own.input, told(answers.to_thresholds), parts.look, everything)
    on(parts.threshold.input, told(answers.to_threshold), parts.look, [parts.own, *everything])
    on(parts.person.input, told(answers.to_choice), parts.look, least)
    on(parts.layer.input, told(answers.to_choice), parts.look, least)
    on(parts.people.select, where(answers.to_click), parts.look, [parts.person, *least])
