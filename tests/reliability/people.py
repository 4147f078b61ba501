"""A real DSCT, tiny, on pictures whose people are known by their number: what one process sees, several share exactly.

Nothing is drawn at random while it trains (no dropout, people spoilt by nothing), so that one process and several of
the same total batch must compute the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from omegaconf import DictConfig
from torch import distributed

from dsct_detrex.config import ConstantParamScheduler, get_default_optimizer_params
from dsct_detrex.config import LazyCall as L
from dsct_detrex.dsct import ContextDetection, FrozenStart, HostTraining
from dsct_detrex.objective import Denoising, DSCTCriterion, HungarianMatcher, OneToMany, focal_for
from dsct_detrex.structures import CAER_S, Boxes, Instances, ObjectClasses, get_emotions
from tests.dsct.tiny import tiny_dsct

HEIGHT, WIDTH = 48, 64
THINGS = ObjectClasses("things", [f"thing {number}" for number in range(80)])  # as many as the hosts' heads know


def instances(count: int, classes: int, generator: torch.Generator) -> Instances:
    """People (or things) of one picture."""
    corner = torch.rand(count, 2, generator=generator) * 0.5
    size = torch.rand(count, 2, generator=generator) * 0.3 + 0.2
    boxes = torch.cat([corner, corner + size], 1) * torch.tensor([WIDTH, HEIGHT] * 2)
    labels = torch.randint(classes, (count,), generator=generator)
    return Instances((HEIGHT, WIDTH), gt_boxes=Boxes(boxes), gt_classes=labels)


class PeopleLoader:
    """Endless batches; a picture is a function of its number alone, and a process has its own slice of each batch.

    Args:
        counts: people of the pictures, over and over; ``[2, 1, 0, 0]`` on two processes leaves the second without.
        things: annotate things, too; of every third picture nobody knows any.
    """

    position_of_all = True
    steps_per_epoch = 5
    num_workers = 0

    def __init__(self, total_batch_size: int, counts: Sequence[int], things: bool = False) -> None:
        joined = distributed.is_available() and distributed.is_initialized()
        world, rank = (distributed.get_world_size(), distributed.get_rank()) if joined else (1, 0)
        share = total_batch_size // world
        self.total = total_batch_size
        self.own = range(rank * share, (rank + 1) * share)
        self.counts = list(counts)
        self.things = things
        self.iteration = 0

    def __iter__(self) -> Iterator[list[dict[str, Any]]]:
        while True:
            first = self.iteration * self.total
            self.iteration += 1
            yield [self.picture(first + place) for place in self.own]

    def picture(self, number: int) -> dict[str, Any]:
        generator = torch.Generator().manual_seed(number)
        pixels = torch.randint(0, 256, (3, HEIGHT, WIDTH), dtype=torch.uint8, generator=generator)
        people = instances(self.counts[number % len(self.counts)], 7, generator)
        entry = dict(image=pixels, height=HEIGHT, width=WIDTH, image_id=number, instances=people)
        if self.things:
            entry["objects"] = None if number % 3 == 2 else instances(3, len(THINGS.names), generator)
        return {"file_name": f"picture_{number}.png", **entry}

    def state_dict(self) -> dict[str, int]:
        return {"iteration": self.iteration}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.iteration = state["iteration"]


def people_model(host: str, things: bool = False, teacher: float | None = None, groups: int = 0) -> torch.nn.Module:
    """Tiny DSCT whose backbone rests.

    Args:
        things: a detection loss on contexts, from annotations.
        teacher: the same, from the start of the run, at this threshold.
        groups: of denoising, with a one-to-many set beside; their noise is none.
    """
    focal = focal_for(THINGS)
    known, taught = THINGS if things else None, None if teacher is None else FrozenStart(teacher)
    judge = DSCTCriterion(HungarianMatcher(focal), focal)
    return tiny_dsct(
        host,
        host_training=HostTraining(frozen=["backbone.*"]),
        context_detection=ContextDetection(known, judge, teacher=taught) if things or taught else None,
        denoising=Denoising(groups, label_noise=0.0, box_noise=0.0) if groups else None,
        one_to_many=OneToMany(6, 2) if groups else None,
    )


def people_config(
    output_dir: str,
    host: str,
    counts: Sequence[int],
    total_batch_size: int = 4,
    max_iter: int = 4,
    model: dict[str, Any] | None = None,
    **train: Any,
) -> DictConfig:
    """The config of a run; ``model`` goes to ``people_model``, ``train`` changes its block."""
    block: dict[str, Any] = dict(
        output_dir=output_dir,
        init_checkpoint="",
        max_iter=max_iter,
        max_epoch=None,
        eval_period=0,
        log_period=1,
        accumulate=1,
        seed=3,
        device="cpu",
        rewrites="none",
        amp=dict(enabled=False, dtype="bfloat16"),
        ddp=dict(broadcast_buffers=False, find_unused_parameters=True, fp16_compression=False),
        clip_grad=dict(enabled=True, params=dict(max_norm=0.1, norm_type=2)),
        checkpointer=dict(period=1000, max_to_keep=0),
        report=dict(enabled=False),
    )
    options = dict(host=host) | (model or {})
    return DictConfig(
        dict(
            train=block | train,
            emotions=L(get_emotions)(name=CAER_S.name),
            model=L(people_model)(**options),
            dataloader=dict(
                train=L(PeopleLoader)(
                    total_batch_size=total_batch_size, counts=list(counts), things=bool(options.get("things"))
                ),
                test=None,
                evaluator=None,
            ),
            optimizer=L(torch.optim.AdamW)(
                params=L(get_default_optimizer_params)(base_lr="${..lr}"), lr=1e-4, weight_decay=1e-4
            ),
            lr_multiplier=L(ConstantParamScheduler)(value=1.0),
        ),
        flags={"allow_objects": True},
    )
