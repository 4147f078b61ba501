"""Learning-rate schedules: functions from the share of training done, in [0, 1], to a multiplier of the learning rate.

The class names, arguments and values are those of fvcore's ``param_scheduler`` and of detectron2's
``WarmupParamScheduler``, which take their place where installed. One difference: every schedule here is also defined
at 1.0, where a training loop looks after its last step; fvcore's constant schedule is not.
"""

from __future__ import annotations

import bisect
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

from dsct_detrex.config.errors import ConfigError

# A step that ends exactly at a boundary belongs to what follows it, despite rounding (fvcore: WHERE_EPSILON).
_EPSILON = 1e-6


class ParamScheduler(ABC):
    """A schedule; ``schedule(where)`` is its value when the share ``where`` of training is done."""

    @abstractmethod
    def __call__(self, where: float) -> float:
        """The multiplier at ``where`` in [0, 1]."""


class ConstantParamScheduler(ParamScheduler):
    """The same value all the time."""

    def __init__(self, value: float) -> None:
        self._value = value

    def __call__(self, where: float) -> float:
        return self._value


class LinearParamScheduler(ParamScheduler):
    """A straight line from ``start_value`` to ``end_value``."""

    def __init__(self, start_value: float, end_value: float) -> None:
        self._start = start_value
        self._end = end_value

    def __call__(self, where: float) -> float:
        return self._start * (1 - where) + self._end * where


class CosineParamScheduler(ParamScheduler):
    """Half a cosine wave from ``start_value`` to ``end_value``.

    Source: SGDR (arXiv:1608.03983), Eq. 5, without restarts.
    """

    def __init__(self, start_value: float, end_value: float) -> None:
        self._start = start_value
        self._end = end_value

    def __call__(self, where: float) -> float:
        return self._end + (self._start - self._end) * (1 + math.cos(math.pi * where)) / 2


class MultiStepParamScheduler(ParamScheduler):
    """A staircase: ``values[i]`` holds until ``milestones[i]``, counted in the units of ``num_updates``.

    ``values=[1, 0.1], milestones=[40, 50]`` and ``values=[1, 0.1], milestones=[40], num_updates=50`` say the same: 1
    for the first 40 of 50 epochs, then 0.1. Only the proportions matter.

    Args:
        values: the height of each step.
        num_updates: where the last step ends; None takes the last milestone.
        milestones: where each step ends, ascending; None makes all steps equally long.

    Raises:
        ConfigError: no value or a negative one, neither end nor milestones given, a wrong number of milestones,
            milestones that do not ascend or reach the end, or fewer updates than values.
    """

    def __init__(
        self, values: Sequence[float], num_updates: int | None = None, milestones: Sequence[int] | None = None
    ) -> None:
        if not values:
            raise ConfigError("MultiStepParamScheduler(values=) expects one factor or more. Got none.")
        ends = self._ends(len(values), num_updates, milestones)
        if min(values) < 0:
            raise ConfigError(
                f"MultiStepParamScheduler(values=) expects factors that are not negative. Got {list(values)}."
            )
        if ends[-1] < len(values):
            raise ConfigError(
                f"MultiStepParamScheduler(num_updates=) expects at least as many updates as values ({len(values)}). "
                f"Got {ends[-1]}."
            )
        if any(later <= earlier for earlier, later in zip([0, *ends], ends)):
            raise ConfigError(
                f"MultiStepParamScheduler(milestones=) expects numbers that ascend from above 0 to below the end of "
                f"training. Got {', '.join(str(end) for end in ends[:-1])} with the end at {ends[-1]}."
            )
        self._values = tuple(values)
        self._milestones = tuple(ends[:-1])
        self._num_updates = ends[-1]

    @staticmethod
    def _ends(steps: int, num_updates: int | None, milestones: Sequence[int] | None) -> list[int]:
        """Where each step ends, the last at the end of training."""
        if milestones is None:
            if num_updates is None:
                raise ConfigError("MultiStepParamScheduler expects milestones, num_updates or both. Got neither.")
            length = math.ceil(num_updates / steps)
            return [*(length * (step + 1) for step in range(steps - 1)), num_updates]
        expected = steps if num_updates is None else steps - 1
        if len(milestones) != expected:
            end = "the last of them ends training" if num_updates is None else "num_updates ends training"
            raise ConfigError(
                f"MultiStepParamScheduler(milestones=) expects {expected} numbers for {steps} values, as {end}. "
                f"Got {len(milestones)}."
            )
        return list(milestones) if num_updates is None else [*milestones, num_updates]

    def __call__(self, where: float) -> float:
        update = int((where + _EPSILON) * self._num_updates)
        return self._values[bisect.bisect_right(self._milestones, update)]


class WarmupParamScheduler(ParamScheduler):
    """Another schedule with a gentle start.

    Args:
        scheduler: the schedule after warm-up.
        warmup_factor: the warm-up starts at this share of ``scheduler``'s first value, e.g. 0.001.
        warmup_length: share of training that is warm-up, in [0, 1]; 0 means none.
        warmup_method: ``"linear"`` climbs to where ``scheduler`` takes over, ``"constant"`` stays at the start.
        rescale_interval: False lets ``scheduler`` run on the clock of the whole training, so that its milestones stay
            in place; True squeezes all of it into what is left after the warm-up.

    Raises:
        ConfigError: another method, or a length outside [0, 1].
    """

    def __init__(
        self,
        scheduler: ParamScheduler,
        warmup_factor: float,
        warmup_length: float,
        warmup_method: str = "linear",
        rescale_interval: bool = False,
    ) -> None:
        if warmup_method not in ("linear", "constant"):
            raise ConfigError(
                f"WarmupParamScheduler(warmup_method=) expects 'linear' or 'constant'. Got {warmup_method!r}."
            )
        if not 0 <= warmup_length <= 1:
            raise ConfigError(
                f"WarmupParamScheduler(warmup_length=) expects a share of training in [0, 1], not a number of steps. "
                f"Got {warmup_length}."
            )
        start = warmup_factor * scheduler(0.0)
        end = scheduler(0.0 if rescale_interval else warmup_length) if warmup_method == "linear" else start
        self._warmup = LinearParamScheduler(start, end)
        self._scheduler = scheduler
        self._length = warmup_length
        self._rescale = rescale_interval

    def __call__(self, where: float) -> float:
        if where + _EPSILON <= self._length or self._length == 1:
            return self._warmup(where / self._length)
        if self._rescale:
            where = max(0.0, where - self._length) / (1 - self._length)
        return self._scheduler(where)
