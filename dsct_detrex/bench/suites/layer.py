"""One encoder layer and one decoder layer of a host, the latter with and without fusion, plain and rewritten.

Each gets what it is called with for a picture of the size. The official layers, beside those of its host, get the same
states through their own arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.bench.contracts import LARGE, SMALL, Candidate, Case, Ready, Setting, Size
from dsct_detrex.bench.gradients import forward_backward
from dsct_detrex.bench.models import build_dsct, inference, picture, rewritten, weight_bytes
from dsct_detrex.bench.official import load_official
from dsct_detrex.bench.outcomes import bytes_of
from dsct_detrex.bench.rivals import Rival
from dsct_detrex.bench.suites.model import QUICK
from dsct_detrex.bench.twins import PAPERS_HOST, our_dsct
from dsct_detrex.dsct import DSCT

KINDS = ("encoder layer", "decoder layer", "decoder layer without fusion")


def cases(setting: Setting) -> Iterator[Case]:
    for host in setting.hosts_or((PAPERS_HOST,), QUICK):
        for size in setting.sizes_or(SMALL, LARGE):
            for kind in KINDS:
                for backward in (False, True):
                    how = "forward + backward" if backward else "forward"
                    yield Case(f"{host}, {size}, {kind}, {how}", _candidates(setting, host, size, kind, backward))


def _candidates(setting: Setting, host: str, size: Size, kind: str, backward: bool) -> list[Candidate]:
    official = setting.rival("official") if host == PAPERS_HOST else None
    build = partial(our_dsct, setting, host)
    found = [
        Candidate("plain", lambda: _ready(build(), size, kind, backward, build)),
        Candidate("rewritten", lambda: _ready(rewritten(build()), size, kind, backward)),
    ]
    if official:
        ready = partial(_official, official, setting, size, kind, backward)
        found.insert(0, Candidate("official", ready))
    return found


def _ready(model: DSCT, size: Size, kind: str, backward: bool, plain: Callable[[], DSCT] | None = None) -> Ready:
    image = picture(size, model.device)
    layer, weights = _layer_of(model, kind)
    call, state = _caught(layer, lambda: model.decode([image]))
    countable = None if plain is None else (lambda: _ready(plain(), size, kind, backward).run)
    return _timed(call, state, weights, backward, countable)


def _official(rival: Rival, setting: Setting, size: Size, kind: str, backward: bool) -> Ready:
    code = load_official(rival.folder)
    model: Any = code.build(setting.device)[0]
    ours = build_dsct(PAPERS_HOST, torch.device("cpu"))
    samples = code.nested(ours.normalizer([picture(size, torch.device("cpu"))])[0].to(setting.device))
    part = model.transformer.encoder if kind == KINDS[0] else model.transformer.decoder
    layer = part.layers[0]
    if kind == KINDS[2]:
        layer.dec_n_sp = layer.dec_n_sm = 0  # how it switches fusion off
    call, state = _caught(layer, lambda: model(samples))
    return replace(_timed(call, state, layer, backward, None), note=code.note)


def _layer_of(model: DSCT, kind: str) -> tuple[nn.Module, nn.Module]:
    """The module whose call is timed, and the one that owns its weights."""
    if kind == KINDS[0]:
        transformer: Any = model.host.transformer
        layers = transformer.encoder.layers if hasattr(transformer, "encoder") else transformer.encoder_layers
        return layers[0], layers[0]
    layer: Any = model.decoder.layers[0]
    if kind == KINDS[2]:
        layer.aggregation = None
    return layer, model.decoder.adapter.layers[0]


def _caught(layer: nn.Module, run: Callable[[], Any]) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """The call that a run makes of a layer, as a function of the states that enter it, and these states."""
    caught: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    hook = layer.register_forward_pre_hook(lambda _, args, kwargs: caught.append((args, kwargs)), with_kwargs=True)
    with torch.no_grad():
        run()
    hook.remove()
    positional, keywords = caught[0]
    state = next(value for value in (*positional, *keywords.values()) if isinstance(value, Tensor))

    def call(states: Tensor) -> Tensor:
        args = [states if value is state else value for value in positional]
        out = layer(*args, **{name: states if value is state else value for name, value in keywords.items()})
        output: Tensor = out[0] if isinstance(out, tuple) else out
        return output

    return call, state


def _timed(
    call: Callable[[Tensor], Tensor], state: Tensor, weights: nn.Module, backward: bool, countable: Any
) -> Ready:
    traffic = weight_bytes(weights) + bytes_of(state, state)
    if not backward:
        return Ready(inference(lambda: call(state)), traffic=traffic, countable=countable)
    return Ready(forward_backward(call, [state], weights.parameters()), traffic=2 * traffic, countable=countable)
