"""The time that is left: told once it is known, right where a run was resumed, with the evaluations' cost."""

import pytest

from dsct_detrex.engine import TrainSettings
from dsct_detrex.engine.plan import make_plan
from dsct_detrex.engine.time_left import TimeLeft


def watch(max_iter: int = 1000, eval_period: int = 100, evaluates: bool = True) -> TimeLeft:
    settings = TrainSettings.read({"max_iter": max_iter, "eval_period": eval_period})
    return TimeLeft(make_plan(settings, steps_per_epoch=None, batch_size=None), evaluates)


def test_the_first_step_counts_for_nothing() -> None:
    left = watch()
    left.stepped(100.0)
    assert left.seconds(1) is None
    left.stepped(2.0)
    assert left.seconds(2) == 2.0 * 998


def test_it_is_told_once_about_steps_and_once_about_evaluations() -> None:
    left, told = watch(), dict[int, str]()
    for step in range(1, 211):
        left.stepped(2.0)
        if step in (100, 200):
            left.evaluated(30.0)
        if (news := left.news(step)) is not None:
            told[step] = news
    assert told == {
        6: "time left: about 33 min 8 s, 994 steps of 2 s; 10 evaluations on top",
        100: "time left: about 34 min 30 s, 900 steps of 2 s and 9 evaluations of 30 s",
    }


def test_slow_steps_are_told_early() -> None:
    left = watch()
    for step in (1, 2):
        left.stepped(25.0)
        news = left.news(step)
    assert news == "time left: about 6 h 55 min, 998 steps of 25 s; 10 evaluations on top"


@pytest.mark.parametrize(("done", "evaluations"), [(0, 10), (99, 10), (100, 9), (950, 1), (999, 1), (1000, 0)])
def test_a_resumed_run_counts_what_is_left(done: int, evaluations: int) -> None:
    left = watch()
    for _ in range(3):
        left.stepped(1.0)
    left.evaluated(50.0)
    assert left.seconds(done) == (1000 - done) + 50.0 * evaluations


@pytest.mark.parametrize(("period", "evaluates", "evaluations"), [(0, True, 1), (300, True, 4), (100, False, 0)])
def test_evaluations_are_those_of_the_plan(period: int, evaluates: bool, evaluations: int) -> None:
    left = watch(eval_period=period, evaluates=evaluates)
    left.stepped(1.0)
    left.stepped(0.0)
    left.evaluated(1.0)
    assert left.seconds(2) == evaluations
    planned = [i for i in range(3, 1001) if left.plan.evaluates_at(i)] if evaluates else []
    assert len(planned) == evaluations


def test_recent_steps_decide() -> None:
    left = watch()
    for seconds in [1.0] * 100 + [3.0] * 50:
        left.stepped(seconds)
    assert left.seconds(999) == pytest.approx(3.0)


def test_a_run_of_a_moment_is_not_talked_about() -> None:
    left = watch(max_iter=20)
    for step in range(1, 21):
        left.stepped(0.01)
        assert left.news(step) is None
    assert left.seconds(20) == 0
