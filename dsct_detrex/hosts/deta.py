"""DETA as a host: Deformable DETR with a detector's assignment, NMS before and after its decoder, five levels.

Source: DETA (NMS Strikes Back), arXiv:2212.06137; keywords of ``DeformableDETR`` in detrex's projects/deta.
"""

from collections.abc import Sequence

from torch import Tensor
from torchvision.ops import batched_nms

from dsct_detrex.hosts.deformable_detr import DeformableDETR
from dsct_detrex.layers.boxes import box_cxcywh_to_xyxy

# (query, class) pairs that enter NMS, the overlap above which the lower one goes, and the detections kept.
CANDIDATE_PAIRS = 10000
DETECTION_IOU = 0.7
MOST_DETECTIONS = 100


class DETA(DeformableDETR):
    """DETA without its own training, built around a ``DETATransformer``; detrex calls it ``DeformableDETR`` too."""

    def predict(
        self,
        states: Tensor,
        init_reference: Tensor,
        inter_references: Tensor,
        enc_first: Tensor | None,
        enc_second: Tensor | None,
        anchors: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """As the family's; ``anchors`` (B, S, 4) of the first stage, sigmoid, are handed on as ``enc_anchors``."""
        predictions = super().predict(states, init_reference, inter_references, enc_first, enc_second)
        return predictions if anchors is None else predictions | {"enc_anchors": anchors}

    def nms_inference(
        self, box_cls: Tensor, box_pred: Tensor, image_sizes: Sequence[tuple[int, int]]
    ) -> list[dict[str, Tensor]]:
        """The best (query, class) pairs of each image that NMS within each class leaves.

        This is how detrex reads a DETA that was trained with its second stage assigned by overlap. Arguments and result
        as for ``inference``, but boxes are not clipped to the frame.
        """
        found = []
        for logits, boxes, (height, width) in zip(box_cls, box_cxcywh_to_xyxy(box_pred), image_sizes):
            scores = logits.sigmoid().flatten()
            scores, pairs = scores.topk(min(CANDIDATE_PAIRS, len(scores)))
            queries, classes = pairs.div(logits.shape[-1], rounding_mode="floor"), pairs % logits.shape[-1]
            kept = batched_nms(boxes[queries].float(), scores.float(), classes, DETECTION_IOU)[:MOST_DETECTIONS]
            frame = boxes.new_tensor((width, height, width, height))
            found.append(
                {"scores": scores[kept], "pred_classes": classes[kept], "pred_boxes": boxes[queries[kept]] * frame}
            )
        return found
