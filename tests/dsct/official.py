"""The small official model of ``golden/dsct/model``, rebuilt from our parts: a stub backbone, then everything real."""

from typing import Any

import golden_io
import torch
from torch import Tensor, nn

from dsct_detrex.dsct import DSCT, RelationalAggregation
from dsct_detrex.hosts import (
    DeformableDETR,
    DeformableDetrTransformer,
    DeformableDetrTransformerDecoder,
    DeformableDetrTransformerEncoder,
)
from dsct_detrex.layers import ChannelMapper, PositionEmbeddingSine
from dsct_detrex.layers.channel_mapper import ShapeSpec
from dsct_detrex.structures import EMOTIC
from dsct_detrex.weights.convert import convert


class StoredMaps(nn.Module):
    """A backbone that returns given maps, whatever the image."""

    def __init__(self, maps: dict[str, Tensor]) -> None:
        super().__init__()
        self.maps = maps

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return self.maps


def official_model(fixture: golden_io.Fixture, aggregation: Any = None, **switches: Any) -> DSCT:
    """DSCT with the fixture's maps and weights; distances in the padded frame, as the official code measures them."""
    config = fixture.meta["config"]
    dim, levels = config["hidden_dim"], config["num_feature_levels"]
    shared = dict(
        embed_dim=dim,
        num_heads=config["nheads"],
        feedforward_dim=config["dim_feedforward"],
        attn_dropout=0.0,
        ffn_dropout=0.0,
        num_feature_levels=levels,
    )
    names = ("res3", "res4", "res5")
    host = DeformableDETR(
        backbone=StoredMaps(dict(zip(names, fixture.sequence("in.map")))),
        position_embedding=PositionEmbeddingSine(dim // 2, normalize=True, offset=-0.5),
        neck=ChannelMapper(
            {n: ShapeSpec(channels=c) for n, c in zip(names, config["backbone_channels"])},
            names,
            dim,
            kernel_size=1,
            norm_layer=nn.GroupNorm(32, dim),
            num_outs=levels,
        ),
        transformer=DeformableDetrTransformer(
            DeformableDetrTransformerEncoder(num_layers=config["enc_layers"], **shared),
            DeformableDetrTransformerDecoder(num_layers=config["dec_layers"], **shared),
            num_feature_levels=levels,
            as_two_stage=False,
        ),
        embed_dim=dim,
        num_classes=7,
        num_queries=config["context_queries"],
    )
    if aggregation is None:
        aggregation = RelationalAggregation("official", config["dec_n_sp"], config["dec_n_sm"])
    model = DSCT(
        host,
        EMOTIC,
        num_subjects=config["num_queries"],
        aggregation=aggregation or None,
        distance_frame="padded",
        **switches,
    )
    report = model.load_state_dict(convert(fixture.state_dict()).state_dict, strict=False)
    assert not report.unexpected_keys
    assert all(key.startswith(("host.class_embed", "host.bbox_embed")) for key in report.missing_keys)
    return model.eval()


def run(model: DSCT, fixture: golden_io.Fixture) -> tuple[Any, Any]:
    """Layer outputs and the captured decoder inputs for the fixture's maps and mask."""
    mask = fixture["in.image_mask"]
    inputs = model.decoder.adapter.decoder_inputs(torch.zeros(len(mask), 3, *mask.shape[1:]), mask)
    return model.decoder(inputs, model.subject_queries(len(mask)), model.heads), inputs
