"""A training step: losses, gradients, clipping and the update, for one picture with three people.

Ours is the engine's own step. For the comparison, and only for it, dropout is off: compared are the loss and the norm
of its gradient. The official code runs what its ``train_one_epoch`` does with a batch; its pictures come normalised,
and beside it ours rests the part of the backbone that rests there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.bench.contracts import SMALL, Candidate, Case, Ready, Setting, Size
from dsct_detrex.bench.models import (
    batch_of,
    build_dsct,
    config_of,
    parameters,
    rewritten,
    ten_hosts,
    weight_bytes,
    without_dropout,
)
from dsct_detrex.bench.official import LEARNING_RATE, load_official
from dsct_detrex.bench.outcomes import bytes_of
from dsct_detrex.bench.rivals import Rival
from dsct_detrex.bench.suites.model import QUICK
from dsct_detrex.bench.twins import PAPERS_HOST, our_dsct
from dsct_detrex.dsct import DSCT
from dsct_detrex.engine.build import build_optimizer, read_settings
from dsct_detrex.engine.step import TrainStep
from dsct_detrex.objective.targets import targets_from_instances

PEOPLE = 3

_PASSES = 8
"""Of every trained weight, at least: weight, gradient and two averages, each read and written."""


def cases(setting: Setting) -> Iterator[Case]:
    for host in setting.hosts_or(ten_hosts(), QUICK):
        for size in setting.sizes_or(SMALL):
            yield Case(f"{host}, {size}", _candidates(setting, host, size), images=1)


def _candidates(setting: Setting, host: str, size: Size) -> list[Candidate]:
    official = setting.rival("official") if host == PAPERS_HOST else None
    build = partial(our_dsct, setting, host)
    found = [
        Candidate("plain", lambda: our_step(build(), host, size, PEOPLE, build)),
        Candidate("rewritten", lambda: our_step(rewritten(build()), host, size, PEOPLE)),
    ]
    if official:
        found.insert(0, Candidate("official", partial(_official, official, setting, size)))
    return found


def our_step(
    model: DSCT, host: str, size: Size, people: int, plain: Callable[[], DSCT] | None = None, amp: bool = False
) -> Ready:
    """The engine's step on one picture, with the optimizer and the clipping of the recipe."""
    model.train()
    cfg = config_of(host)
    settings = read_settings(cfg)
    step = TrainStep(model, build_optimizer(cfg, model), model.device, settings.amp, settings.clip_grad, 1)
    batch = batch_of(size, people, model)

    def run() -> Any:
        losses = step.backward(batch, last=True)
        step.update(measure=False)
        return losses["total_loss"]

    def outcome() -> list[Tensor]:
        with without_dropout(model):
            total = torch.stack(list(model(batch).values())).sum()
        return _loss_and_norm(total, model)

    trained = sum(p.numel() * p.element_size() for p in model.parameters() if p.requires_grad)
    traffic = weight_bytes(model) + (_PASSES - 1) * trained + bytes_of(batch[0]["image"].float())
    countable = None if plain is None else lambda: our_step(plain(), host, size, people).run
    return Ready(run, outcome, traffic, countable, {"parameters": parameters(model)})


def _official(rival: Rival, setting: Setting, size: Size) -> Ready:
    code = load_official(rival.folder)
    model, criterion = code.build(setting.device)
    model.train()
    ours = build_dsct(PAPERS_HOST, torch.device("cpu"))
    batch = batch_of(size, PEOPLE, ours)
    (target,) = targets_from_instances([entry["instances"] for entry in batch], ours.emotions)
    samples = code.nested(ours.normalizer([batch[0]["image"]])[0].to(setting.device))
    targets = [{"boxes": target.boxes.to(setting.device), "labels": target.emotions.to(setting.device)}]
    step = code.train_step(model, criterion, torch.optim.AdamW(code.groups(model), lr=LEARNING_RATE, weight_decay=1e-4))

    def outcome() -> list[Tensor]:
        with without_dropout(model):
            total = code.loss(model, criterion, samples, targets)
        return _loss_and_norm(total, model)

    return Ready(lambda: step(samples, targets), outcome, facts={"parameters": parameters(model)}, note=code.note)


def _loss_and_norm(total: Tensor, model: nn.Module) -> list[Tensor]:
    """The loss, and the norm of its gradient behind the backbone."""
    model.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    named = [(name, p.grad) for name, p in model.named_parameters() if p.grad is not None]
    norms = [torch.linalg.vector_norm(gradient) for name, gradient in named if "backbone" not in name.split(".")]
    norm = torch.linalg.vector_norm(torch.stack(norms))
    model.zero_grad(set_to_none=True)
    return [total.detach(), norm]
