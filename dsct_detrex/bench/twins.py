"""Our models with the weights of other people's, so that both compute the same numbers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch

from dsct_detrex.bench.contracts import Setting
from dsct_detrex.bench.models import build_dsct
from dsct_detrex.bench.official import load_official
from dsct_detrex.dsct import DSCT
from dsct_detrex.errors import UserError
from dsct_detrex.integrations.detrex import build_host, live_hosts
from dsct_detrex.integrations.detrex.fallback import use_checkout
from dsct_detrex.weights import convert

PAPERS_HOST = "deformable_detr"
"""What the official code is built on."""


def our_dsct(setting: Setting, host: str) -> DSCT:
    """DSCT on an embedded host; with the weights of the official model where that stands beside it."""
    official = setting.rival("official") if host == PAPERS_HOST else None
    return dsct_of_official(official.folder, setting.device) if official else build_dsct(host, setting.device)


def dsct_of_official(folder: Path, device: torch.device) -> DSCT:
    """DSCT on the embedded host, with the weights of the official model.

    Raises:
        UserError: its weights do not fit; says which.
    """
    theirs, _ = load_official(folder).build(torch.device("cpu"))
    # Distances in its frame, and at rest what rests there: the first two stages of the backbone.
    changes = ("model.distance_frame=padded", "hosts.deformable_detr.backbone.freeze_at=2")
    ours = build_dsct(PAPERS_HOST, torch.device("cpu"), *changes)
    report = ours.load_state_dict(convert(theirs.state_dict()).state_dict, strict=False)
    # It has no heads of the host, which DSCT does not use either.
    absent = [key for key in report.missing_keys if not key.startswith(("host.class_embed.", "host.bbox_embed."))]
    if absent or report.unexpected_keys:
        raise UserError(
            f"bench: the weights of the official code in {folder} do not fit ours: "
            f"{', '.join([*absent, *report.unexpected_keys][:3])}."
        )
    return ours.to(device)


def live_names(setting: Setting) -> tuple[str, ...]:
    """Hosts that a detrex checkout can supply; none where no checkout was given."""
    return tuple(_live_names()) if setting.rival("detrex") else ()


@cache
def _live_names() -> tuple[str, ...]:
    return tuple(live_hosts())


def dsct_on_live(folder: Path, host: str, build: Callable[[], DSCT]) -> DSCT:
    """DSCT on detrex's own modules, with the weights of what ``build`` makes."""
    use_checkout(folder)
    ours = build()
    subjects = len(ours.subject_queries.content)
    first: Any = ours.decoder.layers[0]
    fusion = copy.deepcopy(first.aggregation)
    live = DSCT(
        build_host(host),
        ours.emotions,
        ours.criterion,
        subjects,
        aggregation=fusion,
        distance_frame=ours.decoder.distance_frame,
    )
    live.load_state_dict(ours.state_dict())
    return live.eval().to(ours.device)
