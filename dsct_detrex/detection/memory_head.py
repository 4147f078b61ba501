"""The training-only head of ``objective.TokenLoss``: class and box of every token of the encoder's memory.

Shapes: B images, S tokens, C channels, K classes.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from dsct_detrex.dsct.adapters import HostAdapter, MultiScaleAdapter
from dsct_detrex.dsct.first_stage import levels_of
from dsct_detrex.dsct.heads import box_head, class_head
from dsct_detrex.layers.levels import grid_proposals
from dsct_detrex.objective.token_loss import TokenPredictions


class MemoryHead(nn.Module):
    """Two heads; boxes start as squares around the tokens, as those of a two-stage host do.

    Args:
        adapter: of the host whose memory is read.
        num_classes: K.

    Raises:
        ValueError: the host's memory is no map of several levels.
    """

    def __init__(self, adapter: HostAdapter, num_classes: int) -> None:
        super().__init__()
        if not isinstance(adapter, MultiScaleAdapter):
            raise ValueError(
                "Detector(token_loss=) expects a host with feature levels, whose tokens have sizes. Got "
                f"{adapter.kind}; set model.token_loss=null."
            )
        width = adapter.query_spec.embed_dim
        self.norm = nn.LayerNorm(width)
        self.class_embed = class_head(width, num_classes + 1)
        self.bbox_embed = box_head(width, None)

    def forward(self, inputs: dict[str, Any]) -> TokenPredictions:
        """Read the memory.

        Args:
            inputs: keywords of the decoder's call.
        """
        grid, candidates = grid_proposals(levels_of(inputs))
        states: Tensor = self.norm(inputs["value"])
        return TokenPredictions(self.class_embed(states), (self.bbox_embed(states) + grid).sigmoid(), candidates)
