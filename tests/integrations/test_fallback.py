"""detrex's PyTorch formulation of the operator: found in a checkout, or said to be missing."""

import os
from pathlib import Path

import pytest
import torch

from dsct_detrex.bench.contracts import Size
from dsct_detrex.bench.sampling import make_sampling, stacked_grid_sample
from dsct_detrex.integrations.detrex import DetrexError
from dsct_detrex.integrations.detrex.fallback import fallback_operator
from dsct_detrex.ops.fused import attention_weights, sampling_locations

from .live import require_detrex


def test_it_computes_what_our_rendition_does() -> None:
    require_detrex()
    given = make_sampling(Size(64, 96), 7, torch.device("cpu"))
    arguments = (
        given.value,
        given.shapes,
        given.starts,
        sampling_locations(given.references, given.offsets, given.shapes),
        attention_weights(given.logits),
    )
    theirs = fallback_operator(Path(os.environ["DETREX_ROOT"]))(*arguments)
    torch.testing.assert_close(stacked_grid_sample(*arguments), theirs)


def test_a_folder_that_is_no_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETREX_ROOT", "")  # so that it is as before after this test
    monkeypatch.setattr("dsct_detrex.integrations.detrex.fallback.located", lambda: None)
    with pytest.raises(DetrexError, match="DETREX_ROOT expects a checkout of detrex"):
        fallback_operator(tmp_path)
