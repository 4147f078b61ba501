"""The two kinds of emotion target, and how the logits of a subject query read under each.

EMOTIC annotates a *set* of 26 categories per person (multi-label), CAER-S exactly *one* of 7 (multi-class). They are
two types, never one key and a flag: each owns its ground-truth field, its number of logits and its probabilities.
Both heads carry one logit more than there are categories, as in the official code (``models/deformable_detr_dsct.py``):
for EMOTIC it is the trained "subject" logit, for CAER-S it is never trained nor read.

Shapes: K emotion categories; logits are (..., K + 1).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from dsct_detrex.errors import UserError
from dsct_detrex.structures.emotion_names import checked_names, checked_set_name


@dataclass(frozen=True)
class Emotions(ABC):
    """An ordered set of emotion categories.

    A config file may describe a set of its own: ``L(MultiClassEmotions)(name="moods", names=["calm", "tense"])``.

    Attributes:
        name: how data sets and configs call it, e.g. ``"emotic"``: letters, digits, ``_`` and ``-``.
        names: the K category names, any list of texts; the position is the class index.
        origin: where names and kind come from, in words, when they were not stated but found; not part of the set.
        temperature: what class logits are divided by before they are read as probabilities (Guo et al. 2017,
            arXiv:1706.04599), above 0; of a calibrated model, and not part of the set. Whatever ranks people or boxes
            (``subject_scores``, ``mean_scores``) does not read it.

    Raises:
        UserError: the names are no texts, too few, or two of them that annotation files could not tell apart; a
            temperature that is no number above 0.
    """

    name: str
    names: tuple[str, ...]
    origin: str = field(default="", compare=False, repr=False)
    temperature: float = field(default=1.0, compare=False, repr=False)

    def __post_init__(self) -> None:
        owner = type(self).__name__
        if not (0 < self.temperature < math.inf):  # NaN fails too
            raise UserError(f"{owner}(temperature=) expects a number above 0. Got {self.temperature}.")
        object.__setattr__(self, "name", checked_set_name(self.name, owner))
        object.__setattr__(self, "names", checked_names(self.names, owner, self.fewest))

    @property
    def fewest(self) -> int:
        """Categories that a set of this kind has at least."""
        return 1

    @property
    def num_emotions(self) -> int:
        """K."""
        return len(self.names)

    @property
    def num_logits(self) -> int:
        """K + 1, see the module docstring."""
        return len(self.names) + 1

    @property
    @abstractmethod
    def target_field(self) -> str:
        """Field of ``Instances`` that holds the ground truth of this kind."""

    @abstractmethod
    def encode(self, labels: Sequence[Sequence[int]]) -> Tensor:
        """Turn the category indices of n people into the target tensor of this kind.

        Args:
            labels: for each person the category indices, each in [0, K).

        Raises:
            ValueError: an index outside [0, K), or a number of labels this kind does not allow.
        """

    @abstractmethod
    def multi_hot(self, targets: Tensor) -> Tensor:
        """Targets of n people as (n, K) float 0/1."""

    @abstractmethod
    def probabilities(self, logits: Tensor) -> Tensor:
        """(..., K + 1) logits -> (..., K) probabilities: as the official ``test.py`` reads them at temperature 1."""

    @abstractmethod
    def subject_scores(self, logits: Tensor) -> Tensor:
        """(..., K + 1) logits -> (...) confidence in [0, 1] that the query found a person."""

    def mean_scores(self, logits: Tensor) -> Tensor:
        """(..., K + 1) logits -> (...) mean class probability, the score of paper section 3.1 that NMS sorts by."""
        return logits[..., : self.num_emotions].sigmoid().mean(-1)

    def index(self, label: str) -> int:
        """Class index of a category name.

        Raises:
            ValueError: the name is unknown; the message lists the known ones.
        """
        if label not in self.names:
            raise ValueError(f"{self.name}.index(label=) expects one of {', '.join(self.names)}. Got {label!r}.")
        return self.names.index(label)

    def _tempered(self, logits: Tensor) -> Tensor:
        """(..., K + 1) logits -> the (..., K) of the classes over the temperature; the very same bits at 1."""
        classes = logits[..., : self.num_emotions]
        return classes if self.temperature == 1 else classes / self.temperature

    def _check(self, labels: Sequence[Sequence[int]]) -> None:
        for person in labels:
            for index in person:
                if not 0 <= index < self.num_emotions:
                    raise ValueError(
                        f"{self.name}.encode(labels=) expects indices in [0, {self.num_emotions}). Got {index}."
                    )


@dataclass(frozen=True)
class MultiLabelEmotions(Emotions):
    """Several categories per person (EMOTIC); targets are (n, K) float 0/1."""

    @property
    def target_field(self) -> str:
        return "gt_multilabels"

    def encode(self, labels: Sequence[Sequence[int]]) -> Tensor:
        self._check(labels)
        targets = torch.zeros(len(labels), self.num_emotions)
        for row, person in zip(targets, labels):
            row[list(person)] = 1.0
        return targets

    def multi_hot(self, targets: Tensor) -> Tensor:
        return targets.float()

    def probabilities(self, logits: Tensor) -> Tensor:
        return self._tempered(logits).sigmoid()

    def subject_scores(self, logits: Tensor) -> Tensor:
        return logits[..., self.num_emotions].sigmoid()


@dataclass(frozen=True)
class MultiClassEmotions(Emotions):
    """Exactly one category per person (CAER-S); targets are (n,) int64."""

    @property
    def fewest(self) -> int:
        return 2

    @property
    def target_field(self) -> str:
        return "gt_classes"

    def encode(self, labels: Sequence[Sequence[int]]) -> Tensor:
        self._check(labels)
        for person in labels:
            if len(person) != 1:
                raise ValueError(
                    f"{self.name}.encode(labels=) expects exactly one category per person. Got {len(person)}."
                )
        return torch.tensor([person[0] for person in labels], dtype=torch.int64)

    def multi_hot(self, targets: Tensor) -> Tensor:
        # not one_hot, which reads the range of its input
        return (targets[..., None] == torch.arange(self.num_emotions, device=targets.device)).float()

    def probabilities(self, logits: Tensor) -> Tensor:
        return self._tempered(logits).softmax(-1)

    def subject_scores(self, logits: Tensor) -> Tensor:
        """The chance that at least one class is there: 1 - product of (1 - p).

        Sigmoid focal training drives every class of an unmatched query down, and shares a found person's probability
        among the classes in question; the best class alone would doubt a person whose *emotion* is ambiguous.
        """
        return 1 - (1 - logits[..., : self.num_emotions].sigmoid()).prod(-1)


EMOTIC = MultiLabelEmotions(
    "emotic",
    (
        "Affection",
        "Anger",
        "Annoyance",
        "Anticipation",
        "Aversion",
        "Confidence",
        "Disapproval",
        "Disconnection",
        "Disquietment",
        "Doubt/Confusion",
        "Embarrassment",
        "Engagement",
        "Esteem",
        "Excitement",
        "Fatigue",
        "Fear",
        "Happiness",
        "Pain",
        "Peace",
        "Pleasure",
        "Sadness",
        "Sensitivity",
        "Suffering",
        "Surprise",
        "Sympathy",
        "Yearning",
    ),
)
"""The 26 EMOTIC categories in the alphabetical order that rkosti/emotic, Tandon-A/emotic and DSCT share."""

CAER_S = MultiClassEmotions("caer_s", ("Anger", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise"))
"""The 7 CAER-S categories, ids 0-6 of the folder names in alphabetical order."""

_KNOWN: dict[str, Emotions] = {e.name: e for e in (EMOTIC, CAER_S)}


def get_emotions(name: str) -> Emotions:
    """The emotions of a data set, by name, for config files.

    Args:
        name: of the data set whose emotions are meant.

    Raises:
        ValueError: an unknown name; the message lists the known ones and says how to describe others.
    """
    if name not in _KNOWN:
        raise ValueError(
            f"get_emotions(name=) expects one of {', '.join(_KNOWN)}. Got {name!r}. Describe other emotions in the "
            "config file: emotions=L(MultiClassEmotions)(name=..., names=[...]), or MultiLabelEmotions."
        )
    return _KNOWN[name]
