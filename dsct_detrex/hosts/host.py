"""A host: image and padding mask -> feature maps -> transformer -> class and box heads -> detections.

DSCT uses a host up to its decoder (``decoder_inputs``) and brings its own decoder loop and heads; the host's heads
serve refinement, proposals, and checking that a checkpoint works. Families say how maps are made (``feature_maps``),
variants which queries they hand to their transformer (``query_arguments``) and how heads read its outputs
(``predict``).

Shape shorthand in this module: B images, M context queries, L decoder layers, K classes.

Source: DETR, arXiv:2005.12872, section 3.2; constructor keywords as in detrex's projects.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from dsct_detrex.hosts.errors import HostConfigError
from dsct_detrex.layers.boxes import box_cxcywh_to_xyxy

PIXEL_MEAN = (123.675, 116.280, 103.530)
PIXEL_STD = (58.395, 57.120, 57.375)


class FeatureMaps(NamedTuple):
    """What a transformer reads: one entry for each level (a single-scale host has one tensor instead of a sequence).

    Attributes:
        features: (B, C, H, W) each.
        masks: (B, H, W) bool each, True = padding.
        positions: (B, C, H, W) each; None where the transformer makes its own.
    """

    features: Any
    masks: Any
    positions: Any


class HostTransformer(Protocol):
    """The transformer of a host: the module, and the way into it that ends at the decoder."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Maps, masks, positions and queries to what ``Host.predict`` reads."""

    def decoder_inputs(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Maps, masks, positions and queries to the keyword arguments of the decoder."""


class Host(nn.Module, ABC):
    """Base of all hosts.

    Args:
        backbone: (B, 3, H, W) normalised images to a dict of maps.
        position_embedding: (B, H, W) padding mask to a (B, C, H, W) map; None where the transformer makes its own.
        num_queries: number of context queries M.
        pixel_mean: of the three channels, RGB 0 to 255.
        pixel_std: likewise.
        select_box_nums_for_evaluation: detections that ``inference`` returns for each image, at most.
    """

    transformer: HostTransformer

    def __init__(
        self,
        backbone: nn.Module,
        position_embedding: nn.Module | None,
        transformer: HostTransformer,
        embed_dim: int,
        num_classes: int,
        num_queries: int,
        pixel_mean: Sequence[float] = PIXEL_MEAN,
        pixel_std: Sequence[float] = PIXEL_STD,
        select_box_nums_for_evaluation: int = 100,
    ) -> None:
        super().__init__()
        _check_sizes(position_embedding, embed_dim, num_classes, num_queries)
        self.backbone = backbone
        self.position_embedding = position_embedding
        self.transformer = transformer
        self.embed_dim = embed_dim
        self.num_classes = num_classes
        self.num_queries = num_queries
        self.select_box_nums_for_evaluation = select_box_nums_for_evaluation
        self.pixel_mean: Tensor
        self.pixel_std: Tensor
        self.register_buffer("pixel_mean", torch.tensor(list(pixel_mean)).view(3, 1, 1), persistent=False)
        self.register_buffer("pixel_std", torch.tensor(list(pixel_std)).view(3, 1, 1), persistent=False)

    def normalise(self, images: Tensor) -> Tensor:
        """(..., 3, H, W) RGB 0 to 255, any dtype, to the float images that ``forward`` expects."""
        return (images - self.pixel_mean) / self.pixel_std

    def forward(self, images: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Detect.

        Args:
            images: (B, 3, H, W) normalised, padded right and below.
            mask: (B, H, W) bool, True = padding. It counts in training and in evaluation.

        Returns:
            ``pred_logits`` (L, B, M, K) and ``pred_boxes`` (L, B, M, 4) ``cxcywh`` in [0, 1] of the unpadded image; the
            last layer is the prediction. Two-stage hosts add ``enc_pred_logits`` and ``enc_pred_boxes``.
        """
        return self.predict(*self.transformer(*self.transformer_arguments(self.feature_maps(images, mask))))

    def decoder_inputs(self, images: Tensor, mask: Tensor) -> dict[str, Any]:
        """The keyword arguments that the decoder is called with; ``images`` and ``mask`` as for ``forward``."""
        return self.transformer.decoder_inputs(*self.transformer_arguments(self.feature_maps(images, mask)))

    def transformer_arguments(self, maps: FeatureMaps) -> tuple[Any, ...]:
        """What the transformer is called with, in its order; here the maps, then the queries."""
        return *maps, *self.query_arguments()

    @abstractmethod
    def feature_maps(self, images: Tensor, mask: Tensor) -> FeatureMaps:
        """Maps, masks and positions for the transformer; ``images`` and ``mask`` as for ``forward``."""

    @abstractmethod
    def query_arguments(self) -> tuple[Any, ...]:
        """What the transformer takes besides maps, masks and positions."""

    @abstractmethod
    def predict(self, *outputs: Any) -> dict[str, Tensor]:
        """Heads on what the transformer returned, as ``forward`` returns them."""

    def inference(
        self, box_cls: Tensor, box_pred: Tensor, image_sizes: Sequence[tuple[int, int]]
    ) -> list[dict[str, Tensor]]:
        """Detections of each image: here its best (query, class) pairs by sigmoid score.

        Args:
            box_cls: (B, M, K) logits of one layer.
            box_pred: (B, M, 4) ``cxcywh`` in [0, 1].
            image_sizes: (height, width) in pixels of the frame to report boxes in, for each image.

        Returns:
            for each image ``scores`` (n,) in the order of ``choose_detections``, ``pred_classes`` (n,) int64,
            ``pred_boxes`` (n, 4) ``xyxy`` pixels, clipped to the frame.
        """
        scores, classes, queries = self.choose_detections(box_cls)
        boxes = box_cxcywh_to_xyxy(box_pred).clamp(0, 1).gather(1, queries[..., None].expand(-1, -1, 4))
        frames = boxes.new_tensor([(width, height, width, height) for height, width in image_sizes])
        columns = zip(scores, classes, boxes * frames[:, None])
        return [{"scores": s, "pred_classes": c, "pred_boxes": b} for s, c, b in columns]

    def choose_detections(self, box_cls: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, n) scores, best first, classes and queries of the detections, from (B, M, K) logits."""
        probabilities = box_cls.sigmoid().flatten(1)
        scores, pairs = probabilities.topk(min(self.select_box_nums_for_evaluation, probabilities.shape[1]), dim=1)
        num_classes = box_cls.shape[-1]
        return scores, pairs % num_classes, pairs.div(num_classes, rounding_mode="floor")


def _check_sizes(position_embedding: nn.Module | None, embed_dim: int, num_classes: int, num_queries: int) -> None:
    """Raise a ``HostConfigError`` for what would only fail at the first image."""
    for name, value, least in (("num_classes", num_classes, 1), ("num_queries", num_queries, 0)):
        if value < least:
            raise HostConfigError(f"host({name}=) expects an int >= {least}. Got {value}.")
    axis = getattr(position_embedding, "num_pos_feats", None)
    if axis is not None and 2 * axis != embed_dim:
        raise HostConfigError(
            f"host(embed_dim=) expects twice the position_embedding's num_pos_feats, {2 * axis}, as a position has two "
            f"coordinates. Got {embed_dim}: change both."
        )
