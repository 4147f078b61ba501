"""A model, loaders and an evaluator that learn something in milliseconds, and the config that joins them.

The model has dropout and the training loader draws noise from torch's global generator, so that a run is only repeated
bit for bit when every random state is.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from omegaconf import DictConfig
from torch import Tensor, nn

from dsct_detrex.config import ConstantParamScheduler, get_default_optimizer_params
from dsct_detrex.config import LazyCall as L
from dsct_detrex.data import DataReport
from dsct_detrex.errors import UserError
from dsct_detrex.structures import Boxes, Instances, get_emotions

SIZE = 8  # pixels of a square image
QUERIES = 2


def image(image_id: int, label: int, noise: Tensor | None = None) -> dict[str, Any]:
    """An image whose mean colour tells its label, with one person in the middle."""
    pixels = torch.full((3, SIZE, SIZE), 20.0 * label + 10.0)
    if noise is not None:
        pixels = pixels + noise
    person = Instances((SIZE, SIZE), gt_boxes=Boxes(torch.tensor([[2.0, 2, 6, 6]])), gt_classes=torch.tensor([label]))
    return {
        "image": pixels.clamp(0, 255).to(torch.uint8),
        "height": SIZE,
        "width": SIZE,
        "image_id": image_id,
        "file_name": f"image_{image_id}.jpg",
        "instances": person,
        "ground_truth": person,
    }


class ToyTrainLoader:
    """Endless batches that depend on (seed, number of the batch) and on the global generator.

    Args:
        poison: number of the batch whose first image on the last rank becomes NaN.
        interrupt: number of the batch at which the process of the last rank sends itself SIGINT.
        broken: number of the batch that cannot be read.
    """

    def __init__(
        self,
        total_batch_size: int = 4,
        num_workers: int = 0,
        steps_per_epoch: int = 5,
        seed: int = 0,
        noisy: bool = True,
        poison: int | None = None,
        interrupt: int | None = None,
        broken: int | None = None,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if torch.distributed.is_initialized():
            rank, world_size = torch.distributed.get_rank(), torch.distributed.get_world_size()
        self.per_process = total_batch_size // world_size
        self.total = total_batch_size
        self.rank = rank
        self.steps_per_epoch = steps_per_epoch
        self.seed = seed
        self.noisy = noisy
        self.poison = poison
        self.interrupt = interrupt
        self.broken = broken
        self.iteration = 0

    def __iter__(self) -> Iterator[list[dict[str, Any]]]:
        while True:
            number = self.iteration
            if number == self.broken:
                raise UserError(f"The images of batch {number} cannot be read.")
            self.iteration += 1
            generator = torch.Generator().manual_seed(self.seed * 1000 + number)
            labels = torch.randint(7, (self.total,), generator=generator).tolist()
            own = range(self.rank * self.per_process, (self.rank + 1) * self.per_process)
            batch = []
            for place in own:
                noise = 4 * torch.randn(3, SIZE, SIZE) if self.noisy else None
                batch.append(image(number * self.total + place, labels[place], noise))
            last_rank = self.rank == self.total // self.per_process - 1
            if number == self.poison and last_rank:
                batch[0]["image"] = torch.full((3, SIZE, SIZE), float("nan"))
            if number == self.interrupt and last_rank:
                os.kill(os.getpid(), signal.SIGINT)
            yield batch

    def state_dict(self) -> dict[str, Any]:
        return {"iteration": self.iteration}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.iteration = state["iteration"]


class ForgetfulTrainLoader(ToyTrainLoader):
    """One that keeps no position, as detectron2's."""

    state_dict = None  # type: ignore[assignment]


class ToyDataset:
    """What a foreign data set may say of itself: a length, a name, a split."""

    def __init__(self, split: str, num_images: int) -> None:
        self.name, self.split, self.num_images = f"toy_{split}", split, num_images

    def __len__(self) -> int:
        return self.num_images


class ToyTestLoader:
    """This process's share of the images.

    Args:
        interrupt: send SIGINT in the middle of the first pass.
        split: that a data set names; None leaves the loader without one.
        unreadable: numbers of images that are skipped, as the loaders of ``data/`` do.
    """

    def __init__(
        self,
        batch_size: int = 2,
        num_images: int = 14,
        num_workers: int = 0,
        interrupt: bool = False,
        split: str | None = None,
        unreadable: Sequence[int] = (),
    ) -> None:
        self.interrupt = interrupt
        self.unreadable = list(unreadable)
        self.report = DataReport("toy")
        if split is not None:
            self.dataset = ToyDataset(split, num_images)
        world, rank = 1, 0
        if torch.distributed.is_initialized():
            rank, world = torch.distributed.get_rank(), torch.distributed.get_world_size()
        self.ids = list(range(num_images))[rank::world]
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.ids) // self.batch_size)

    def __iter__(self) -> Iterator[list[dict[str, Any]]]:
        self.report = DataReport("toy")
        torch.rand(1)  # an evaluation that draws random numbers must not change the training around it
        for start in range(0, len(self.ids), self.batch_size):
            if start == 2 * self.batch_size and self.interrupt:
                self.interrupt = False
                os.kill(os.getpid(), signal.SIGINT)
            wanted = self.ids[start : start + self.batch_size]
            for i in wanted:
                if i in self.unreadable:
                    self.report.count("unreadable_images", f"image_{i}.jpg")
            batch = [image(i, i % 7) for i in wanted if i not in self.unreadable]
            if batch:
                yield batch


