"""Whole R50 models, one picture at a time: plain and rewritten, with DSCT and without.

DSCT's share is what it adds to the bare host, with its own decoder and heads; their results answer other questions and
are not compared. Every model reads the
same picture, 0 to 255, and normalises it itself; the official code gets it normalised. Frames a second, operations and
parameters are those of one picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.bench.contracts import LARGE, SMALL, Candidate, Case, Ready, Setting, Size
from dsct_detrex.bench.models import (
    build_dsct,
    inference,
    parameters,
    picture,
    rewritten,
    ten_hosts,
    weight_bytes,
)
from dsct_detrex.bench.official import load_official
from dsct_detrex.bench.outcomes import bytes_of
from dsct_detrex.bench.rivals import Rival
from dsct_detrex.bench.twins import PAPERS_HOST, dsct_on_live, live_names, our_dsct
from dsct_detrex.dsct import DSCT

QUICK = ("deformable_detr",)


def cases(setting: Setting) -> Iterator[Case]:
    for host in setting.hosts_or(ten_hosts(), QUICK):
        for size in setting.sizes_or(SMALL, LARGE):
            yield Case(f"{host}, {size}", _with_dsct(setting, host, size), images=1)
            yield Case(f"{host}, {size}, DSCT's share", _share(setting, host, size), images=1, same=False)


def _with_dsct(setting: Setting, host: str, size: Size) -> list[Candidate]:
    official = setting.rival("official") if host == PAPERS_HOST else None
    detrex = setting.rival("detrex") if host in live_names(setting) else None
    build: Callable[[], DSCT] = partial(our_dsct, setting, host)
    found = []
    if official:
        found.append(Candidate("official", partial(official_decoding, official, setting, size)))
    if detrex:
        live = partial(dsct_on_live, detrex.folder, host, build)
        found.append(Candidate("detrex", lambda: decoding(live(), size), "DSCT on live modules of detrex"))
    found.append(Candidate("plain", lambda: decoding(build(), size, build)))
    found.append(Candidate("rewritten", lambda: decoding(rewritten(build()), size)))
    if detrex:
        found.append(Candidate("detrex, rewritten", lambda: decoding(rewritten(live()), size)))
    return found


def _share(setting: Setting, host: str, size: Size) -> list[Candidate]:
    build = partial(build_dsct, host, setting.device)
    return [
        Candidate("bare host", lambda: _detecting(rewritten(build()), size, build), "all rewritten"),
        Candidate("DSCT", lambda: decoding(rewritten(build()), size, build)),
        Candidate("DSCT without fusion", lambda: decoding(rewritten(_unfused(build())), size)),
    ]


def _unfused(model: DSCT) -> DSCT:
    layers: Any = model.decoder.layers
    for layer in layers:
        layer.aggregation = None
    return model


def decoding(model: DSCT, size: Size, plain: Callable[[], DSCT] | None = None, count: int = 1, batch: int = 1) -> Ready:
    """Subjects of ``count`` pictures, ``batch`` at a time: logits and boxes of the last layer."""
    image = picture(size, model.device)

    def run() -> list[Tensor]:
        layers = [model.decode([image] * batch)[-1] for _ in range(count // batch)]
        return [torch.cat([layer.logits for layer in layers]), torch.cat([layer.boxes for layer in layers])]

    countable = None if plain is None else lambda: decoding(plain(), size, None, count, batch).run
    traffic = weight_bytes(model) + count * bytes_of(image.float())
    return Ready(inference(run), traffic=traffic, countable=countable, facts=_facts(model))


def _detecting(model: DSCT, size: Size, plain: Callable[[], DSCT] | None = None) -> Ready:
    """What the bare host finds in one picture, by its own decoder and heads."""
    host: Any = model.host
    image = picture(size, model.device)

    def run() -> Any:
        return host(*model.normalizer([image]))

    countable = None if plain is None else lambda: _detecting(plain(), size).run
    traffic = weight_bytes(host) + bytes_of(image.float())
    return Ready(inference(run), traffic=traffic, countable=countable, facts=_facts(host))


def official_decoding(rival: Rival, setting: Setting, size: Size, count: int = 1) -> Ready:
    """The same by the official code, ``count`` pictures one after the other."""
    code = load_official(rival.folder)
    model, _ = code.build(setting.device)
    ours = build_dsct(PAPERS_HOST, torch.device("cpu")).normalizer
    samples = code.nested(ours([picture(size, torch.device("cpu"))])[0].to(setting.device))

    def run() -> list[Tensor]:
        found = [model(samples) for _ in range(count)]
        return [torch.cat([one[name] for one in found]) for name in ("pred_logits", "pred_boxes")]

    return Ready(inference(run), facts=_facts(model), note=code.note)


def _facts(model: nn.Module) -> dict[str, Any]:
    return {"parameters": parameters(model)}
