"""DSCT: a detection transformer that finds people and their emotions in one pass (arXiv:2404.17205, Figure 3).

``DSCT`` wraps any host. The host's backbone, encoder, decoder layers and own object queries (the contexts) do their
work untouched; N subject queries are appended, fused with contexts in every layer, and alone predict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.dsct.adapters import adapter_for
from dsct_detrex.dsct.context_detection import ContextDetection
from dsct_detrex.dsct.context_heads import ContextHeads
from dsct_detrex.dsct.decoder import DistanceFrame, LayerOutput, SubjectContextDecoder
from dsct_detrex.dsct.decoder_layer import Placement
from dsct_detrex.dsct.first_stage import FirstStage
from dsct_detrex.dsct.frozen_start import FrozenStart
from dsct_detrex.dsct.heads import SubjectHeads
from dsct_detrex.dsct.host_training import HostTraining
from dsct_detrex.dsct.images import ImageNormalizer, original_size
from dsct_detrex.dsct.observation import Observation, watched
from dsct_detrex.dsct.postprocess import postprocess
from dsct_detrex.dsct.relational_aggregation import RelationalAggregation
from dsct_detrex.dsct.subject_queries import SubjectQueries, Subjects
from dsct_detrex.dsct.training_queries import TrainingQueries, join_groups, split_outputs
from dsct_detrex.objective.denoising import Denoising
from dsct_detrex.objective.one_to_many import OneToMany
from dsct_detrex.objective.proposals import Proposals
from dsct_detrex.objective.targets import Target, targets_from_instances
from dsct_detrex.structures import Emotions, Instances


class DSCT(nn.Module):
    """Single-stage emotion recognition on a host.

    Args:
        host: a detection transformer that an adapter recognises.
        emotions: what the emotion logits mean.
        criterion: ``criterion(outputs, targets) -> dict of losses`` (``objective``); needed for training only.
        num_subjects: N. The official runs use 4 for EMOTIC and 9 for CAER-S.
        denoising: recipe of denoising groups that ride along in training (``objective.Denoising``); None: there are
            none. Their losses, and those of ``one_to_many``, come from ``criterion.extra_losses``.
        one_to_many: recipe of a second, training-only set of queries (``objective.OneToMany``); None: there is none.
        aggregation: how subjects gather contexts; None switches fusion off.
        fusion_layers: indices of the decoder layers that fuse; None: all (paper Table 8).
        placement: fusion ``before_ffn`` (official) or ``after_ffn`` of a layer.
        use_contexts: False drops the context queries: the baseline of paper Table 6.
        contexts_see_subjects: whether contexts attend to subjects in self-attention, as in the official code.
        distance_frame: ``unpadded`` or ``padded``, see ``SubjectContextDecoder``.
        shared_heads: one pair of heads for all layers; None: shared unless the host refines references.
        activation_checkpointing: recompute decoder layers in the backward pass.
        host_training: what of the host trains; None: all but what receives no gradient.
        proposal_loss: ``proposal_loss(proposals, targets) -> dict of losses`` on the first stage of a two-stage host
            (``objective.ProposalLoss``), whose heads then train too; None: the first stage stays as it was loaded.
        context_detection: what contexts should detect beside (``ContextDetection``), for which the host's own class and
            box heads train too; None: no loss asks contexts.
        modalities: ``modalities(pixels, mask) -> what to add to a level of the host's memory, or None``: features of
            frozen networks (``modalities.ModalityMemory``, paper Table 13). It reads the model's own normalised pixels,
            so networks of ImageNet want ``pixel_mean`` and ``pixel_std`` as they are here.
        pixel_mean, pixel_std: RGB, 0-255.
        device: moved there when built, as detrex's models are; ``cpu`` by default.

    Raises:
        ValueError: the host is of no known kind, a switch has an unknown value, ``proposal_loss`` meets a host
            without a first stage, or ``context_detection`` a host for another number of classes or no contexts.
    """

    def __init__(
        self,
        host: nn.Module,
        emotions: Emotions,
        criterion: Any = None,
        num_subjects: int = 9,
        denoising: Denoising | None = None,
        one_to_many: OneToMany | None = None,
        aggregation: RelationalAggregation | None = None,
        fusion_layers: Sequence[int] | None = None,
        placement: Placement = "before_ffn",
        use_contexts: bool = True,
        contexts_see_subjects: bool = True,
        distance_frame: DistanceFrame = "unpadded",
        shared_heads: bool | None = None,
        activation_checkpointing: bool = False,
        host_training: HostTraining | None = None,
        proposal_loss: Callable[[Proposals, Sequence[Target]], dict[str, Tensor]] | None = None,
        context_detection: ContextDetection | None = None,
        modalities: nn.Module | None = None,
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
        extra = denoising or one_to_many
        self.training_queries = TrainingQueries(emotions, spec, denoising, one_to_many) if extra else None
        self.modalities = modalities
        self.proposal_loss = proposal_loss
        self.first_stage = None if proposal_loss is None else FirstStage(adapter)
        if context_detection is not None and not use_contexts:
            raise ValueError(
                "DSCT(context_detection=) expects contexts to detect with. Got use_contexts=False; in a config, leave "
                "data.objects out (model.context_detection=null) or set model.use_contexts=True."
            )
        self.context_detection = context_detection
        self.context_heads = None if context_detection is None else ContextHeads(adapter, context_detection.num_classes)
        alive = [part.modules for part in (self.first_stage, self.context_heads) if part is not None]
        (host_training or HostTraining()).apply(host, [module for modules in alive for module in modules])
        self.to(device)

    def forward(self, batched_inputs: list[dict[str, Any]]) -> dict[str, Tensor] | list[dict[str, Instances]]:
        """Losses in training, people in evaluation.

        Args:
            batched_inputs: per image a dict with ``image`` (3, H, W) RGB 0-255; in training ``instances`` with
                ``gt_boxes`` (xyxy, pixels of ``image``) and the emotions' target field, with ``context_detection`` also
                ``objects`` with ``gt_boxes`` and ``gt_classes``; in evaluation ``height`` and ``width`` of the original
                image (default: those of ``image``).

        Returns:
            in training the criterion's weighted losses; in evaluation ``[{"instances": Instances}]``, see
            ``postprocess``.

        Raises:
            ValueError: training without a criterion, or without the annotations that ``context_detection`` reads.
        """
        images = [entry["image"] for entry in batched_inputs]
        if not self.training:
            layers = self.decode(images)
            sizes = [original_size(entry) for entry in batched_inputs]
            people = postprocess(layers[-1].logits, layers[-1].boxes, sizes, self.emotions)
            return [{"instances": instances} for instances in people]
        if self.criterion is None:
            raise ValueError("DSCT(criterion=) expects a criterion when the model is in training mode. Got None.")
        targets = targets_from_instances([entry["instances"] for entry in batched_inputs], self.emotions)
        return self.losses(images, [target.to(self.device) for target in targets], self._things(batched_inputs))

    def losses(
        self, images: Sequence[Tensor], targets: Sequence[Target], things: Sequence[Target | None] = ()
    ) -> dict[str, Tensor]:
        """The weighted losses of subjects, training-only queries, first stage and contexts.

        Args:
            targets: the people of each image, on the model's device.
            things: what contexts should detect in each image, likewise (None: nobody knows); an empty list leaves that
                loss out.
        """
        groups = [] if self.training_queries is None else self.training_queries(targets, self.criterion.matcher)
        observed = self.first_stage.observed() if self.first_stage else nullcontext()
        with observed as passing:
            layers = self.decode(images, [queries for queries, _ in groups])
        outputs, *extra = split_outputs(stack_predictions(layers), [len(queries) for queries, _ in groups])
        losses: dict[str, Tensor] = self.criterion(outputs, targets)
        for (_, task), predicted in zip(groups, extra):
            losses |= self.criterion.extra_losses(predicted, targets, task)
        if self.first_stage and self.proposal_loss and passing:
            losses |= self.proposal_loss(self.first_stage.proposals(passing), targets)
        if self.context_detection and self.context_heads and things:
            losses |= self.context_detection(self.context_heads, layers, things)
        return losses

    def _things(self, batched_inputs: Sequence[Mapping[str, Any]]) -> list[Target | None]:
        """What contexts should detect, as the annotations or the teacher have it; an empty list without either."""
        if self.context_detection is None:
            return []
        if self.context_detection.teacher is not None:
            return [*self.context_detection.teacher(*self.normalizer([entry["image"] for entry in batched_inputs]))]
        things = self.context_detection.targets(batched_inputs)
        return [None if target is None else target.to(self.device) for target in things]

    @property
    def teacher(self) -> FrozenStart | None:
        """Whom a training gives the host that it starts from."""
        return None if self.context_detection is None else self.context_detection.teacher

    def decode(self, images: Sequence[Tensor], groups: Sequence[Subjects] = ()) -> list[LayerOutput]:
        """Run host and loop.

        Args:
            images: of any sizes, each (3, H, W) RGB 0-255.
            groups: training-only queries that ride along behind the subjects.

        Returns:
            one output per decoder layer.
        """
        pixels, mask = self.normalizer(images)
        return self.decode_batch(pixels, mask, groups)

    def decode_batch(self, pixels: Tensor, mask: Tensor, groups: Sequence[Subjects] = ()) -> list[LayerOutput]:
        """``decode`` behind the normaliser.

        Args:
            pixels: (B, 3, H, W) normalised, zero where padded.
            mask: (B, H, W) bool, True = padding.
        """
        adapter = self.decoder.adapter
        inputs = adapter.decoder_inputs(pixels, mask)
        extra = None if self.modalities is None else self.modalities(*adapter.padded(pixels, mask))
        if extra is not None:
            inputs = adapter.add_to_memory(inputs, extra)
        subjects = join_groups(adapter, self.subject_queries(pixels.shape[0]), groups)
        layers: list[LayerOutput] = self.decoder(inputs, subjects, self.heads)
        return layers

    def observe(self, images: Sequence[Tensor]) -> Observation:
        """``decode``, and what it looked at: contexts, sampling points, places, features. Nothing stays on a module.

        Args:
            images: of any sizes, each (3, H, W) RGB 0-255.
        """
        with watched(self.decoder) as passing:
            layers = self.decode(images)
        return passing.observation(layers, images)

    @property
    def device(self) -> torch.device:
        return self.normalizer.mean.device


def stack_predictions(layers: Sequence[LayerOutput]) -> dict[str, Tensor]:
    """What the criterion reads: ``pred_logits`` (L, B, N, K + 1) and ``pred_boxes`` (L, B, N, 4)."""
    return {
        "pred_logits": torch.stack([layer.logits for layer in layers]),
        "pred_boxes": torch.stack([layer.boxes for layer in layers]),
    }
