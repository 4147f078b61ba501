"""The hosts of the deformable family: a neck makes feature levels, boxes are offsets from references.

Shape shorthand in this module: B images, M context queries, S tokens, L decoder layers, K classes, C channels.

Source: Deformable DETR, arXiv:2010.04159, section 4 and appendix; constructor keywords as in detrex's projects.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dsct_detrex.hosts.errors import HostConfigError
from dsct_detrex.hosts.heads import prediction_heads
from dsct_detrex.hosts.host import PIXEL_MEAN, PIXEL_STD, FeatureMaps, Host
from dsct_detrex.hosts.multi_scale_transformer import MultiScaleTransformer
from dsct_detrex.layers.boxes import apply_box_offsets
from dsct_detrex.layers.levels import shrink_mask


class MultiScaleHost(Host):
    """Base of the hosts with feature levels.

    Args:
        neck: dict of backbone maps to the levels (B, C, H_v, W_v), finest first.
        refines: whether box heads also move the references from layer to layer; every layer then has its own heads,
            which live under ``transformer.decoder`` too.
        as_two_stage: whether the encoder proposes the context queries, with one more pair of heads.

    Raises:
        HostConfigError: ``as_two_stage`` other than the transformer's.
    """

    position_embedding: nn.Module
    transformer: MultiScaleTransformer

    def __init__(
        self,
        backbone: nn.Module,
        position_embedding: nn.Module,
        neck: nn.Module,
        transformer: MultiScaleTransformer,
        embed_dim: int,
        num_classes: int,
        num_queries: int,
        pixel_mean: Sequence[float] = PIXEL_MEAN,
        pixel_std: Sequence[float] = PIXEL_STD,
        select_box_nums_for_evaluation: int = 100,
        *,
        refines: bool,
        as_two_stage: bool,
    ) -> None:
        if as_two_stage != transformer.as_two_stage:
            raise HostConfigError(
                f"{type(self).__name__}(as_two_stage=) expects its transformer's value, {transformer.as_two_stage}. "
                f"Got {as_two_stage}."
            )
        super().__init__(
            backbone,
            position_embedding,
            transformer,
            embed_dim,
            num_classes,
            num_queries,
            pixel_mean,
            pixel_std,
            select_box_nums_for_evaluation,
        )
        self.neck = neck
        self.as_two_stage = as_two_stage
        _init_convolutions(neck)
        decoder = transformer.decoder
        self.class_embed, self.bbox_embed = prediction_heads(
            embed_dim,
            num_classes,
            decoder.num_layers + int(as_two_stage),
            tied=not refines,
            initial_size_logit=0.0 if as_two_stage else -2.0,
        )
        decoder.bbox_embed = self.bbox_embed if refines else None
        decoder.class_embed = self.class_embed if as_two_stage else None

    def feature_maps(self, images: Tensor, mask: Tensor) -> FeatureMaps:
        """Tuples of levels (B, C, H_v, W_v), their padding (B, H_v, W_v) and positions (B, C, H_v, W_v)."""
        features = tuple(self.neck(self.backbone(images)))
        masks = tuple(shrink_mask(mask, level.shape[-2:]) for level in features)
        return FeatureMaps(features, masks, tuple(self.position_embedding(m) for m in masks))

    def predict(
        self,
        states: Tensor,
        init_reference: Tensor,
        inter_references: Tensor,
        enc_first: Tensor | None,
        enc_second: Tensor | None,
    ) -> dict[str, Tensor]:
        """Heads of every layer; each box is relative to the reference that entered its layer.

        Args:
            states: (L, B, M, C).
            init_reference: (B, M, 2 or 4), or without B, entering the first layer.
            inter_references: (L, B, M, 2 or 4) leaving each layer.
            enc_first: of the first stage, as the transformer returns it, or None; see ``predict_first_stage``.
            enc_second: likewise.

        Returns:
            as ``forward``.
        """
        entering = [init_reference, *inter_references[:-1]]
        layers = list(zip(states, entering, self.class_embed, self.bbox_embed))
        predictions = {
            "pred_logits": torch.stack([classify(state) for state, _, classify, _ in layers]),
            "pred_boxes": torch.stack([apply_box_offsets(box(state), ref) for state, ref, _, box in layers]),
        }
        if enc_first is not None and enc_second is not None:
            logits, boxes = self.predict_first_stage(enc_first, enc_second)
            predictions |= {"enc_pred_logits": logits, "enc_pred_boxes": boxes}
        return predictions

    def predict_first_stage(self, enc_first: Tensor, enc_second: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and ``cxcywh`` boxes in [0, 1]; here from (B, S, K) logits and (B, S, 4) box logits."""
        return enc_first, enc_second.sigmoid()


def _init_convolutions(neck: nn.Module) -> None:
    for module in neck.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
