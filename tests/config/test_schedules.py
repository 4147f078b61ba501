"""Schedules against numbers worked by hand."""

import math
import pickle

import pytest
from omegaconf import OmegaConf

from dsct_detrex.config.errors import ConfigError
from dsct_detrex.config.schedules import (
    ConstantParamScheduler,
    CosineParamScheduler,
    LinearParamScheduler,
    MultiStepParamScheduler,
    ParamScheduler,
    WarmupParamScheduler,
)

FLAT = ConstantParamScheduler(0.5)
LINE = LinearParamScheduler(start_value=1.0, end_value=0.2)
WAVE = CosineParamScheduler(start_value=1.0, end_value=0.2)
STEPS = MultiStepParamScheduler(values=[1.0, 0.1, 0.01], milestones=[60, 80, 90])


@pytest.mark.parametrize(
    ("schedule", "where", "value"),
    [
        (FLAT, 0.0, 0.5),
        (FLAT, 1.0, 0.5),
        (LINE, 0.0, 1.0),
        (LINE, 0.25, 0.8),
        (LINE, 1.0, 0.2),
        (WAVE, 0.0, 1.0),
        (WAVE, 1 / 3, 0.8),  # cos 60 degrees = 1/2: 0.2 + 0.8 * 3/4
        (WAVE, 0.5, 0.6),
        (WAVE, 1.0, 0.2),
        (STEPS, 0.0, 1.0),
        (STEPS, 59 / 90, 1.0),
        (STEPS, 60 / 90, 0.1),
        (STEPS, 79.9 / 90, 0.1),
        (STEPS, 80 / 90, 0.01),
        (STEPS, 1.0, 0.01),
    ],
)
def test_values(schedule: ParamScheduler, where: float, value: float) -> None:
    assert schedule(where) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize(
    "other",
    [
        MultiStepParamScheduler([1.0, 0.1, 0.01], 90, [60, 80]),
        MultiStepParamScheduler(values=[1.0, 0.1, 0.01], milestones=[6, 8, 9]),
        MultiStepParamScheduler(values=OmegaConf.create([1.0, 0.1, 0.01]), milestones=OmegaConf.create([60, 80, 90])),
        pickle.loads(pickle.dumps(STEPS)),
    ],
)
def test_ways_to_say_the_same_staircase(other: ParamScheduler) -> None:
    assert [other(update / 90) for update in range(91)] == [STEPS(update / 90) for update in range(91)]


def test_every_boundary_is_hit_exactly() -> None:
    # 10000 * (i / 10000) is sometimes 1e-12 below i; the milestone must not slip to the next update.
    for milestone in range(1, 10000):
        schedule = MultiStepParamScheduler(values=[1.0, 0.0], num_updates=10000, milestones=[milestone])
        assert schedule(milestone / 10000) == 0.0
        assert schedule((milestone - 1) / 10000) == 1.0


def test_equal_steps_without_milestones() -> None:
    schedule = MultiStepParamScheduler(values=[3.0, 2.0, 1.0], num_updates=10)
    assert [schedule(update / 10) for update in range(10)] == [3, 3, 3, 3, 2, 2, 2, 2, 1, 1]


def test_linear_warmup_climbs_to_the_schedule_and_leaves_its_clock_alone() -> None:
    schedule = WarmupParamScheduler(STEPS, warmup_factor=0.1, warmup_length=0.1)
    assert schedule(0.0) == pytest.approx(0.1)
    assert schedule(0.05) == pytest.approx(0.55)  # half way from 0.1 to 1
    assert schedule(0.1) == 1.0
    assert schedule(59 / 90) == 1.0
    assert schedule(60 / 90) == 0.1


def test_linear_warmup_ends_at_the_value_of_a_moving_schedule() -> None:
    schedule = WarmupParamScheduler(LINE, warmup_factor=0.0, warmup_length=0.5)
    assert schedule(0.25) == pytest.approx(0.3)  # half of LINE(0.5) = 0.6
    assert schedule(0.75) == pytest.approx(0.4)


def test_rescaled_schedule_fits_into_the_rest() -> None:
    schedule = WarmupParamScheduler(LINE, warmup_factor=0.5, warmup_length=0.2, rescale_interval=True)
    assert schedule(0.1) == pytest.approx(0.75)  # half way from 0.5 to LINE(0) = 1
    assert schedule(0.2) == pytest.approx(1.0)
    assert schedule(0.6) == pytest.approx(0.6)  # LINE(0.5)
    assert schedule(1.0) == pytest.approx(0.2)


def test_constant_warmup_and_none() -> None:
    schedule = WarmupParamScheduler(STEPS, 0.25, 0.1, "constant")
    assert [schedule(where) for where in (0.0, 0.05, 0.0999, 0.1)] == [0.25, 0.25, 0.25, 1.0]
    without = WarmupParamScheduler(STEPS, 0.25, 0.0)
    assert [without(where) for where in (0.0, 0.5, 1.0)] == [1.0, 1.0, 0.01]
    assert WarmupParamScheduler(LINE, 0.0, 1.0)(0.5) == pytest.approx(0.1)
    assert not math.isnan(WarmupParamScheduler(LINE, 0.0, 1.0, rescale_interval=True)(1.0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"values": [1, 2]},
            "MultiStepParamScheduler expects milestones, num_updates or both. Got neither.",
        ),
        (
            {"values": [1, 2], "milestones": [1, 2, 3]},
            "MultiStepParamScheduler(milestones=) expects 2 numbers for 2 values, as the last of them ends training. "
            "Got 3.",
        ),
        (
            {"values": [1, 2], "milestones": [1, 2], "num_updates": 9},
            "MultiStepParamScheduler(milestones=) expects 1 numbers for 2 values, as num_updates ends training. Got 2.",
        ),
        (
            {"values": [1, 2], "milestones": [9], "num_updates": 9},
            "MultiStepParamScheduler(milestones=) expects numbers that ascend from above 0 to below the end of "
            "training. "
            "Got 9 with the end at 9.",
        ),
        (
            {"values": [1, 2, 3], "milestones": [6, 5, 9]},
            "MultiStepParamScheduler(milestones=) expects numbers that ascend from above 0 to below the end of "
            "training. "
            "Got 6, 5 with the end at 9.",
        ),
        (
            {"values": [1, 2, 3], "num_updates": 2},
            "MultiStepParamScheduler(num_updates=) expects at least as many updates as values (3). Got 2.",
        ),
    ],
)
def test_multi_step_messages(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        MultiStepParamScheduler(**arguments)  # type: ignore[arg-type]
    assert str(error.value) == message


def test_warmup_messages() -> None:
    with pytest.raises(ConfigError) as method:
        WarmupParamScheduler(FLAT, 0.1, 0.1, "cubic")
    assert str(method.value) == "WarmupParamScheduler(warmup_method=) expects 'linear' or 'constant'. Got 'cubic'."
    with pytest.raises(ConfigError) as length:
        WarmupParamScheduler(FLAT, 0.1, 1000)
    assert str(length.value) == (
        "WarmupParamScheduler(warmup_length=) expects a share of training in [0, 1], not a number of steps. Got 1000."
    )
