"""Losses are averaged over the period, and the first batch that is not finite is found."""

import torch

from dsct_detrex.engine.history import History


def test_means_over_a_period() -> None:
    history = History()
    assert history.fetch() is None
    assert history.means() == {}
    for number, value in enumerate((1.0, 2.0, 6.0), start=1):
        history.add(number, ["a"], {"loss_class": torch.tensor(value), "total_loss": torch.tensor(2 * value)})
    history.add(4, ["a"], {"total_loss": torch.tensor(0.0)})
    assert history.fetch() is None
    assert history.means() == {"loss_class": 3.0, "total_loss": 4.5}
    assert history.means() == {}


def test_first_batch_that_is_not_finite() -> None:
    history = History()
    for number, value in enumerate((1.0, float("inf"), float("nan")), start=7):
        losses = {"total_loss": torch.tensor(value), "loss_giou": torch.tensor(value)}
        history.add(number, [f"{number}.jpg"], losses)
    problem = history.fetch()
    assert problem is not None
    assert (problem.iteration, problem.images) == (8, ["8.jpg"])
    assert problem.culprit() == "loss_giou is inf"
