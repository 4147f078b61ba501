"""A predictor whose model finds what it is told to, so that tests of results need no network."""

import torch

from dsct_detrex.prediction import Predictor
from dsct_detrex.structures import Emotions, Instances, predicted_people


def some_people(emotions: Emotions, seed: int, number: int, size: tuple[int, int] = (60, 80)) -> Instances:
    """``number`` people of random boxes and logits in a picture of (height, width)."""
    generator = torch.Generator().manual_seed(seed)
    height, width = size
    corners = torch.rand(number, 2, 2, generator=generator).sort(dim=1).values * torch.tensor([width, height])
    logits = 4 * torch.randn(number, emotions.num_logits, generator=generator)
    return predicted_people(size, corners.reshape(number, 4), logits, emotions)


class Finds(torch.nn.Module):
    """Finds ``number`` people in every picture, others in each; counts the pictures it saw, and its batches."""

    def __init__(self, emotions: Emotions, number: int) -> None:
        super().__init__()
        self.emotions, self.number = emotions, number
        self.batches: list[int] = []

    def forward(self, inputs: list[dict[str, object]]) -> list[dict[str, Instances]]:
        seen = sum(self.batches)
        self.batches.append(len(inputs))
        return [
            {"instances": some_people(self.emotions, seen + n, self.number, (one["height"], one["width"]))}
            for n, one in enumerate(inputs)
        ]


def finder(emotions: Emotions, number: int = 3, emotion_threshold: float = 0.5) -> Predictor:
    """Keeps everybody, however unlikely and however close."""
    thresholds = (emotion_threshold,) * emotions.num_emotions
    return Predictor(Finds(emotions, number), emotions, lambda scene: scene, thresholds, 0.0, 1.0)