class ToyModel(nn.Module):
    """Mean colour -> hidden -> logits and boxes of ``QUERIES`` queries."""

    def __init__(self, hidden: int = 8, dropout: float = 0.1, norm: bool = True, spare: bool = False) -> None:
        super().__init__()
        norm_layer = nn.BatchNorm1d(hidden) if norm else nn.Identity()
        self.hidden = nn.Sequential(nn.Linear(3, hidden), norm_layer, nn.Dropout(dropout), nn.ReLU())
        self.logits = nn.Linear(hidden, QUERIES * 8)
        self.boxes = nn.Linear(hidden, QUERIES * 4)
        if spare:
            self.spare = nn.Linear(2, 2)

    def forward(self, batch: list[dict[str, Any]]) -> Any:
        device = self.logits.weight.device
        colours = torch.stack([one["image"].to(device).float().mean((1, 2)) / 100 for one in batch])
        hidden = self.hidden(colours)
        logits = self.logits(hidden).view(-1, QUERIES, 8)
        boxes = self.boxes(hidden).view(-1, QUERIES, 4).sigmoid() * SIZE
        if self.training:
            labels = torch.cat([one["instances"].gt_classes for one in batch]).to(device)
            truth = torch.cat([one["instances"].gt_boxes.tensor for one in batch]).to(device)
            loss = nn.functional.cross_entropy(logits[:, 0, :7].float(), labels)
            box = (boxes[:, 0] - truth).abs().mean()
            return {"loss_class": loss, "loss_bbox": box, "loss_class_0": 0.5 * loss}
        emotions = get_emotions("caer_s")
        outputs = []
        for row_logits, row_boxes in zip(logits, boxes):
            people = Instances(
                (SIZE, SIZE),
                pred_boxes=Boxes(
                    torch.cat([row_boxes[:, :2].minimum(row_boxes[:, 2:]), row_boxes.amax(1)[:, None].expand(-1, 2)], 1)
                ),
                pred_logits=row_logits,
                emotion_probs=emotions.probabilities(row_logits),
                scores=emotions.subject_scores(row_logits),
                pred_classes=row_logits[:, :7].argmax(-1),
            )
            outputs.append({"instances": people})
        return outputs


class IndifferentModel(nn.Module):
    """Learns nothing from any picture of any data set."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, batch: list[dict[str, Any]]) -> dict[str, Tensor]:
        return {"loss_class": (self.weight**2).sum()}


class ToyEvaluator:
    """Share of images whose best class of query 0 is right.

    Args:
        worse: subtracted once more at every evaluation, so that numbers fall.
        fail: raise in ``evaluate``.
    """

    def __init__(self, worse: float = 0.0, fail: bool = False) -> None:
        self.worse = worse
        self.fail = fail
        self.times = 0
        self.right: list[bool] = []
        self.report: dict[str, Any] | None = None

    def reset(self) -> None:
        self.right = []

    def process(self, inputs: list[dict[str, Any]], outputs: list[dict[str, Any]]) -> None:
        for one, output in zip(inputs, outputs):
            self.right.append(int(output["instances"].pred_classes[0]) == int(one["ground_truth"].gt_classes[0]))

    def evaluate(self) -> dict[str, dict[str, float]]:
        if self.fail:
            raise ValueError("the evaluator is broken")
        right = self.right
        if torch.distributed.is_initialized():
            shards: list[Any] = [None] * torch.distributed.get_world_size()
            torch.distributed.all_gather_object(shards, right)
            right = [answer for shard in shards for answer in shard]
        self.times += 1
        value = sum(right) / len(right) - self.worse * self.times
        self.report = {"images": len(right), "thresholds": [0.1 * k for k in range(1, 8)]}
        return {"emotion": {"mAP": value, "AP-Anger": value, "AP-Fear": float("nan")}, "bbox": {"recall50": 0.5}}


def toy_config(output_dir: str = "output", **train: Any) -> DictConfig:
    """The config of a toy run; ``train`` changes top-level keys of its ``train`` block."""
    block: dict[str, Any] = dict(
        output_dir=output_dir,
        init_checkpoint="",
        max_iter=10,
        max_epoch=None,
        eval_period=5,
        log_period=2,
        accumulate=1,
        seed=3,
        device="cpu",
        amp=dict(enabled=False, dtype="bfloat16"),
        ddp=dict(broadcast_buffers=False, find_unused_parameters=True, fp16_compression=False),
        clip_grad=dict(enabled=True, params=dict(max_norm=1.0, norm_type=2)),
        fast_dev_run=dict(enabled=False, overrides=[]),
        checkpointer=dict(period=5, max_to_keep=2),
        best=dict(metric="emotion/mAP", mode="max"),
        early_stop=dict(patience=None),
        model_ema=dict(enabled=False, decay=0.9, device="", use_ema_weights_for_eval_only=False),
        wandb=dict(enabled=False, params=dict(project="toy", mode=None, name=None), num_pictures=2),
        tensorboard=dict(enabled=False),
        report=dict(enabled=False, pictures=6),
        thresholds=None,
    )
    block.update(train)
    return DictConfig(
        dict(
            train=block,
            emotions=L(get_emotions)(name="caer_s"),
            model=L(ToyModel)(hidden=8, dropout=0.1, norm=True, spare=False),
            data=dict(root=None),
            dataloader=dict(
                train=L(ToyTrainLoader)(
                    total_batch_size=4,
                    num_workers=0,
                    steps_per_epoch=5,
                    noisy=True,
                    poison=None,
                    interrupt=None,
                    broken=None,
                ),
                test=L(ToyTestLoader)(batch_size=2, num_images=14, interrupt=False, split=None, unreadable=[]),
                evaluator=L(ToyEvaluator)(worse=0.0, fail=False),
            ),
            optimizer=L(torch.optim.AdamW)(
                params=L(get_default_optimizer_params)(base_lr="${..lr}"), lr=0.01, weight_decay=1e-4
            ),
            lr_multiplier=L(ConstantParamScheduler)(value=1.0),
        ),
        flags={"allow_objects": True},
    )
