"""DSCT: a detection transformer that finds people and their emotions in one pass (arXiv:2404.17205, Figure 3).

``DSCT`` wraps any host. The host's backbone, encoder, decoder layers and own object queries (the contexts) do their
work untouched; N subject queries are appended, fused with contexts in every layer, and alone predict.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.dsct.adapters import adapter_for
from dsct_detrex.dsct.decoder import DistanceFrame, LayerOutput, SubjectContextDecoder
from dsct_detrex.dsct.decoder_layer import Placement
from dsct_detrex.dsct.heads import SubjectHeads
from dsct_detrex.dsct.images import ImageNormalizer
from dsct_detrex.dsct.postprocess import postprocess
from dsct_detrex.dsct.relational_aggregation import RelationalAggregation
from dsct_detrex.dsct.subject_queries import SubjectQueries
from dsct_detrex.objective.targets import targets_from_instances
from dsct_detrex.structures import Emotions, Instances


class DSCT(nn.Module):
    """Single-stage emotion recognition on a host.

    Args:
        host: a detection transformer that an adapter recognises.
        emotions: what the emotion logits mean.
        criterion: ``criterion(outputs, targets) -> dict of losses`` (``objective``); needed for training only.
        num_subjects: N. The official runs use 4 for EMOTIC and 9 for CAER-S.
        aggregation: how subjects gather contexts; None switches fusion off.
        fusion_layers: indices of the decoder layers that fuse; None: all (paper Table 8).
        placement: fusion ``before_ffn`` (official) or ``after_ffn`` of a layer.
        use_contexts: False drops the context queries: the baseline of paper Table 6.
        contexts_see_subjects: whether contexts attend to subjects in self-attention, as in the official code.
        distance_frame: ``unpadded`` or ``padded``, see ``SubjectContextDecoder``.
        shared_heads: one pair of heads for all layers; None: shared unless the host refines references.
        activation_checkpointing: recompute decoder layers in the backward pass.
        freeze_host_heads: switch off gradients of host parameters that DSCT never trains (its class and box heads).
        pixel_mean, pixel_std: RGB, 0-255.
        device: moved there when built, as detrex's models are; ``cpu`` by default.

    Raises:
        ValueError: the host is of no known kind, or a switch has an unknown value.
    """

    def __init__(
        self,
        host: nn.Module,
        emotions: Emotions,
        criterion: Any = None,
        num_subjects: int = 9,
        aggregation: RelationalAggregation | None = None,
        fusion_layers: Sequence[int] | None = None,
        placement: Placement = "before_ffn",
        use_contexts: bool = True,
        contexts_see_subjects: bool = True,
        distance_frame: DistanceFrame = "unpadded",
        shared_heads: bool | None = None,
        activation_checkpointing: bool = False,
        freeze_host_heads: bool = True,
        pixel_mean: Sequence[float] = (123.675, 116.28, 103.53),
        pixel_std: Sequence[float] = (58.395, 57.12, 57.375),
        device: str = "cpu",
    ) -> None:
        super().__init__()
        if not isinstance(host, nn.Module):
            raise ValueError(
                f"DSCT(host=) expects a detection transformer. Got {type(host).__name__}; in a config, override the "
                "host as hosts.<name>.<key>=... or host.name=<name>."
            )
        adapter = adapter_for(host)
        spec = adapter.query_spec
        self.host = host
        self.emotions = emotions
        self.criterion = criterion
        self.normalizer = ImageNormalizer(pixel_mean, pixel_std)
        self.subject_queries = SubjectQueries(num_subjects, spec)
        self.heads = SubjectHeads(
            spec.embed_dim,
            emotions.num_logits,
            num_layers=len(adapter.layers),
            shared=not adapter.refines if shared_heads is None else shared_heads,
            initial_size=None if spec.anchor_dim == 4 else 0.12,
        )
        self.decoder = SubjectContextDecoder(
            adapter,
            aggregation,
            fusion_layers=fusion_layers,
            placement=placement,
            use_contexts=use_contexts,
            contexts_see_subjects=contexts_see_subjects,
            distance_frame=distance_frame,
            activation_checkpointing=activation_checkpointing,
        )
        if freeze_host_heads:
            for parameter in untrained_host_parameters(host):
                parameter.requires_grad_(False)
        self.to(device)

    def forward(self, batched_inputs: list[dict[str, Any]]) -> dict[str, Tensor] | list[dict[str, Instances]]:
        """Losses in training, people in evaluation.

        Args:
            batched_inputs: per image a dict with ``image`` (3, H, W) RGB 0-255; in training ``instances`` with
                ``gt_boxes`` (xyxy, pixels of ``image``) and the emotions' target field; in evaluation ``height`` and
                ``width`` of the original image (default: those of ``image``).

        Returns:
            in training the criterion's weighted losses; in evaluation ``[{"instances": Instances}]``, see
            ``postprocess``.

        Raises:
            ValueError: training without a criterion.
        """
        layers = self.decode([entry["image"] for entry in batched_inputs])
        if not self.training:
            people = postprocess(layers[-1].logits, layers[-1].boxes, _original_sizes(batched_inputs), self.emotions)
            return [{"instances": instances} for instances in people]
        if self.criterion is None:
            raise ValueError("DSCT(criterion=) expects a criterion when the model is in training mode. Got None.")
        device = layers[-1].logits.device
        targets = targets_from_instances([entry["instances"].to(device) for entry in batched_inputs], self.emotions)
        losses: dict[str, Tensor] = self.criterion(stack_predictions(layers), targets)
        return losses

    def decode(self, images: Sequence[Tensor]) -> list[LayerOutput]:
        """Run host and loop on images of any sizes, each (3, H, W) RGB 0-255; one output per decoder layer."""
        pixels, mask = self.normalizer(images)
        inputs = self.decoder.adapter.decoder_inputs(pixels, mask)
        layers: list[LayerOutput] = self.decoder(inputs, self.subject_queries(len(images)), self.heads)
        return layers

    @property
    def device(self) -> torch.device:
        return self.normalizer.mean.device


def stack_predictions(layers: Sequence[LayerOutput]) -> dict[str, Tensor]:
    """What the criterion reads: ``pred_logits`` (L, B, N, K + 1) and ``pred_boxes`` (L, B, N, 4)."""
    return {
        "pred_logits": torch.stack([layer.logits for layer in layers]),
        "pred_boxes": torch.stack([layer.boxes for layer in layers]),
    }


def untrained_host_parameters(host: nn.Module) -> list[nn.Parameter]:
    """Parameters of a host that receive no gradient from DSCT's losses, as measured on the live detrex hosts.

    These are its class and box heads (the contexts' boxes only steer references, detached) and, in two-stage hosts,
    the proposal head's projection, since proposals enter the decoder detached.
    """
    dead = ("class_embed.", "bbox_embed.", "transformer.enc_output", "label_enc.")
    return [
        parameter
        for name, parameter in host.named_parameters()
        if name.startswith(dead) or ".decoder.class_embed." in name or ".decoder.bbox_embed." in name
    ]


def _original_sizes(batched_inputs: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
    return [
        (entry.get("height", entry["image"].shape[-2]), entry.get("width", entry["image"].shape[-1]))
        for entry in batched_inputs
    ]
