"""The sentences of the page."""

from __future__ import annotations

from html import escape

from dsct_detrex.counting import counted
from dsct_detrex.dsct import DSCT
from dsct_detrex.prediction import Prediction, Predictor
from dsct_detrex.responsible_use import RESPONSIBLE_USE
from dsct_detrex.structures import MultiLabelEmotions, Person
from dsct_detrex.web.look import Contexts, Look
from dsct_detrex.web.marks import BOTH, MOST_POINTS, NEAREST, OF_CONTEXTS, OWN, RELEVANT, SHARE_OF_POINTS

TITLE = "See what it sees"
WELCOME = "Drop a picture, take one, or choose a drawn scene below."
KEPT = "Pictures stay on the machine that runs this page, for half an hour at most, and go nowhere else."
FORGOTTEN = "This picture is no longer held. Show it again to go on."
BROKEN = "Something went wrong here, and it is not the picture's fault: the terminal that runs this page says what."
ONE_EMOTION = "Everybody shows one emotion here, the most probable one, so there is no threshold for it."
OWN_THRESHOLDS = "Thresholds of emotions as in the checkpoint, one for each"


def about(predictor: Predictor) -> str:
    """What model this is, in a line."""
    emotions = predictor.emotions
    each = "several a person" if isinstance(emotions, MultiLabelEmotions) else "one a person"
    model = predictor.model
    kind = f"DSCT on {model.decoder.adapter.kind}" if isinstance(model, DSCT) else "Exported model"
    return f"{kind}: {emotions.num_emotions} emotions, {each}."


def found(look: Look, shown: Prediction, confidence: float) -> str:
    """Who is shown, or why nobody is."""
    if len(shown):
        photo = look.people.photo
        moving = " It has several frames, of which the first was read." if photo and photo.moving else ""
        return f"{counted(len(shown), 'person')} of at least {confidence:.2f} confidence.{moving}"
    if not len(look.people):
        return "This model looks for nobody."
    surest = look.people[0].score
    return (
        f"Nobody of at least {confidence:.2f} confidence. The surest guess has {surest:.2f}: move the slider below it."
    )


def person_name(number: int, person: Person) -> str:
    """How a person is called where one is chosen: ``1: Happy 87 %``, ``2: Engagement, Peace +3``."""
    if len(person.emotions) == 1:
        return f"{number}: {person.emotions[0]} {100 * person.probabilities[person.emotions[0]]:.0f} %"
    more = f" +{len(person.emotions) - 2}" if len(person.emotions) > 2 else ""
    return f"{number}: {', '.join(person.emotions[:2])}{more}"


def contexts_taken_in(contexts: Contexts, query: int) -> str:
    """How many contexts were chosen in which way, and how much each way counts."""
    weights, nearest, relevant = (table[query] for table in (contexts.weights, contexts.nearest, contexts.relevant))
    whole = float(weights.sum()) or 1.0
    near, alike, both = (nearest & ~relevant), (relevant & ~nearest), (nearest & relevant)
    shares = [
        (int(mask.sum()), 100 * float(weights[mask].sum()) / whole, words, look)
        for mask, words, look in (
            (near, "by distance", NEAREST),
            (alike, "by relevance", RELEVANT),
            (both, "by both", BOTH),
        )
    ]
    parts = [
        _key(look, f"{count} {words}, {share:.0f} % of the weight") for count, share, words, look in shares if count
    ]
    chosen = int((nearest | relevant).sum())
    return _caption(f"{chosen} of {counted(len(weights), 'context')} taken in; the larger, the more it counts.", parts)


def points_that_mattered(of_contexts: bool) -> str:
    """What the marks among the sampling points are."""
    share = f"{100 * SHARE_OF_POINTS:.0f} %"
    parts = [_key(OWN, "of the person's query")]
    if of_contexts:
        parts.append(_key(OF_CONTEXTS, "of its contexts, each times the context's weight"))
    return _caption(
        f"Where the picture was read: the points that carry {share} of the weight, at most {MOST_POINTS} of a kind. "
        "The cross is the person's reference point.",
        parts,
    )


def responsible_use() -> str:
    """The note on the page."""
    paragraphs = "".join(f"<p>{escape(text)}</p>" for text in RESPONSIBLE_USE)
    return f"<h3>Responsible use</h3>{paragraphs}"


def notice(text: str, wrong: bool = False) -> str:
    """A sentence that screen readers announce."""
    kind, role = ("wrong", "alert") if wrong else ("fine", "status")
    return f'<p class="notice {kind}" role="{role}">{escape(text)}</p>'


def _key(look: tuple[str, str], text: str) -> str:
    shape, color = look
    return f'<span class="key"><i class="{shape}" style="--mark: {color}"></i>{escape(text)}</span>'


def _caption(text: str, parts: list[str]) -> str:
    return f'<div class="caption"><p>{escape(text)}</p><p>{" ".join(parts)}</p></div>'
