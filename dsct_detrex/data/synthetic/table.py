"""The generative table of the synthetic scenes: the data set's documentation, in numbers.

Every picture is drawn from these probabilities and from nothing else, so what *any* model could reach on it is known
exactly (``bounds.py``). The graph, for one image and each of its people::

    scene = (place, weather, light)          shared by all people of the image
      |
      v
    emotion -----> expression                the face; each expression is shared by three to five emotions
      |  |
      |  +-------> object                    held or next to this person; 'nothing' for one person in four
      v
    annotation                               CAER-S: the emotion, with 5 % label noise;  EMOTIC: 26 coins

1. scene: place, weather and light are independent (``PLACE_PROBABILITY`` ...).
2. emotion: P(emotion | scene) is log-linear, ``BIAS`` plus ``PLACE_POINTS``, ``WEATHER_POINTS`` and
   ``LIGHT_POINTS``. One point doubles the odds.
3. expression and object: independent given the emotion (``EXPRESSION_PERCENT``, ``OBJECT_PERCENT``). A face alone
   is therefore ambiguous, the object *near the person* resolves a part, the scene most of the rest; and because all
   three multiply, the evidence for an emotion is a sum of logarithms, which a network learns easily.
4. annotation, CAER-S: the emotion with probability 1 - ``LABEL_NOISE``, else one of the seven at random.
   Annotation, EMOTIC: every category is lit by its causes (``EMOTION_CAUSES``, ``OBJECT_CAUSES``,
   ``SCENE_CAUSES``), each of which lights it with the probability written beside it, and by a leak of ``LEAK``:
   P(off) = (1 - LEAK) * product of (1 - cause). Empty sets are drawn again.

What else is visible (posture, party hats, scarves) repeats the expression or the scene and adds no information; looks
(skin, hair, clothes) are independent of everything.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from dsct_detrex.structures import CAER_S, EMOTIC

Array = npt.NDArray[np.float64]

EMOTIONS = CAER_S.names
"""The seven latent emotions, in the order of CAER-S: the columns and rows of the tables below."""

PLACE_PROBABILITY = {
    "park": 1 / 6,
    "street": 1 / 6,
    "kitchen": 1 / 6,
    "office": 1 / 6,
    "graveyard": 1 / 6,
    "party": 1 / 6,
}
WEATHER_PROBABILITY = {"clear": 0.34, "rain": 0.22, "storm": 0.22, "snow": 0.22}
LIGHT_PROBABILITY = {"day": 0.4, "dusk": 0.3, "night": 0.3}

# fmt: off
#                Anger Disgust Fear Happy Neutral  Sad Surprise
BIAS =           ( 0.1,   0.2,  0.7, -0.2,  -0.3,  0.0, -0.4)
PLACE_POINTS = {
    "park":      (-2.0,  -1.0, -1.0,  2.0,   1.0,  0.0, -1.0),
    "street":    ( 4.0,   0.0,  1.0, -2.0,   0.0, -1.0,  0.0),
    "kitchen":   (-1.0,   4.0, -2.0,  0.0,  -1.0,  0.0,  0.0),
    "office":    ( 1.0,  -2.0, -2.0, -1.0,   4.0,  0.0, -1.0),
    "graveyard": (-2.0,  -1.0,  3.0, -3.0,  -2.0,  3.0, -2.0),
    "party":     (-2.0,  -1.0, -2.0,  2.0,  -2.0, -3.0,  3.0),
}
WEATHER_POINTS = {
    "clear":     (-1.0,   0.0, -2.0,  2.0,   1.0, -2.0,  0.0),
    "rain":      ( 0.0,   1.0, -1.0, -2.0,   0.0,  3.0, -1.0),
    "storm":     ( 2.0,  -1.0,  3.0, -2.0,  -2.0, -2.0,  0.0),
    "snow":      (-2.0,  -1.0, -1.0,  1.0,   0.0,  0.0,  2.0),
}
LIGHT_POINTS = {
    "day":       ( 1.0,   1.0, -2.0,  0.0,   1.0, -1.0,  0.0),
    "dusk":      (-1.0,  -1.0, -1.0,  1.0,   0.0,  2.0, -1.0),
    "night":     ( 0.0,   0.0,  2.0, -1.0,  -1.0, -1.0,  2.0),
}

#                Anger Disgust Fear Happy Neutral  Sad Surprise        each column sums to 100
EXPRESSION_PERCENT = {
    "scowl":     (  56,   34,    0,    0,    10,    6,    0),
    "grimace":   (  36,   54,   22,    0,     0,    0,    0),
    "gape":      (   0,    4,   58,   16,     0,    0,   58),
    "tears":     (   0,    0,   20,   12,     0,   54,    0),
    "smile":     (   0,    0,    0,   72,    24,    0,   34),
    "flat":      (   8,    8,    0,    0,    66,   40,    8),
}
OBJECT_PERCENT = {
    "nothing":         (24,  24,  24,   24,    24,   24,   24),
    "broken cup":      (36,   4,   6,    0,     0,   14,   10),
    "alarm clock":     (24,   0,  14,    0,    10,    0,    6),
    "rotten fish":     ( 4,  42,   0,    0,     0,    0,    8),
    "spider":          ( 0,  24,  40,    0,     0,    0,    6),
    "wilted flower":   ( 0,   4,   0,    0,     6,   42,    0),
    "book":            ( 0,   0,   4,    4,    32,    6,    0),
    "phone":           ( 8,   0,   6,    4,    24,   10,    0),
    "ice cream":       ( 4,   0,   0,   18,     4,    4,    0),
    "balloon":         ( 0,   0,   0,   22,     0,    0,    6),
    "gift":            ( 0,   0,   0,   14,     0,    0,   18),
    "jack-in-the-box": ( 0,   2,   6,    0,     0,    0,   22),
    "trophy":          ( 0,   0,   0,   14,     0,    0,    0),
}
# fmt: on

LABEL_NOISE = 0.05
"""CAER-S: share of annotations drawn uniformly from the seven emotions (so 1 in 7 of those is right by luck)."""

LEAK = 0.02
"""EMOTIC: probability that a category is ticked for no reason at all."""

EMOTION_CAUSES: dict[str, dict[str, float]] = {
    "Anger": {"Anger": 0.9, "Annoyance": 0.7, "Disapproval": 0.6, "Aversion": 0.2, "Confidence": 0.2},
    "Disgust": {"Aversion": 0.9, "Disapproval": 0.5, "Annoyance": 0.4, "Disquietment": 0.3, "Embarrassment": 0.15},
    "Fear": {"Fear": 0.9, "Disquietment": 0.6, "Suffering": 0.2, "Surprise": 0.1, "Anticipation": 0.4},
    "Happy": {"Happiness": 0.9, "Pleasure": 0.7, "Excitement": 0.4, "Affection": 0.3, "Confidence": 0.4, "Esteem": 0.2},
    "Neutral": {"Engagement": 0.6, "Peace": 0.5, "Confidence": 0.4, "Disconnection": 0.3, "Anticipation": 0.2},
    "Sad": {"Sadness": 0.9, "Suffering": 0.5, "Fatigue": 0.3, "Pain": 0.3, "Sensitivity": 0.3, "Disconnection": 0.3},
    "Surprise": {"Surprise": 0.9, "Excitement": 0.5, "Doubt/Confusion": 0.5, "Anticipation": 0.4, "Engagement": 0.3},
}
OBJECT_CAUSES: dict[str, dict[str, float]] = {
    "nothing": {},
    "broken cup": {"Pain": 0.5, "Embarrassment": 0.5},
    "alarm clock": {"Fatigue": 0.6, "Annoyance": 0.3},
    "rotten fish": {"Aversion": 0.4, "Sensitivity": 0.2},
    "spider": {"Aversion": 0.3, "Doubt/Confusion": 0.2},
    "wilted flower": {"Sensitivity": 0.5, "Yearning": 0.6},
    "book": {"Engagement": 0.6, "Peace": 0.3},
    "phone": {"Disconnection": 0.6, "Anticipation": 0.3},
    "ice cream": {"Pleasure": 0.6, "Yearning": 0.3},
    "balloon": {"Excitement": 0.4, "Happiness": 0.2},
    "gift": {"Affection": 0.6, "Sympathy": 0.3},
    "jack-in-the-box": {"Doubt/Confusion": 0.4, "Embarrassment": 0.3},
    "trophy": {"Esteem": 0.8, "Confidence": 0.7},
}
SCENE_CAUSES: dict[str, dict[str, float]] = {
    "park": {"Peace": 0.7, "Pleasure": 0.3},
    "street": {"Anticipation": 0.6, "Disconnection": 0.3},
    "kitchen": {"Affection": 0.6, "Engagement": 0.3},
    "office": {"Engagement": 0.6, "Confidence": 0.3},
    "graveyard": {"Sympathy": 0.8, "Suffering": 0.3},
    "party": {"Excitement": 0.6, "Esteem": 0.5},
    "clear": {},
    "rain": {"Sensitivity": 0.4},
    "storm": {"Disquietment": 0.5},
    "snow": {"Anticipation": 0.3},
    "day": {},
    "dusk": {"Yearning": 0.4},
    "night": {"Fatigue": 0.4},
}

PLACES = tuple(PLACE_PROBABILITY)
WEATHERS = tuple(WEATHER_PROBABILITY)
LIGHTS = tuple(LIGHT_PROBABILITY)
SCENES = tuple((place, weather, light) for place in PLACES for weather in WEATHERS for light in LIGHTS)
"""All S = 72 scenes; a scene's position is its index in the arrays below."""
EXPRESSIONS = tuple(EXPRESSION_PERCENT)
OBJECTS = tuple(OBJECT_PERCENT)


