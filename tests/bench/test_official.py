"""The authors' code beside ours, where DSCT_ROOT names a checkout of it: the same weights, the same numbers."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from dsct_detrex.bench import models
from dsct_detrex.bench.contracts import Case, Setting, Size
from dsct_detrex.bench.discovery import find_suite
from dsct_detrex.bench.outcomes import largest_difference
from dsct_detrex.bench.rivals import recognise

ROOT = os.environ.get("DSCT_ROOT")
pytestmark = pytest.mark.skipif(not ROOT, reason="needs the official code of DSCT, which DSCT_ROOT does not name")


def official_cases(suite: str) -> Iterator[Case]:
    setting = Setting(sizes=(Size(64, 96),), hosts=("deformable_detr",), rivals=(recognise(Path(str(ROOT))),))
    for case in find_suite(suite).cases(setting):
        if any(candidate.name == "official" for candidate in case.candidates):
            yield case


@pytest.mark.parametrize(
    ("suite", "tolerance"), [("operator", 1e-5), ("fusion", 1e-5), ("layer", 1e-5), ("model", 1e-5), ("step", 5e-4)]
)
def test_official_and_ours_agree(suite: str, tolerance: float) -> None:
    cases = list(official_cases(suite))
    assert cases
    for case in cases:
        results = {one.name: one.build().result() for one in case.candidates}
        reference = results["official"]
        for name, result in results.items():
            assert largest_difference(result, reference) <= tolerance, (case.name, name)


def test_it_downloads_nothing_and_keeps_its_weights() -> None:
    from dsct_detrex.bench.official import load_official

    code = load_official(Path(str(ROOT)))
    (one, _), (other, _) = (code.build(torch.device("cpu")) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters()))
    assert models.parameters(one) > 30_000_000
