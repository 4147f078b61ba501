"""Trainable weights without a gradient: told in one process, refused in several that wait for them."""

from pathlib import Path

import pytest
from engine_runs import start_ranks
from torch import nn

from dsct_detrex.engine.idle_parameters import announce_idle
from tests.commands import train as main


def _launch(config_file: Path, *words: str) -> list[int | None]:
    children = start_ranks([lambda: main(["-c", str(config_file), "model.spare=true", "train.max_iter=3", *words])] * 2)
    for child in children:
        child.join(100)
    return [child.exitcode for child in children]


def test_no_idle_weights_no_words() -> None:
    assert announce_idle(nn.Linear(1, 1), []) is None


def test_layers_are_folded_and_the_remedy_is_named() -> None:
    names = [f"host.decoder.layers.{i}.norm.weight" for i in range(6)] + ["host.label_enc.weight"]
    assert announce_idle(nn.Linear(1, 1), names) == (
        "note: the first step gave no gradient to 7 trainable weights: host.decoder.layers.#.norm.weight x6, "
        "host.label_enc.weight. They stay as they are. Freeze them (those of a host with "
        "model.host_training.frozen=[...]) to say so."
    )


def test_several_processes_that_wait_for_every_gradient_refuse_them(
    config_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert _launch(config_file, "train.ddp.find_unused_parameters=False") == [2, 2]
    error = capfd.readouterr().err
    assert "error: train.ddp.find_unused_parameters=False expects a gradient for every trainable weight; " in error
    assert "gave none to 2: spare.weight, spare.bias. Freeze them" in error
    assert "Expected to have finished reduction" not in error
    assert "Traceback" not in error


def test_several_processes_that_look_for_idle_weights_train_on(
    config_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert _launch(config_file, "train.ddp.find_unused_parameters=True") == [0, 0]
    assert capfd.readouterr().out.count("note: the first step gave no gradient to 2 trainable weights") == 1
