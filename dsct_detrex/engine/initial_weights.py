"""``train.init_checkpoint``: the weights a run starts from, or the ones that ``--eval-only`` evaluates."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from dsct_detrex.engine.settings import TrainSettings
from dsct_detrex.errors import UserError
from dsct_detrex.structures import Emotions
from dsct_detrex.weights import LoadReport, load_release_weights, load_weights, read_checkpoint


def load_initial_weights(
    model: nn.Module, settings: TrainSettings, emotions: Emotions | None, eval_only: bool, say: Callable[[str], None]
) -> LoadReport | None:
    """Load ``train.init_checkpoint`` into the model and tell what happened; None without one.

    To start a training, whatever fits is taken. To evaluate, a release must fit completely; of another checkpoint,
    weights that stay random are announced. A ``last.pth`` gives its weight average if
    ``train.model_ema.use_ema_weights_for_eval_only`` says so; a file without one is announced.

    Raises:
        UserError: ``eval_only`` without a checkpoint, or a checkpoint that cannot be read or does not fit.
    """
    path = settings.init_checkpoint
    if not path:
        if eval_only:
            raise UserError(
                "--eval-only evaluates the weights of train.init_checkpoint, which is empty: add "
                "train.init_checkpoint=<file>, e.g. the best.safetensors of a run."
            )
        say("weights: random; train.init_checkpoint is empty.")
        return None
    checkpoint = read_checkpoint(path)
    say(f"weights from {path}")
    average = settings.model_ema.use_ema_weights_for_eval_only
    if eval_only and average and not checkpoint.average:
        say(
            "note: train.model_ema.use_ema_weights_for_eval_only has no effect: no average stands beside these weights."
        )
    if eval_only and checkpoint.kind == "release" and emotions is not None:
        report = load_release_weights(model, checkpoint.extras["release"], emotions)
    else:
        weights = checkpoint.state_dict
        if eval_only and average and checkpoint.average:
            weights = checkpoint.average
            say("the weight average of this checkpoint is used (train.model_ema.use_ema_weights_for_eval_only).")
        report = load_weights(model, weights)
    say(report.summary())
    random = len(report.missing) + len(report.reinitialised)
    if eval_only and random:
        say(f"WARNING: {random} weights are not in the file and stay random: what follows describes no trained model.")
    return report