@cache
def scene_probability() -> Array:
    """P(scene), (S,)."""
    return np.array([PLACE_PROBABILITY[p] * WEATHER_PROBABILITY[w] * LIGHT_PROBABILITY[t] for p, w, t in SCENES])


@cache
def emotion_given_scene() -> Array:
    """P(emotion | scene), (S, 7)."""
    points = [np.add(PLACE_POINTS[p], WEATHER_POINTS[w]) + LIGHT_POINTS[t] for p, w, t in SCENES]
    odds = 2.0 ** (np.array(BIAS) + np.array(points))
    return np.asarray(odds / odds.sum(1, keepdims=True))


@cache
def expression_given_emotion() -> Array:
    """P(expression | emotion), (7, 6)."""
    return np.asarray(np.array(list(EXPRESSION_PERCENT.values())).T / 100.0)


@cache
def object_given_emotion() -> Array:
    """P(object | emotion), (7, 13)."""
    return np.asarray(np.array(list(OBJECT_PERCENT.values())).T / 100.0)


@cache
def caer_s_label_given_emotion() -> Array:
    """P(CAER-S label | emotion), (7, 7)."""
    k = len(EMOTIONS)
    return (1 - LABEL_NOISE) * np.eye(k) + LABEL_NOISE / k


def _off(causes: dict[str, float]) -> Array:
    """Probability that these causes leave each category dark, (26,)."""
    return np.array([1.0 - causes.get(name, 0.0) for name in EMOTIC.names])


