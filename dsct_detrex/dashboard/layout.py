"""What the dashboard shows, in the order of a researcher's questions: which host is best, did the trainings go well,
where does a host fail (number of people, emotion, pictures), and what does it cost.
"""

from __future__ import annotations

from dsct_detrex.cli.dashboard import CELL as CELL
from dsct_detrex.cli.dashboard import HOST as HOST
from dsct_detrex.dashboard.panels import Bars, Dashboard, Lines, Range, Section, Table, Text
from dsct_detrex.data.catalogue import title_of
from dsct_detrex.evaluation.formatting import people_group
from dsct_detrex.evaluation.metrics import COUNT_GROUPS
from dsct_detrex.evaluation.report import primary_metric
from dsct_detrex.structures import Emotions

_WORDS = {"acc": "Accuracy", "mAP": "mAP"}
_SHARE: Range = (0, 1)
_FROM_ZERO: Range = (0, None)
_SMOOTHING = 0.6  # losses are means over log_period already


def make_dashboard(emotions: Emotions, project: str, sweep: str | None = None, group_by: str = HOST) -> Dashboard:
    """The dashboard of one kind of emotions.

    Args:
        project: names the dashboard where no sweep does.
        sweep: name of a sweep, which is the W&B group of its runs; None shows those of the whole project.
        group_by: key of the config that sets the lines and bars apart, or ``CELL``.
    """
    metric = primary_metric(emotions)
    rows = "host" if group_by == HOST else group_by
    return Dashboard(
        title=f"{sweep or project}, emotions of {title_of(emotions.name)}",
        sections=(
            _result(metric, rows),
            _training(metric, rows),
            _by_people(metric),
            _by_emotion(emotions),
            Section("Predictions", (Table("predictions"), Table("per_class_AP")), columns=1),
            _cost(rows),
        ),
        emotions=emotions.name,
        group=sweep,
        group_by=group_by,
        columns=(f"emotion/{metric}", "bbox/recall50", "time"),
    )


def _result(metric: str, rows: str) -> Section:
    """The paper's table, as bars."""
    explanation = (
        f"A bar or line is the mean of all runs with the same {rows} (seeds), with their standard deviation.\n\n"
        "Bars show the **last** value of each run. The runs of a sweep are evaluated once, with their last weights, "
        "on the test split; other runs on the split that their config names.\n\n"
        "*People found* is the share of annotated people with a predicted box of IoU at least 0.5. All shares are "
        "fractions of 1."
    )
    panels = (
        Bars(f"{_WORDS[metric]} by {rows}", (f"emotion/{metric}",), _WORDS[metric], _SHARE),
        Bars(f"People found by {rows}", ("bbox/recall50",), "share of people, IoU >= 0.5", _SHARE),
        Text(explanation),
    )
    return Section(f"{_WORDS[metric]} by {rows}", panels, open=True)


def _training(metric: str, rows: str) -> Section:
    """Evaluations over epochs and the optimizer's numbers over iterations, as ``WandbLogger`` defines their steps."""
    panels = (
        Lines(_WORDS[metric], f"emotion/{metric}", "epoch", _WORDS[metric], _FROM_ZERO),
        Lines("People found", "bbox/recall50", "epoch", "share of people, IoU >= 0.5", _FROM_ZERO),
        _curve("Total loss", "total_loss"),
        _curve("Emotion loss, last layer", "loss_class"),
        _curve("Box loss (L1), last layer", "loss_bbox"),
        _curve("Box loss (GIoU), last layer", "loss_giou"),
        Lines("Learning rate", "lr", "iteration", log=True),
        Lines("Gradient norm before clipping", "grad_norm", "iteration", smoothing=_SMOOTHING, log=True),
    )
    return Section(f"Training by {rows}", panels, open=True, columns=4)


def _curve(title: str, loss: str) -> Lines:
    return Lines(title, loss, "iteration", "weighted loss", _FROM_ZERO, _SMOOTHING)


def _by_people(metric: str) -> Section:
    """The paper's Table 4."""
    panels = [
        Bars(f"People in the picture: {people_group(group)}", (f"emotion/{metric}_n{group}",), _WORDS[metric], _SHARE)
        for group, _, _ in COUNT_GROUPS
    ]
    return Section(f"{_WORDS[metric]} by number of people", tuple(panels), columns=len(panels))


def _by_emotion(emotions: Emotions) -> Section:
    panels = tuple(Bars(label, (f"emotion/AP-{label}",), "AP", _SHARE) for label in emotions.names)
    return Section("AP of each emotion", panels, columns=4)


def _cost(rows: str) -> Section:
    panels = (
        Bars(f"Seconds per iteration by {rows}", ("time",), "s", _FROM_ZERO),
        Bars("Highest memory, of the GPU or else of the process", ("gpu_mem_mb", "mem_mb"), "MiB", _FROM_ZERO),
        Lines("Seconds per iteration", "time", "iteration", "s", _FROM_ZERO),
        Lines("Seconds of it waiting for data", "data_time", "iteration", "s", _FROM_ZERO),
    )
    return Section("Cost", panels, columns=4)
