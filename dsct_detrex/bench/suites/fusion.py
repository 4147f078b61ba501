"""DSCT's fusion alone: masked products against gathered contexts, N = 9 subjects, M = 300 and 900 contexts.

``gathered`` is the official formulation in our words: contexts expanded to (B, N, M, C), sorted as a whole by distance
and by product, gathered, and the first of each list kept. ``official`` is the authors' own decoder layer with all but
its fusion taken out; its 300 contexts are a literal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.bench.contracts import Candidate, Case, Ready, Setting
from dsct_detrex.bench.gradients import forward_backward
from dsct_detrex.bench.models import SUBJECTS, config_of, inference
from dsct_detrex.bench.official import CONTEXTS, load_official
from dsct_detrex.bench.outcomes import bytes_of
from dsct_detrex.config.building import instantiate
from dsct_detrex.dsct import RelationalAggregation
from dsct_detrex.dsct.choices import Places
from dsct_detrex.rewrites import rewrite

NUM_CONTEXTS = (300, 900)
K_SPATIAL, K_SEMANTIC = 100, 50

Fusion = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""(B, N, C) subjects, (B, M, C) contexts, and the xy points of both, in [0, 1] -> (B, N, C) subjects."""


def cases(setting: Setting) -> Iterator[Case]:
    for contexts in NUM_CONTEXTS:
        for backward in (False, True):
            how = "forward + backward" if backward else "forward"
            yield Case(f"N = {SUBJECTS}, M = {contexts}, {how}", _candidates(setting, contexts, backward))


def gathered(subjects: Tensor, contexts: Tensor, subject_xy: Tensor, context_xy: Tensor) -> Tensor:
    """The official formulation: whole sorts, and gathers out of (B, N, M, C)."""
    channels = contexts.shape[-1]
    expanded = contexts[:, None].expand(-1, subjects.shape[1], -1, -1)
    nearest = torch.cdist(subject_xy, context_xy).argsort(-1)
    likest = (subjects @ contexts.transpose(1, 2)).argsort(-1, descending=True)
    total = subjects + (subjects @ subjects.transpose(1, 2)).softmax(-1) @ subjects
    for order, kept in ((nearest, K_SPATIAL), (likest, K_SEMANTIC)):
        chosen = expanded.gather(2, order[..., None].expand(-1, -1, -1, channels))[:, :, :kept]
        shares = (subjects[:, :, None] @ chosen.transpose(2, 3)).softmax(-1)
        total = total + (shares @ chosen)[:, :, 0]
    return total


def _candidates(setting: Setting, contexts: int, backward: bool) -> list[Candidate]:
    def candidate(name: str, make: Callable[[], Fusion], note: str = "") -> Candidate:
        return Candidate(name, lambda: _ready(make(), setting, contexts, backward, name == "ours"), note=note)

    found = [candidate("gathered", lambda: gathered)]
    if (rival := setting.rival("official")) and contexts == CONTEXTS:
        folder = rival.folder
        found.append(candidate("official", lambda: _official(folder, setting), "its decoder layer, all else taken out"))
    found.append(candidate("ours", lambda: _ours(setting, rewrites=False)))
    found.append(candidate("ours, rewritten", lambda: _ours(setting, rewrites=True)))
    return found


def _ready(fusion: Fusion, setting: Setting, contexts: int, backward: bool, countable: bool) -> Ready:
    generator = torch.Generator().manual_seed(0)
    states = [torch.randn(1, number, 256, generator=generator) / 4 for number in (SUBJECTS, contexts)]
    points = [torch.rand(1, number, 2, generator=generator) for number in (SUBJECTS, contexts)]
    states, points = ([tensor.to(setting.device) for tensor in some] for some in (states, points))
    traffic = bytes_of(states, points, states[0])

    def call(subjects: Tensor, context_states: Tensor) -> Tensor:
        return fusion(subjects, context_states, points[0], points[1])

    run = forward_backward(call, states) if backward else inference(lambda: call(*states))
    return Ready(run, traffic=2 * traffic if backward else traffic, countable=(lambda: run) if countable else None)


def _ours(setting: Setting, rewrites: bool) -> Fusion:
    aggregation: RelationalAggregation = instantiate(config_of("deformable_detr").model.aggregation)
    aggregation.to(setting.device).eval()
    if rewrites:
        rewrite(aggregation)

    def fuse(subjects: Tensor, contexts: Tensor, subject_xy: Tensor, context_xy: Tensor) -> Tensor:
        places = Places(torch.cat([context_xy, subject_xy], 1), contexts.shape[1])
        fused: Tensor = aggregation(torch.cat([contexts, subjects], 1), places).subjects
        return fused

    return fuse


def _official(folder: Path, setting: Setting) -> Fusion:
    """A decoder layer of the official model whose attentions give zeros and whose norms and FFN give what they get."""
    model: Any = load_official(folder).build(setting.device)[0]
    layer = model.transformer.decoder.layers[0]
    layer.self_attn, layer.cross_attn = _Nothing(in_tuple=True), _Nothing(in_tuple=False)
    layer.norm1 = layer.norm2 = nn.Identity()
    layer.dropout1 = layer.dropout2 = nn.Identity()
    layer.forward_ffn = lambda states: states

    def fuse(subjects: Tensor, contexts: Tensor, subject_xy: Tensor, context_xy: Tensor) -> Tensor:
        states = torch.cat([contexts, subjects], 1)
        references = torch.cat([context_xy, subject_xy], 1)[:, :, None]
        fused: Tensor = layer(states, None, references, None, None, None)[:, CONTEXTS:]
        return fused

    return fuse


class _Nothing(nn.Module):
    """Attention that adds nothing, in the two forms in which the layer calls one."""

    sampling_locations = torch.zeros(1, 1, 1, 1, 1, 2).expand(1, CONTEXTS + SUBJECTS, 1, 1, 1, 2)

    def __init__(self, in_tuple: bool) -> None:
        super().__init__()
        self.in_tuple = in_tuple

    def forward(self, states: Tensor, *_: Any) -> Any:
        nothing = torch.zeros_like(states)
        return (nothing,) if self.in_tuple else nothing
