"""A host as a run began with it, kept aside as a teacher: what it detects, contexts should go on detecting.

It stands in for annotated things where there are none (EMOTIC, CAER-S), and feeds the same loss
(``context_detection``). It is no part of the model: not of its state dict, its optimizer, its averages or its release,
and nothing ever changes it. Whoever trains hands it the host that the run started from (``begin``).

Source of the idea: learning without forgetting (arXiv:1606.09282), with detections as its soft labels made hard
(pseudo-labels; for detectors arXiv:1708.06977).

Shapes: B images, M contexts, K classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dsct_detrex.dsct.adapters import adapter_for
from dsct_detrex.dsct.context_heads import ContextHeads
from dsct_detrex.dsct.decoder import SubjectContextDecoder
from dsct_detrex.dsct.subject_queries import no_subjects
from dsct_detrex.objective.targets import Target


class FrozenStart:
    """Detections of the host of the start, as targets.

    Args:
        threshold: score in (0, 1) from which on a context says that something is there. Lower ones teach more and surer
            mistakes.

    Raises:
        ValueError: another threshold.
    """

    def __init__(self, threshold: float = 0.3) -> None:
        if not 0 < threshold < 1:
            raise ValueError(f"FrozenStart(threshold=) expects a score between 0 and 1. Got {threshold}.")
        self.threshold = threshold
        self._decoder: SubjectContextDecoder | None = None
        self._softmax = False

    def begin(self, host: nn.Module, softmax: bool = False) -> None:
        """Take a host as it is now; it must be nobody else's.

        Args:
            host: goes to evaluation mode and rests there.
            softmax: read its classes against its own "no object", as DETR's are that were not trained here.
        """
        adapter = adapter_for(host.requires_grad_(False))
        host.eval()
        self._decoder = SubjectContextDecoder(adapter, None).eval()
        self._softmax = softmax and adapter.no_object

    @property
    def host(self) -> nn.Module | None:
        """The host that was taken."""
        return None if self._decoder is None else self._decoder.adapter.host

    @torch.no_grad()
    def __call__(self, pixels: Tensor, mask: Tensor) -> list[Target]:
        """What is there, by its word: one thing for each context that is sure, of the class that it is surest of.

        Args:
            pixels: (B, 3, H, W) normalised, zero where padded.
            mask: (B, H, W) bool, True = padding.

        Raises:
            ValueError: it was never given a host.
        """
        if self._decoder is None:
            raise ValueError(
                "FrozenStart expects the host that the run starts from before it teaches: begin(host). Training with "
                "dsct train does it with train.init_checkpoint."
            )
        adapter = self._decoder.adapter
        heads = ContextHeads(adapter)
        nobody = no_subjects(len(pixels), adapter.query_spec, pixels)
        layers = self._decoder(adapter.decoder_inputs(pixels, mask), nobody, heads)
        said = heads.predictions(layers[-1:], first=len(layers) - 1)
        logits, boxes = said["pred_logits"][0].float(), said["pred_boxes"][0].float()
        probabilities = logits.softmax(-1) if self._softmax else logits.sigmoid()
        scores, classes = probabilities[..., : heads.num_classes].max(-1)
        return [Target(boxes[image][sure], classes[image][sure]) for image, sure in enumerate(scores > self.threshold)]
