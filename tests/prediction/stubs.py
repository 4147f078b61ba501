"""``dsct predict`` with a model that needs no network, in a folder of its own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dsct_detrex.prediction import Prediction, Predictor
from tests.commands import predict as main


def use(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a checkpoint called ``model`` holds from now on."""
    predictor.origin = "model"
    monkeypatch.setattr(Predictor, "from_checkpoint", classmethod(lambda *_, **__: predictor))


def predict(*words: str) -> int:
    return main(["model", *words, "--device", "cpu"])


def picture(path: str, seed: int = 0) -> Path:
    place = Path(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(place)
    return place


def rows(out: str = "out", name: str = "predictions.json") -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads(Path(out, name).read_text(encoding="ascii"))
    return content


def files(out: str = "out") -> list[str]:
    """Of the rows of pictures."""
    return [row["file"] for row in rows(out)]


def interrupt_after(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C behind so many results, once."""
    stream = Predictor.stream

    def interrupted(*given: object, **settings: object) -> Iterator[Prediction]:
        for count, result in enumerate(stream(*given, **settings)):
            if count == number:
                monkeypatch.setattr(Predictor, "stream", stream)
                raise KeyboardInterrupt
            yield result

    monkeypatch.setattr(Predictor, "stream", interrupted)
