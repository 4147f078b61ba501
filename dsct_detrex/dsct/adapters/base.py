"""The adapter contract: what DSCT must know about one kind of host.

DSCT runs one decoder loop of its own over the host's submodules. Where hosts differ (how the transformer is called,
what a layer receives, which head refines references) an adapter says so; where they agree, nothing is said twice.
An adapter holds no parameters and no state: it is a reading of a host. The facts behind each adapter were measured on
the live detrex models at commit e244e6c.

Shapes: B images, M contexts, N subjects, Q = M + N queries (contexts first), C channels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from dsct_detrex.dsct.adapters.padding import pad_for_backbone
from dsct_detrex.dsct.adapters.post_norm import LAYER_ORDER, Middle, run_post_norm_layer
from dsct_detrex.dsct.heads import of_layer
from dsct_detrex.dsct.subject_queries import QuerySpec, Subjects
from dsct_detrex.layers.levels import scale_references, shrink_mask
from dsct_detrex.ops.levels import read_sizes

MemoryExtra = Callable[[tuple[int, int]], Tensor]
"""(height, width) of a level of the memory -> (B, height * width, C) to be added to it."""

SubjectBoxes = Callable[[Tensor], Tensor]
"""(B, N, C) states of the subjects as the heads see them -> (B, N, 4) boxes, cxcywh in [0, 1]."""


@dataclass
class QueryState:
    """The loop variables of the decoder, contexts first.

    Attributes:
        content: (B, Q, C) states, or (Q, B, C) where the host is not batch first.
        position: position embedding in the same layout, or None where the host computes it per layer.
        reference: (B, Q, 2 | 4) xy or cxcywh in [0, 1] of the unpadded image, entering the layer (detached once
            refined); (B, Q, 0) where the host knows no references.
        prediction_reference: the reference that this layer's prediction is relative to; it keeps the gradient of the
            last refinement where the host looks forward twice.
    """

    content: Tensor
    position: Tensor | None
    reference: Tensor
    prediction_reference: Tensor


def add_once(inputs: dict[str, Any], added: Tensor) -> dict[str, Tensor]:
    """``key`` and ``value`` of a decoder with something added; where they are one tensor they stay one."""
    found = {name: inputs[name] for name in ("key", "value") if name in inputs}
    sums = {id(memory): memory + added for memory in found.values()}
    return {name: sums[id(memory)] for name, memory in found.items()}


class HostAdapter(ABC):
    """One kind of host, read by DSCT.

    Args:
        host: the detector; its submodules are used, never replaced or renamed.

    Raises:
        ValueError: a decoder layer is not post-norm in the order self-attention, cross-attention, FFN.
    """

    kind: ClassVar[str]
    """Name of the kind, as configs and messages call it."""
    batch_first: ClassVar[bool] = True
    """Layout of the host's decoder tensors: [B, Q, C] or [Q, B, C]."""
    multi_scale: ClassVar[bool] = False
    """Whether the decoder is told how much of every level is padding (``valid_ratios``)."""
    no_object: ClassVar[bool] = False
    """Whether the host's class heads have a logit more than classes, for "no object"."""
    reference_eps: ClassVar[float] = 1e-3
    """Clamp of inverse sigmoid in the host's own refinement (detrex: 1e-3)."""

    def __init__(self, host: nn.Module) -> None:
        self.host: Any = host
        self.check_layers()

    def check_layers(self) -> None:
        """Raise if a decoder layer cannot be opened at its middle."""
        for index, layer in enumerate(self.layers):
            order = tuple(layer.operation_order)
            if order != LAYER_ORDER:
                raise ValueError(
                    f"{type(self).__name__} expects decoder layers in the order {LAYER_ORDER}. "
                    f"Layer {index} has {order}."
                )

    @classmethod
    @abstractmethod
    def recognises(cls, host: nn.Module) -> bool:
        """Whether a host is of this kind, judged by structure, never by class name."""

    @property
    def decoder(self) -> Any:
        """The module whose call DSCT captures."""
        return self.host.transformer.decoder

    @property
    def layers(self) -> Sequence[Any]:
        """The base layers of the decoder."""
        layers: Sequence[Any] = self.decoder.layers
        return layers

    @property
    @abstractmethod
    def query_spec(self) -> QuerySpec:
        """What a subject query must own to look like one of the host's."""

    @property
    def look_forward_twice(self) -> bool:
        """Whether a prediction's reference keeps the gradient of the refinement before it."""
        return False

    @abstractmethod
    def decoder_inputs(self, images: Tensor, mask: Tensor) -> dict[str, Any]:
        """Run backbone and encoder up to the decoder and return the keywords of the decoder's call.

        Args:
            images: (B, 3, H, W) normalised pixels, padded.
            mask: (B, H, W) bool, True = padding.
        """

    def padded(self, images: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """A batch in the frame of the memory: padded further where the host's backbone asks for it.

        Args:
            images: (B, 3, H, W) normalised pixels, zero where padded.
            mask: (B, H, W) bool, True = padding.
        """
        return images, mask

    def add_to_memory(self, inputs: dict[str, Any], extra: MemoryExtra) -> dict[str, Any]:
        """``inputs`` with something added to every level of the memory that the decoder attends to.

        Args:
            inputs: of ``decoder_inputs``; its tensors stay as they are.
            extra: see ``MemoryExtra``; asked once for each level.

        Raises:
            ValueError: the adapter does not say where the memory is, or the memory is no map.
        """
        raise ValueError(
            f"DSCT(modalities=) expects an adapter that can add to the host's memory. Got {type(self).__name__}, which "
            "has no add_to_memory."
        )

    @abstractmethod
    def begin(self, inputs: dict[str, Any], subjects: Subjects) -> QueryState:
        """Append the subjects to the host's context queries."""

    @abstractmethod
    def step(self, index: int, state: QueryState, inputs: dict[str, Any]) -> dict[str, Any]:
        """Keywords that layer ``index`` receives besides the content."""

    def anchor(self, subjects: Subjects) -> Tensor | None:
        """(B, N, 2 | 4) reference that the subjects start from; here their own anchor."""
        return subjects.anchor

    def run_layer(
        self,
        base: Any,
        content: Tensor,
        keywords: dict[str, Any],
        attention_mask: Tensor | None,
        middle: Middle | None,
    ) -> Tensor:
        """Run a layer of ``layers``; arguments as for ``run_post_norm_layer``."""
        return run_post_norm_layer(base, content, keywords, attention_mask, middle)

    def refine_head(self, index: int) -> nn.Module | None:
        """The host's box head that refines the contexts' references after layer ``index``; None: they stay."""
        heads = getattr(self.decoder, "bbox_embed", None)
        head: nn.Module | None = None if heads is None else heads[index]
        return head

    @property
    def head_owner(self) -> Any:
        """The module that has the host's own ``class_embed`` and ``bbox_embed``."""
        return self.host

    def prediction_heads(self, index: int) -> tuple[nn.Module, nn.Module]:
        """The host's own class and box head behind layer ``index``: its own where every layer has some."""
        owner = self.head_owner
        return of_layer(owner.class_embed, index), of_layer(owner.bbox_embed, index)

    @property
    def num_classes(self) -> int:
        """K of the host's own class heads."""
        head: Any = self.prediction_heads(0)[0]
        return int(head.out_features) - self.no_object

    @property
    def refines(self) -> bool:
        """Whether references move from layer to layer."""
        return self.refine_head(0) is not None

    @property
    def points_stay(self) -> bool:
        """Whether ``points`` are those of the references in all layers, because nothing moves them."""
        return not self.refines and type(self).points is HostAdapter.points

    def output(self, content: Tensor) -> Tensor:
        """The host's norm on what leaves a layer for the prediction heads."""
        return content

    def points(self, state: QueryState, middle: Tensor, num_contexts: int, subject_boxes: SubjectBoxes) -> Tensor:
        """(B, Q, 2) xy in [0, 1] of the unpadded image that Eq. 6 measures distances between.

        Args:
            state: as it entered the layer.
            middle: states where fusion acts, in the host's layout, for hosts without references.
            num_contexts: M.
            subject_boxes: where a state of the subjects says that they are, for such hosts.
        """
        return state.reference[..., :2]

    def num_contexts(self, inputs: dict[str, Any]) -> int:
        """M, read from the captured queries, never from a config."""
        query: Tensor = inputs["query"]
        return query.shape[1 if self.batch_first else 0]


class MultiScaleAdapter(HostAdapter):
    """What the deformable family shares: four or five feature levels, batch first, references scaled to the padding."""

    multi_scale = True

    @property
    def look_forward_twice(self) -> bool:
        return bool(getattr(self.decoder, "look_forward_twice", False))

    @property
    def two_stage(self) -> bool:
        """Whether the encoder proposes the contexts."""
        return hasattr(self.host.transformer, "enc_output")

    def proposal_scores(self, logits: Tensor) -> Tensor:
        """(B, S) by which a two-stage host ranks its S tokens, from their (B, S, K) logits; here the first class."""
        return logits[..., 0]

    def features(self, images: Tensor, mask: Tensor) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Feature maps, padding masks (True = padding) and position embeddings, one of each per level."""
        images, mask = self.padded(images, mask)
        maps = list(self.host.neck(self.host.backbone(images)))
        masks = [shrink_mask(mask, m.shape[-2:]) for m in maps]
        return maps, masks, [self.host.position_embedding(m) for m in masks]

    def padded(self, images: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        return pad_for_backbone(images, mask, getattr(self.host.backbone, "padding_constraints", {}))

    def add_to_memory(self, inputs: dict[str, Any], extra: MemoryExtra) -> dict[str, Any]:
        value: Tensor = inputs["value"]
        if value.is_meta:  # sizes of levels cannot be read on the meta device; adding changes no shape
            return inputs
        added = torch.cat([extra(size) for size in read_sizes(inputs["spatial_shapes"])], 1)
        return inputs | add_once(inputs, added.to(value.dtype))

    def step(self, index: int, state: QueryState, inputs: dict[str, Any]) -> dict[str, Any]:
        passed = ("key", "value", "key_padding_mask", "spatial_shapes", "level_start_index")
        return {name: inputs[name] for name in passed if name in inputs} | {
            "query_pos": state.position,
            "reference_points": scale_references(state.reference, inputs["valid_ratios"]),
        }

    def append(
        self, inputs: dict[str, Any], subjects: Subjects, reference: Tensor, position: Tensor | None = None
    ) -> QueryState:
        """Contexts as captured, then the subjects; ``position`` is already that of all queries."""
        contexts: Tensor = inputs["reference_points"]
        references = torch.cat([contexts, reference.to(contexts.dtype)], 1)
        return QueryState(
            content=torch.cat([inputs["query"], subjects.content], 1),
            position=position,
            reference=references,
            prediction_reference=references,
        )
