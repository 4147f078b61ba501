"""A report as tables for the terminal; the protocol's name stands in the title of every table."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from dsct_detrex.evaluation.formatting import between, measured_on, on_part, people_group, percent, whole
from dsct_detrex.evaluation.report import Report

_METRIC_NAMES = {
    "acc": "accuracy",
    "mAP": "mAP",
    "acc_any": "accuracy, any annotated emotion",
    "recall50": "people found (IoU >= 0.5)",
    "mean_iou": "mean IoU of the boxes",
    "AP": "box AP (COCO)",
    "AP50": "box AP50 (COCO)",
    "AP75": "box AP75 (COCO)",
}


def report_tables(report: Report) -> RenderableType:
    """The report for ``rich.print``: summary, AP per emotion, tables by people per image
    and, where the data set names them, by gender and age; warnings."""
    heading = Text(f"{measured_on(report)}\n{report['protocol']['sentence']}")
    warnings = [Text(f"Note: {sentence}", style="yellow") for sentence in report["warnings"]]
    parts = (*_summary(report), *warnings, *_per_class(report), *_by_count(report), *_groups(report))
    return Group(heading, *parts)


def format_report(report: Report, width: int = 100) -> str:
    """The same tables as plain text, for log files."""
    console = Console(file=StringIO(), width=width, color_system=None, force_terminal=False)
    console.print(report_tables(report))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def _titled(title: str, report: Report, *columns: str) -> tuple[Text, Table]:
    """A table under a title of its own line, so that a narrow table never breaks the protocol's name, and with it the
    images it stands on, where these are not all."""
    table = Table()
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right", overflow="fold")
    return Text(f"\n{title} · {report['protocol']['name']} protocol{on_part(report)}", style="bold"), table


def _summary(report: Report) -> tuple[Text, Table]:
    """The primary metric first, its references right under it, then the rest."""
    title, table = _titled("Result", report, "metric", "value")
    primary = report["primary_metric"]
    order = [primary, *(name for name in _METRIC_NAMES if name != primary and name in report["metrics"])]
    for name in order:
        text = _METRIC_NAMES[name]
        if name == "acc" and report["emotions"]["multi_label"]:
            text = "accuracy, lowest-index annotated emotion"
        table.add_row(text, percent(report["metrics"][name]), style="bold" if name == primary else "")
        if name == primary:
            strict = report["strict"]
            table.add_row("  under the strict protocol", percent(strict[primary]))
            for reference, value in report["references"].items():
                table.add_row(f"  for comparison: {reference.replace('_', ' ')}", percent(value), style="dim")
    calibration = report["calibration"]
    text = f"calibration error (ECE), temperature {calibration['temperature']:.3g}"
    table.add_row(text, percent(calibration["ECE"]))
    return title, table


def _per_class(report: Report) -> tuple[Text, Table]:
    title, table = _titled("AP per emotion", report, "emotion", "people", "AP")
    for row in report["per_class"]:
        table.add_row(row["label"], whole(row["people"]), percent(row["AP"]))
    return title, table


def _by_count(report: Report) -> tuple[Text, Table]:
    columns = ("people per image", "images", "people", "emotions shown", "accuracy", "mAP")
    title, table = _titled("By people per image", report, *columns)
    for row in report["by_count"]:
        numbers = (whole(row["images"]), whole(row["people"]), whole(row["classes"]))
        table.add_row(people_group(row["group"]), *numbers, percent(row["acc"]), percent(row["mAP"]))
    return title, table


def _groups(report: Report) -> Iterator[RenderableType]:
    """Scores with their intervals; accuracy where people show one emotion, mAP where they show several."""
    name = report["primary_metric"]
    words = ("mAP", "chance") if name == "mAP" else ("accuracy",)
    for attribute in report["groups"]:
        title = f"By {attribute['attribute']}"
        columns = (attribute["attribute"], "images", "people", "emotions shown", words[0], "95 % interval", *words[1:])
        heading, table = _titled(title, report, *columns)
        for row in attribute["rows"]:
            numbers = (whole(row["images"]), whole(row["people"]), whole(row["classes"]))
            scores = (percent(row[name]), row["note"] or between(row[f"{name}_interval"]))
            table.add_row(row["group"], *numbers, *scores, *(percent(row[word]) for word in words[1:]))
        yield from (heading, table)
        if attribute["unnamed"]:
            yield Text(f"of {whole(attribute['unnamed'])} people it is not said", style="dim")
