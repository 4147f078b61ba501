"""How far an exported file is from the model it was made of: random pictures of several sizes, largest difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from dsct_detrex.dsct import DSCT
from dsct_detrex.export.function import OUTPUTS, PeopleOfPictures

Run = Callable[[Tensor], Sequence[Tensor]]
"""(B, 3, H, W) pictures -> the outputs of ``PeopleOfPictures``, in its order."""

BATCHES: Final = ((1, 320, 416), (2, 448, 352), (3, 320, 320))
"""(pictures, height, width); large enough for the proposals of any host."""


@dataclass(frozen=True)
class Agreement:
    """The largest absolute difference of each output over all pictures, by its name."""

    differences: dict[str, float]

    @property
    def largest(self) -> float:
        """Of boxes, scores and probabilities, which all lie in [0, 1]; logits have no scale."""
        return max(value for name, value in self.differences.items() if name != "logits")

    def sentence(self) -> str:
        """For example ``boxes 1.2e-07, scores 6.0e-08, probabilities 3.0e-08, logits 9.5e-07``."""
        return ", ".join(f"{name} {value:.1e}" for name, value in self.differences.items())


def agreement(model: DSCT, run: Run, batches: Sequence[tuple[int, int, int]] = BATCHES, seed: int = 0) -> Agreement:
    """Compare ``run`` with the model itself.

    Args:
        model: computes as it does for a prediction, with whatever backend and rewrites stand.
        run: the exported file.
        batches: (pictures, height, width) of what is looked at.
        seed: of the random pictures.
    """
    generator = torch.Generator().manual_seed(seed)
    differences = dict.fromkeys(OUTPUTS, 0.0)
    function, was_training = PeopleOfPictures(model), model.training
    model.eval()
    try:
        for batch in batches:
            count, height, width = batch
            images = torch.rand(count, 3, height, width, generator=generator) * 255
            with torch.inference_mode():
                expected = function(images.to(model.device))
            for name, ours, theirs in zip(OUTPUTS, expected, run(images), strict=True):
                difference = (ours.cpu() - theirs.cpu()).abs().max().item()
                # NaN in one of the two is a difference like any other, and the largest there is
                differences[name] = max(differences[name], difference if difference == difference else float("inf"))
    finally:
        model.train(was_training)
    return Agreement(differences)


def run_onnx(path: str) -> Run:
    """An ONNX file as a function, by onnxruntime on the CPU with as many threads as torch."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])

    def run(images: Tensor) -> list[Tensor]:
        return [torch.from_numpy(array) for array in session.run(list(OUTPUTS), {"images": images.numpy()})]

    return run


def run_program(path: str) -> Run:
    """A program of ``torch.export`` as a function; it is one that this process wrote."""
    module = torch.export.load(path).module()

    def run(images: Tensor) -> list[Tensor]:
        with torch.inference_mode():
            return list(module(images))

    return run