@cache
def emotic_coins() -> Array:
    """P(category is lit | scene, emotion, object) before empty sets are drawn again, (S, 7, 13, 26)."""
    scene = np.stack([_off(SCENE_CAUSES[p]) * _off(SCENE_CAUSES[w]) * _off(SCENE_CAUSES[t]) for p, w, t in SCENES])
    emotion = np.stack([_off(EMOTION_CAUSES[name]) for name in EMOTIONS])
    thing = np.stack([_off(OBJECT_CAUSES[name]) for name in OBJECTS])
    return np.asarray(1.0 - (1.0 - LEAK) * scene[:, None, None] * emotion[:, None] * thing)


@cache
def emotic_label_given_latents() -> Array:
    """P(category in the annotation | scene, emotion, object), (S, 7, 13, 26): the coins, given that one is lit."""
    coins = emotic_coins()
    return np.asarray(coins / (1.0 - np.prod(1.0 - coins, axis=-1, keepdims=True)))


@cache
def joint() -> Array:
    """P(scene, emotion, expression, object) of one person, (S, 7, 6, 13)."""
    emotion = scene_probability()[:, None] * emotion_given_scene()
    return np.asarray(
        emotion[:, :, None, None] * expression_given_emotion()[None, :, :, None] * object_given_emotion()[None, :, None]
    )
