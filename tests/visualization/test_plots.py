"""Plots: valid files, equal for equal data, that say the numbers they were given."""

import builtins
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from dsct_detrex.errors import UserError
from dsct_detrex.structures import CAER_S, EMOTIC
from dsct_detrex.visualization import plots

from .fabricated import REFERENCES, history, report

REPORTS = {"DSCT": report(CAER_S, 10), "Without context": report(CAER_S, 3)}
HISTORIES = {name: history("acc", r["metrics"]["acc"]) for name, r in REPORTS.items()}
RESULTS = {name: r["metrics"]["acc"] for name, r in REPORTS.items()}
MAKERS: dict[str, Callable[..., bytes]] = {
    "learning": lambda **kind: plots.learning_curves(HISTORIES, "acc", REFERENCES, **kind),
    "results": lambda **kind: plots.result_bars(RESULTS, REFERENCES, "acc", **kind),
    "classes": lambda **kind: plots.per_class_bars(REPORTS, **kind),
    "confusion": lambda **kind: plots.confusion_heatmap(REPORTS["DSCT"], **kind),
    "people": lambda **kind: plots.by_count_bars(REPORTS, "acc", **kind),
}


def words(svg: bytes) -> list[str]:
    return ["".join(node.itertext()).strip() for node in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("name", MAKERS)
def test_svg_is_well_formed_and_equal_for_equal_data(name: str) -> None:
    first = MAKERS[name]()
    assert ET.fromstring(first).tag.endswith("svg")
    assert first == MAKERS[name]()


def test_png_is_an_opaque_picture() -> None:
    from io import BytesIO

    picture = Image.open(BytesIO(MAKERS["results"](file_format="png")))
    assert picture.format == "PNG"
    assert picture.convert("RGBA").getpixel((2, 2)) == (255, 255, 255, 255)


def test_result_bars_write_every_value_and_every_reference() -> None:
    text = words(plots.result_bars({"DSCT": 0.713, "Tiny": 0.04}, REFERENCES, "acc"))
    expected = ["71.3 %", "4.0 %", "DSCT", "Tiny", "Chance 14.3 %", "Exact bound: whole scene 96.2 %", "Accuracy"]
    assert set(expected) <= set(text)


def test_learning_curves_name_runs_references_and_metric() -> None:
    text = words(plots.learning_curves({"DSCT": history("mAP", 0.4)}, "mAP", {"chance": 0.12}))
    assert {"DSCT", "Training loss", "mAP on the evaluation set", "Chance"} <= set(text)


def test_learning_curves_of_a_run_that_was_never_evaluated() -> None:
    rows = [row for row in history("acc", 0.5) if "total_loss" in row]
    assert "Training loss" in words(plots.learning_curves({"DSCT": rows}))
    assert "Training loss" in words(plots.learning_curves({"DSCT": []}))


def test_smoothing_keeps_the_ends_and_a_straight_line() -> None:
    line = [(float(x), 2.0 * x) for x in range(20)]
    assert plots._smoothed(line) == line
    spike = [(float(x), 9.0 if x == 10 else 0.0) for x in range(20)]
    assert plots._smoothed(spike)[10] == (10.0, 1.0)


def test_confusion_writes_row_percentages_and_leaves_26_classes_unwritten() -> None:
    made = {
        **REPORTS["DSCT"],
        "confusion": {"matrix": [[3, 1, 0, 0, 0, 0, 0]] + [[0] * 7] * 6, "missed": [4] + [0] * 6},
    }
    text = words(plots.confusion_heatmap(made))
    assert text.count("38") == 1  # 3 of 8, the four missed people included
    assert text.count("12") == 1
    assert not any(re.fullmatch(r"\d+", word) for word in words(plots.confusion_heatmap(report(EMOTIC, 5))))


def test_classes_and_groups_that_nobody_shows_are_left_out_or_empty() -> None:
    made = report(CAER_S, 4, images=2)  # three people: three classes, groups of one and two
    assert made["per_class"][6]["AP"] is None
    assert "Surprise (0)" in words(plots.per_class_bars({"DSCT": made}))
    people = words(plots.by_count_bars({"DSCT": made}))
    assert any(word.startswith("1") for word in people)
    assert not any(word.startswith("5 or more") for word in people)


def test_without_matplotlib_the_user_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UserError, match=r"Plots need matplotlib.*pip install 'dsct-detrex\[plots\]'"):
        MAKERS["results"]()


def test_no_global_setting_of_matplotlib_changes() -> None:
    import matplotlib

    with matplotlib.rc_context({"font.size": 13, "axes.titlelocation": "center"}):
        before = dict(matplotlib.rcParams)
        MAKERS["people"]()
        assert dict(matplotlib.rcParams) == before
