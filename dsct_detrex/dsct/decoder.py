"""The decoder loop of DSCT: subjects ride through a host's decoder beside its contexts (paper Figure 3).

One loop for every host. It takes the keywords with which the host calls its decoder, appends the subject queries and
runs the host's own layers; what hosts do differently comes from the adapter. Where the host refines references, its
own head moves the contexts and the subject head moves the subjects.

Shapes: B images, M contexts, N subjects, L layers, C channels, K emotions.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from dsct_detrex.dsct.adapters import HostAdapter, QueryState
from dsct_detrex.dsct.choices import Places
from dsct_detrex.dsct.decoder_layer import DSCTDecoderLayer, FusionInputs, Placement
from dsct_detrex.dsct.heads import QueryHeads
from dsct_detrex.dsct.masks import query_padding, self_attention_mask, subject_mask
from dsct_detrex.dsct.relational_aggregation import Aggregation, RelationalAggregation
from dsct_detrex.dsct.subject_queries import Subjects
from dsct_detrex.layers.boxes import apply_box_offsets

DistanceFrame = Literal["unpadded", "padded"]


@dataclass(frozen=True)
class LayerOutput:
    """What one decoder layer leaves behind.

    Attributes:
        contexts: (B, M, C) states after the host's output norm.
        subjects: (B, N, C) likewise.
        context_references: (B, M, 2 | 4) references that entered the layer, in [0, 1] of the unpadded image.
        subject_references: (B, N, 2 | 4) likewise.
        logits: (B, N, K + 1).
        boxes: (B, N, 4) cxcywh in [0, 1] of the unpadded image.
        aggregation: which contexts were taken in, and with what weight; None where the layer did not fuse.
        context_prediction_references: (B, M, 2 | 4) ``context_references`` once more, with the gradient of the
            refinement before where the host looks forward twice: what boxes of the contexts are relative to.
    """

    contexts: Tensor
    subjects: Tensor
    context_references: Tensor
    subject_references: Tensor
    logits: Tensor
    boxes: Tensor
    aggregation: Aggregation | None
    context_prediction_references: Tensor


class SubjectContextDecoder(nn.Module):
    """The loop over the layers of a host's decoder.

    Args:
        adapter: reading of the host.
        aggregation: prototype of every layer's fusion (copied per layer); None switches fusion off.
        fusion_layers: indices of the layers that fuse; None: all.
        placement: fusion ``before_ffn`` or ``after_ffn``.
        use_contexts: False drops the host's context queries: the baseline without contexts (paper Table 6).
        contexts_see_subjects: whether contexts attend to subjects in self-attention, as in the official code.
        distance_frame: frame of the distances of Eq. 6: ``unpadded`` image, or ``padded`` batch as in the official
            code, where neighbours depend on what an image is batched with.
        activation_checkpointing: recompute layers in the backward pass to save memory.

    Raises:
        ValueError: a fusion layer the host does not have, or a frame that is unknown or that the host cannot
            tell.
    """

    def __init__(
        self,
        adapter: HostAdapter,
        aggregation: RelationalAggregation | None,
        fusion_layers: Sequence[int] | None = None,
        placement: Placement = "before_ffn",
        use_contexts: bool = True,
        contexts_see_subjects: bool = True,
        distance_frame: DistanceFrame = "unpadded",
        activation_checkpointing: bool = False,
    ) -> None:
        super().__init__()
        num_layers = len(adapter.layers)
        chosen = set(range(num_layers) if fusion_layers is None else fusion_layers)
        if not chosen <= set(range(num_layers)):
            raise ValueError(
                f"SubjectContextDecoder(fusion_layers=) expects indices in [0, {num_layers}). Got {sorted(chosen)}."
            )
        if distance_frame not in ("unpadded", "padded"):
            raise ValueError(
                f"SubjectContextDecoder(distance_frame=) expects unpadded or padded. Got {distance_frame!r}."
            )
        if distance_frame == "padded" and not adapter.multi_scale:
            raise ValueError(
                f"SubjectContextDecoder(distance_frame=) expects unpadded with {adapter.kind}, whose decoder knows no "
                "padding. Got 'padded'."
            )
        self.adapter = adapter
        self.layers = nn.ModuleList(
            DSCTDecoderLayer(copy.deepcopy(aggregation) if index in chosen else None, placement, adapter.batch_first)
            for index in range(num_layers)
        )
        self.use_contexts = use_contexts
        self.contexts_see_subjects = contexts_see_subjects
        self.distance_frame = distance_frame
        self.activation_checkpointing = activation_checkpointing

    def forward(self, inputs: dict[str, Any], subjects: Subjects, heads: QueryHeads) -> list[LayerOutput]:
        """Run all layers.

        Args:
            inputs: keywords of the host's decoder call (the adapter's ``decoder_inputs``).
            subjects: subject queries of the batch.
            heads: the subjects' prediction heads; of groups that detect things, the host's own (``context_heads``).
        """
        state = self.adapter.begin(inputs, subjects)
        num_contexts = self.adapter.num_contexts(inputs)
        if not self.use_contexts:
            state, num_contexts = self._without_contexts(state, num_contexts), 0
        attention_mask = self_attention_mask(
            num_contexts, len(subjects), subjects.groups, self.contexts_see_subjects, state.content.device
        )
        fusion_mask = subject_mask(subjects.groups, subjects.padding)
        padding = query_padding(num_contexts, subjects.padding)
        fixed = self._places(0, state, inputs, num_contexts, heads, state.content) if self.adapter.points_stay else None
        left: list[_Left] = []
        for index in range(len(self.layers)):
            places = _always(fixed) if fixed else partial(self._places, index, state, inputs, num_contexts, heads)
            fusion = FusionInputs(places, num_contexts, fusion_mask)
            keywords = self.adapter.step(index, state, inputs)
            if padding is not None:
                keywords = keywords | {"query_key_padding_mask": padding}
            content, aggregation = self._run_layer(index, state.content, keywords, attention_mask, fusion)
            state = replace(state, content=content)
            left.append(self._leave(state, num_contexts, aggregation))
            state = self._refine(index, state, num_contexts, heads)
        return _predicted(left, heads, at_once=heads.shared and not self.adapter.refines)

    @property
    def takes_in_contexts(self) -> bool:
        """Whether anything of a context enters a subject by fusion, in any layer."""
        fusions: list[Any] = [layer.aggregation for layer in self.layers if layer.aggregation is not None]
        return self.use_contexts and any(fusion.takes_in_contexts for fusion in fusions)

    def _run_layer(
        self, index: int, content: Tensor, keywords: dict[str, Any], mask: Tensor | None, fusion: FusionInputs
    ) -> tuple[Tensor, Aggregation | None]:
        layer, run_base = self.layers[index], partial(self.adapter.run_layer, self.adapter.layers[index])
        if not (self.activation_checkpointing and self.training and torch.is_grad_enabled()):
            out: tuple[Tensor, Aggregation | None] = layer(run_base, content, keywords, mask, fusion)
        else:
            out = checkpoint(layer, run_base, content, keywords, mask, fusion, use_reentrant=False)
        return out

    def _leave(self, state: QueryState, m: int, aggregation: Aggregation | None) -> _Left:
        states = self.adapter.output(state.content)
        states = states if self.adapter.batch_first else states.transpose(0, 1)
        return _Left(
            contexts=states[:, :m],
            subjects=states[:, m:],
            context_references=state.reference[:, :m],
            subject_references=state.reference[:, m:],
            prediction_references=state.prediction_reference[:, m:],
            aggregation=aggregation,
            context_prediction_references=state.prediction_reference[:, :m],
        )

    def _refine(self, index: int, state: QueryState, m: int, heads: QueryHeads) -> QueryState:
        """Move the references that the next layer starts from, where the host does so."""
        host_head = self.adapter.refine_head(index)
        if host_head is None:
            return state
        content = state.content if self.adapter.batch_first else state.content.transpose(0, 1)
        # The host's head reads the host's layout: a transposed view would round otherwise than in the host's own loop.
        offsets = host_head(content[:, :m] if self.adapter.batch_first else state.content[:m])
        offsets = offsets if self.adapter.batch_first else offsets.transpose(0, 1)
        contexts = apply_box_offsets(offsets, state.reference[:, :m], self.adapter.reference_eps)
        subjects = heads.locate(index, content[:, m:], state.reference[:, m:])
        refined = torch.cat([contexts, subjects.to(contexts.dtype)], 1)
        kept = refined if self.adapter.look_forward_twice else refined.detach()
        return replace(state, reference=refined.detach(), prediction_reference=kept)

    @torch.no_grad()
    def _places(
        self, index: int, state: QueryState, inputs: dict[str, Any], m: int, heads: QueryHeads, middle: Tensor
    ) -> Places:
        reference = state.reference[:, m:]
        points = self.adapter.points(state, middle, m, lambda states: heads.locate(index, states, reference))
        if self.distance_frame == "padded":
            points = points * inputs["valid_ratios"][:, None, 0]
        return Places(points.detach(), m)

    def _without_contexts(self, state: QueryState, m: int) -> QueryState:
        queries = (slice(None), slice(m, None)) if self.adapter.batch_first else slice(m, None)
        return QueryState(
            content=state.content[queries],
            position=None if state.position is None else state.position[queries],
            reference=state.reference[:, m:],
            prediction_reference=state.prediction_reference[:, m:],
        )


@dataclass(frozen=True)
class _Left:
    """A ``LayerOutput`` before the heads; its boxes will be relative to (B, N, 2 | 4) ``prediction_references``."""

    contexts: Tensor
    subjects: Tensor
    context_references: Tensor
    subject_references: Tensor
    prediction_references: Tensor
    aggregation: Aggregation | None
    context_prediction_references: Tensor


def _predicted(left: Sequence[_Left], heads: QueryHeads, at_once: bool) -> list[LayerOutput]:
    """Logits and boxes of all layers; ``at_once`` where all share heads and references."""
    if at_once:
        states = torch.stack([layer.subjects for layer in left])
        logits = heads.classify(0, states).unbind()
        boxes = heads.locate(0, states, left[0].prediction_references).unbind()
    else:
        logits = tuple(heads.classify(index, layer.subjects) for index, layer in enumerate(left))
        boxes = tuple(
            heads.locate(index, layer.subjects, layer.prediction_references) for index, layer in enumerate(left)
        )
    return [
        LayerOutput(
            layer.contexts,
            layer.subjects,
            layer.context_references,
            layer.subject_references,
            of_emotions,
            of_places,
            layer.aggregation,
            layer.context_prediction_references,
        )
        for layer, of_emotions, of_places in zip(left, logits, boxes)
    ]


def _always(places: Places) -> Callable[[Tensor], Places]:
    return lambda _: places
