"""``observe`` sees the same in detrex's own modules as in their embedded twins."""

from __future__ import annotations

import pytest
import torch

from .live import EMBEDDED, pictures_for, require_detrex, twins


@pytest.mark.parametrize("name", EMBEDDED)
@torch.no_grad()
def test_live_and_embedded_see_the_same(name: str) -> None:
    require_detrex()
    torch.manual_seed(0)
    live, embedded = (model.eval().observe(pictures_for(name)) for model in twins(name))
    assert live.no_sampling == embedded.no_sampling
    assert live.features.name == embedded.features.name
    torch.testing.assert_close(live.features.shares, embedded.features.shares)
    for one, other in zip(live.sampling or (), embedded.sampling or (), strict=True):
        assert one.locations.shape == other.locations.shape
    for one, other in zip(live.places, embedded.places, strict=True):
        assert one is not None
        assert other is not None
        assert one.shape == other.shape
