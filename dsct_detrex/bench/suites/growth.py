"""How time grows with people, contexts, subjects and pixels, one of them at a time.

Each axis is measured on the whole step or picture and, where that is the smaller part of it, on the part that grows
alone: the loss with its matching, the decoder loop. Models are rewritten, as they are used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor

from dsct_detrex.bench.contracts import SMALL, Candidate, Case, Ready, Setting, Size
from dsct_detrex.bench.gradients import forward_backward
from dsct_detrex.bench.models import batch_of, build_dsct, inference, picture, rewritten
from dsct_detrex.bench.suites.model import QUICK
from dsct_detrex.bench.suites.step import our_step
from dsct_detrex.dsct import DSCT
from dsct_detrex.dsct.detector import stack_predictions
from dsct_detrex.objective.targets import targets_from_instances

PEOPLE = (1, 2, 4, 8, 16, 32)
CONTEXTS = (100, 300, 600, 900)
SUBJECTS = (1, 9, 30, 60, 100)
SIDES = (0.5, 0.75, 1.0, 1.25, 1.6667)
"""Of the sides of the picture."""


def cases(setting: Setting) -> Iterator[Case]:
    size = setting.sizes_or(SMALL)[0]
    for host in setting.hosts_or(QUICK, QUICK):
        yield from _people(host, size, setting)
        contexts = {f"hosts.{host}.num_queries={number}": number for number in _some(CONTEXTS, setting)}
        subjects = {f"model.num_subjects={number}": number for number in _some(SUBJECTS, setting)}
        for axis, variants in (("contexts", contexts), ("subjects", subjects)):
            make = cache(partial(_variant, setting, host))  # both cases of an axis use the same models
            yield _case(host, "a whole picture", axis, variants, make, partial(_whole, size=size))
            yield _case(host, "the decoder loop", axis, variants, make, partial(_decoder, size=size))
        yield _pixels(host, size, setting)


def _case(
    host: str,
    what: str,
    axis: str,
    variants: dict[str, int],
    make: Callable[[str], DSCT],
    ready: Callable[[DSCT], Ready],
) -> Case:
    candidates = [
        Candidate(f"{axis}: {number}", partial(_built, make, change, ready), x=number)
        for change, number in variants.items()
    ]
    return Case(f"{host}, {what}, {axis}", candidates, images=1, same=False, axis=axis)


def _built(make: Callable[[str], DSCT], change: str, ready: Callable[[DSCT], Ready]) -> Ready:
    return ready(make(change))


def _variant(setting: Setting, host: str, change: str) -> DSCT:
    return rewritten(build_dsct(host, setting.device, change))


def _people(host: str, size: Size, setting: Setting) -> Iterator[Case]:
    """A step and its loss alone, with subjects for all; one model serves all points."""
    most = _some(PEOPLE, setting)[-1]
    model = cache(lambda: _variant(setting, host, f"model.num_subjects={most}"))

    def case(what: str, make: Callable[[int], Ready]) -> Case:
        candidates = [Candidate(f"people: {n}", partial(make, n), x=n) for n in _some(PEOPLE, setting)]
        return Case(f"{host}, {what}, people", candidates, images=1, same=False, axis="people")

    yield case("a training step", lambda people: our_step(model(), host, size, people))
    yield case("the loss alone", lambda people: _loss(model(), size, people))


def _loss(model: DSCT, size: Size, people: int) -> Ready:
    """Matching, losses and the gradient at the predictions."""
    batch = batch_of(size, people, model)
    targets = targets_from_instances([entry["instances"] for entry in batch], model.emotions)
    targets = [target.to(model.device) for target in targets]
    model.eval()
    with torch.no_grad():
        predicted = stack_predictions(model.decode([batch[0]["image"]]))

    def call(logits: Tensor, boxes: Tensor) -> list[Tensor]:
        losses: dict[str, Tensor] = model.criterion({"pred_logits": logits, "pred_boxes": boxes}, targets)
        return list(losses.values())

    return Ready(forward_backward(call, [predicted["pred_logits"], predicted["pred_boxes"]]))


def _pixels(host: str, size: Size, setting: Setting) -> Case:
    model = cache(lambda: rewritten(build_dsct(host, setting.device)))
    scaled = [Size(round(size.height * side), round(size.width * side)) for side in _some(SIDES, setting)]

    def ready(one: Size) -> Ready:
        return _whole(model(), one)

    candidates = [Candidate(str(one), partial(ready, one), x=one.height * one.width / 1e6) for one in scaled]
    return Case(f"{host}, a whole picture, megapixels", candidates, images=1, same=False, axis="megapixels")


def _whole(model: DSCT, size: Size) -> Ready:
    image = picture(size, model.device)
    return Ready(inference(lambda: model.decode([image])[-1].logits))


def _decoder(model: DSCT, size: Size) -> Ready:
    """DSCT's loop over the layers of the decoder, with its heads, on what the encoder made of one picture."""
    adapter = model.decoder.adapter
    with torch.no_grad():
        inputs: dict[str, Any] = adapter.decoder_inputs(*model.normalizer([picture(size, model.device)]))
        subjects = model.subject_queries(1)
    return Ready(inference(lambda: model.decoder(inputs, subjects, model.heads)[-1].logits))


def _some(points: Sequence[Any], setting: Setting) -> Sequence[Any]:
    """All points; in a quick run the first, the middle and the last."""
    chosen = (points[0], points[len(points) // 2], points[-1]) if setting.quick else points
    return tuple(dict.fromkeys(chosen))
