"""The ``train`` block is read key by key, and a wrong value names its key."""

import pytest

from dsct_detrex.engine import TrainSettings
from dsct_detrex.errors import UserError


def test_empty_block_gives_detrex_defaults() -> None:
    settings = TrainSettings.read({})
    assert settings.max_iter == 90000
    assert settings.eval_period == 5000
    assert settings.log_period == 20
    assert settings.clip_grad.params == {"max_norm": 0.1, "norm_type": 2}
    assert not settings.amp.enabled


def test_nested_keys_and_unknown_keys() -> None:
    settings = TrainSettings.read({"amp": {"enabled": True}, "max_epoch": 3, "somebody_elses": {"key": 1}})
    assert settings.amp.enabled
    assert settings.amp.dtype == "bfloat16"
    assert settings.max_epoch == 3


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"max_iter": "many"}, "train.max_iter expects int. Got 'many'."),
        ({"max_iter": True}, "train.max_iter expects int. Got True."),
        ({"max_epoch": "3"}, "train.max_epoch expects float or null. Got '3'."),
        (
            {"amp": {"dtype": "float8"}},
            "train.amp.dtype expects one of bfloat16, float16. Got 'float8'. Did you mean `float16`?",
        ),
        ({"amp": True}, "train.amp expects a block of keys. Got True."),
        ({"report": {"pictures": -1}}, "train.report.pictures expects a number of at least 0. Got -1."),
        ({"accumulate": 0}, "train.accumulate expects a number of at least 1. Got 0."),
        (
            {"checkpointer": {"max_to_keep": -1}},
            "train.checkpointer.max_to_keep expects a number of at least 0. Got -1.",
        ),
        ({"best": {"mode": "up"}}, "train.best.mode expects one of max, min. Got 'up'."),
        ({"max_epoch": 0}, "train.max_epoch expects a positive number of epochs or null. Got 0."),
        ({"model_ema": {"decay": 1.0}}, "train.model_ema.decay expects a number in [0, 1). Got 1.0."),
    ],
)
def test_wrong_values_name_their_key(block: dict[str, object], message: str) -> None:
    with pytest.raises(UserError) as caught:
        TrainSettings.read(block)
    assert str(caught.value) == message
