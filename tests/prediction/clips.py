"""Small videos of two squares, red and blue, that walk towards and past each other, and a model that finds them."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from dsct_detrex.prediction import Predictor
from dsct_detrex.structures import CAER_S, Instances, predicted_people

SIZE = (96, 64)
SIDE = 16


def corners(number: int) -> dict[str, tuple[int, int]]:
    """Left upper corners of the two squares in a frame; they are on different heights."""
    return {"red": (2 + 3 * number, 8), "blue": (76 - 3 * number, 40)}


def frame(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    pixels = np.full((size[1], size[0], 3), 30, np.uint8)
    for name, (x, y) in corners(number).items():
        pixels[y : y + SIDE, x : x + SIDE] = {"red": (255, 0, 0), "blue": (0, 0, 255)}[name]
    return pixels


def write_clip(
    path: Path, frames: int = 20, rate: int = 10, codec: str = "mpeg4", times: list[float] | None = None, turn: int = 0
) -> Path:
    """A video; ``times`` are the seconds of the frames where the rate is not even."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"movflags": "faststart"} if path.suffix in (".mp4", ".mov") else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = *SIZE, "yuv420p", 2_000_000
        stream.gop_size = 5
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if turn:
            stream.set_display_rotation(turn)
        for number in range(frames):
            picture = av.VideoFrame.from_ndarray(frame(number), format="rgb24")
            if times is not None:
                picture.pts, picture.time_base = round(1000 * times[number]), Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


class FindsColours(torch.nn.Module):
    """Finds the red and the blue square where they are; the one that is larger in sight comes first."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def forward(self, inputs: list[dict[str, object]]) -> list[dict[str, Instances]]:
        self.batches.append(len(inputs))
        return [{"instances": self._people(one)} for one in inputs]

    def _people(self, one: dict[str, object]) -> Instances:
        image = one["image"]
        assert isinstance(image, torch.Tensor)
        boxes, emotions = [], []
        for channel in (0, 2):
            ys, xs = torch.nonzero((image[channel] > 150) & (image[2 - channel] < 100), as_tuple=True)
            if len(xs):
                boxes.append([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
                emotions.append(channel)
        logits = torch.full((len(boxes), CAER_S.num_logits), -4.0)
        for row, emotion in enumerate(emotions):
            logits[row, emotion] = 3.0
        size = (one["height"], one["width"])
        return predicted_people(size, torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), logits, CAER_S)


def colour_finder() -> Predictor:
    return Predictor(FindsColours(), CAER_S, lambda scene: scene, (0.5,) * CAER_S.num_emotions, 0.3, 0.9)


def decoded(path: Path) -> Iterator[tuple[float, np.ndarray]]:
    """Seconds and pixels of the frames of a file."""
    import av

    with av.open(str(path)) as container:
        assert not container.streams.audio
        for picture in container.decode(video=0):
            yield picture.time, picture.to_ndarray(format="rgb24")
