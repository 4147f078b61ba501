"""``Detector``: any host, trained to find things, with the adapter, loop and losses that DSCT has.

Where the paper starts from a detector of COCO's things, DSCT's own start can be trained with this: on drawn scenes,
which know all that they paint, or on a user's own COCO-style files. Its weights are the host's, under the name that
DSCT has for it, so ``train.init_checkpoint=<its release>`` lends all of them.

The host's own training code never runs. Its queries are DSCT's contexts, with no subject beside them; denoising and
one-to-many queries ride along in training and are read with the host's own heads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.detection.detections import detections
from dsct_detrex.detection.memory_head import MemoryHead
from dsct_detrex.dsct import HostTraining, LayerOutput, SubjectContextDecoder, Subjects, adapter_for
from dsct_detrex.dsct.adapters import MultiScaleAdapter
from dsct_detrex.dsct.context_heads import ContextHeads
from dsct_detrex.dsct.detector import stack_predictions
from dsct_detrex.dsct.first_stage import FirstStage
from dsct_detrex.dsct.images import ImageNormalizer, original_size
from dsct_detrex.dsct.subject_queries import no_subjects
from dsct_detrex.dsct.training_queries import TrainingQueries, join_groups, split_outputs
from dsct_detrex.objective.denoising import Denoising
from dsct_detrex.objective.one_to_many import OneToMany
from dsct_detrex.objective.proposals import Proposals
from dsct_detrex.objective.targets import Target, targets_from_instances
from dsct_detrex.objective.token_loss import TokenLoss, TokenPredictions
from dsct_detrex.structures import Instances, ObjectClasses


class Detector(nn.Module):
    """A host as a detector.

    Args:
        host: a detection transformer that an adapter recognises, its class heads made for ``classes``.
        classes: what is found. Scores are read by sigmoid, also DETR's, which is trained without its "no object".
        criterion: ``criterion(outputs, targets) -> dict of losses`` (``objective.DSCTCriterion`` with the focal loss of
            one class a box); needed for training only.
        denoising: recipe of denoising groups that ride along in training; None: there are none.
        one_to_many: recipe of a second, training-only set of queries; None: there is none.
        proposal_loss: what the first stage of a two-stage host learns by (``objective.ProposalLoss``); a host without
            one has no use for it.
        token_loss: recipe of a dense, training-only loss on the encoder's memory, for hosts with feature levels that
            start from random weights; None: there is none.
        host_training: what of the host trains; None: all but what no loss of a detector reaches.
        activation_checkpointing: recompute decoder layers in the backward pass.
        max_detections: so many of an image, at most.
        pixel_mean, pixel_std: RGB, 0-255.
        device: moved there when built; ``cpu`` by default.

    Raises:
        ValueError: the host is of no known kind or made for another number of classes, or its first stage has no loss.
    """

    def __init__(
        self,
        host: nn.Module,
        classes: ObjectClasses,
        criterion: Any = None,
        denoising: Denoising | None = None,
        one_to_many: OneToMany | None = None,
        proposal_loss: Callable[[Proposals, Sequence[Target]], dict[str, Tensor]] | None = None,
        token_loss: TokenLoss | None = None,
        host_training: HostTraining | None = None,
        activation_checkpointing: bool = False,
        max_detections: int = 100,
        pixel_mean: Sequence[float] = (123.675, 116.28, 103.53),
        pixel_std: Sequence[float] = (58.395, 57.12, 57.375),
        device: str = "cpu",
    ) -> None:
        super().__init__()
        if max_detections < 1:
            raise ValueError(f"Detector(max_detections=) expects a number of at least 1. Got {max_detections}.")
        adapter = adapter_for(host)
        self.host = host
        self.classes = classes
        self.criterion = criterion
        self.max_detections = max_detections
        self.normalizer = ImageNormalizer(pixel_mean, pixel_std)
        self.heads = ContextHeads(adapter, classes.num_emotions)
        self.decoder = SubjectContextDecoder(adapter, None, activation_checkpointing=activation_checkpointing)
        self.spec = adapter.query_spec
        extra = denoising or one_to_many
        self.training_queries = TrainingQueries(classes, self.spec, denoising, one_to_many) if extra else None
        two_stage = isinstance(adapter, MultiScaleAdapter) and adapter.two_stage
        if two_stage and proposal_loss is None and criterion is not None:
            raise ValueError(
                f"Detector(proposal_loss=) expects the loss of a first stage with {adapter.kind}, whose encoder "
                "proposes the queries: ProposalLoss(). Got None."
            )
        self.proposal_loss = proposal_loss
        self.first_stage = FirstStage(adapter) if two_stage else None
        self.token_loss = token_loss
        self.memory_head = None if token_loss is None else MemoryHead(adapter, classes.num_emotions)
        alive = [*self.heads.modules, *(self.first_stage.modules if self.first_stage else ())]
        (host_training or HostTraining()).apply(host, alive)
        self.to(device)

    def forward(self, batched_inputs: list[dict[str, Any]]) -> dict[str, Tensor] | list[dict[str, Instances]]:
        """Losses in training, detections in evaluation.

        Args:
            batched_inputs: per image a dict with ``image`` (3, H, W) RGB 0-255; in training ``instances`` with
                ``gt_boxes`` (xyxy, pixels of ``image``) and ``gt_classes`` (int64); in evaluation ``height`` and
                ``width`` of the original image (default: those of ``image``).

        Returns:
            in training the weighted losses; in evaluation ``[{"instances": Instances}]``, see ``detections``.

        Raises:
            ValueError: training without a criterion.
        """
        images = [entry["image"] for entry in batched_inputs]
        if not self.training:
            last = self.heads.predictions(self.decode(images)[1])
            sizes = [original_size(entry) for entry in batched_inputs]
            logits = last["pred_logits"][-1][..., : self.classes.num_emotions]
            return [{"instances": i} for i in detections(logits, last["pred_boxes"][-1], sizes, self.max_detections)]
        if self.criterion is None:
            raise ValueError("Detector(criterion=) expects a criterion when the model is in training mode. Got None.")
        targets = targets_from_instances([entry["instances"] for entry in batched_inputs], self.classes)
        return self.losses(images, [target.to(self.device) for target in targets])

    def losses(self, images: Sequence[Tensor], targets: Sequence[Target]) -> dict[str, Tensor]:
        """The weighted losses of contexts, training-only queries and first stage; targets on the model's device."""
        groups = [] if self.training_queries is None else self.training_queries(targets, self.criterion.matcher)
        observed = self.first_stage.observed() if self.first_stage else nullcontext()
        with observed as passing:
            inputs, layers = self.decode(images, [queries for queries, _ in groups])
        losses: dict[str, Tensor] = self.criterion(self.heads.predictions(layers), targets)
        _, *extra = split_outputs(stack_predictions(layers), [len(queries) for queries, _ in groups])
        for (_, task), predicted in zip(groups, extra, strict=True):
            losses |= self.criterion.extra_losses(predicted, targets, task)
        if self.first_stage and self.proposal_loss and passing:
            losses |= self.proposal_loss(self.first_stage.proposals(passing), targets)
        if self.memory_head and self.token_loss:
            tokens: TokenPredictions = self.memory_head(inputs)
            task = self.token_loss.task(self.criterion.matcher, targets, tokens.candidates)
            losses |= self.criterion.extra_losses(tokens.outputs(), targets, task)
        return losses

    def decode(
        self, images: Sequence[Tensor], groups: Sequence[Subjects] = ()
    ) -> tuple[dict[str, Any], list[LayerOutput]]:
        """Run host and loop.

        Args:
            images: of any sizes, each (3, H, W) RGB 0-255.
            groups: training-only queries that ride beside the contexts.

        Returns:
            what the host's decoder is called with, and one output per decoder layer, whose ``subjects`` are the groups.
        """
        adapter = self.decoder.adapter
        pixels, mask = self.normalizer(images)
        inputs = adapter.decoder_inputs(pixels, mask)
        nobody = no_subjects(len(images), self.spec, pixels)
        layers: list[LayerOutput] = self.decoder(inputs, join_groups(adapter, nobody, groups), self.heads)
        return inputs, layers

    @property
    def device(self) -> torch.device:
        return self.normalizer.mean.device
