"""The first stage of a two-stage host, read while the host runs: which boxes its encoder proposes, and how surely.

A host scores every token of its encoder as if it were a query, with the heads behind those of the last decoder layer,
and keeps scores and boxes to itself. Forward hooks on these two heads and on the decoder see what passes, for the
duration of one call; they leave nothing on the modules. Boxes are offsets from one square per token, which is rebuilt
from the shapes of the levels.

Shapes: B images, S tokens, V levels, K classes of the host.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.dsct.adapters import HostAdapter, MultiScaleAdapter
from dsct_detrex.layers.levels import Levels, grid_proposals
from dsct_detrex.objective.proposals import Proposals
from dsct_detrex.ops.levels import read_sizes


class FirstStage:
    """Reads the first stage of the host of an adapter.

    Raises:
        ValueError: the host has none, because its contexts are learned.
    """

    def __init__(self, adapter: HostAdapter) -> None:
        if not (isinstance(adapter, MultiScaleAdapter) and adapter.two_stage):
            raise ValueError(
                "DSCT(proposal_loss=) expects a two-stage host, whose encoder proposes the contexts. Got "
                f"{adapter.kind} ({type(adapter.host).__name__}), whose contexts are learned; set "
                "model.proposal_loss=null."
            )
        self.adapter: MultiScaleAdapter = adapter
        index = len(adapter.layers)
        self.class_head: nn.Module = adapter.decoder.class_embed[index]
        self.box_head: nn.Module = adapter.decoder.bbox_embed[index]

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """What a loss on proposals trains besides the encoder."""
        transformer = self.adapter.host.transformer
        return self.class_head, self.box_head, transformer.enc_output, transformer.enc_output_norm

    @contextmanager
    def observed(self) -> Iterator[_Passing]:
        """Within the block, one call of the host is seen; the hooks go with the block."""
        passing = _Passing()
        hooks = [
            self.class_head.register_forward_hook(lambda _module, _args, logits: passing.seen("logits", logits)),
            self.box_head.register_forward_hook(lambda _module, _args, offsets: passing.seen("offsets", offsets)),
            self.adapter.decoder.register_forward_pre_hook(
                lambda _module, _args, keywords: passing.seen("inputs", keywords), with_kwargs=True
            ),
        ]
        try:
            yield passing
        finally:
            for hook in hooks:
                hook.remove()

    def proposals(self, passing: _Passing) -> Proposals:
        """What was seen, as scores and boxes of every token."""
        assert passing.logits is not None
        assert passing.offsets is not None
        grid, candidates = grid_proposals(levels_of(passing.inputs))
        return Proposals(
            scores=self.adapter.proposal_scores(passing.logits),
            boxes=(passing.offsets.float() + grid).sigmoid(),
            candidates=candidates,
        )


@dataclass
class _Passing:
    """What passed the hooks: (B, S, K) logits, (B, S, 4) box offsets, the keywords of the decoder's call."""

    logits: Tensor | None = None
    offsets: Tensor | None = None
    inputs: Any = None

    def seen(self, name: str, value: Any) -> None:
        setattr(self, name, value)


def levels_of(inputs: dict[str, Any]) -> Levels:
    """The levels as far as a grid needs them; it does not look at positions, which the decoder is not told."""
    memory, shapes, ratios = inputs["value"], inputs["spatial_shapes"], inputs["valid_ratios"]
    return Levels(
        tokens=memory,
        positions=memory.new_zeros(()).expand_as(memory),
        padding=inputs["key_padding_mask"],
        sizes=read_sizes(shapes),
        spatial_shapes=shapes,
        level_start_index=inputs["level_start_index"],
        valid_sizes=torch.round(ratios * shapes.flip(-1)).long(),
        valid_ratios=ratios,
    )
