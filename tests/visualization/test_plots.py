"""Plots: valid files, equal for equal data, that say the numbers they were given."""

import ast
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsct_detrex.evaluation.reliability import reliability
from dsct_detrex.structures import CAER_S, EMOTIC, Emotions
from dsct_detrex.visualization import plots
from dsct_detrex.visualization.plots.learning import smoothed
from dsct_detrex.visualization.style import RUN_COLORS

from .fabricated import REFERENCES, context_map, explanation, fusion, history, report

REPORTS = {"DSCT": report(CAER_S, 10), "Without context": report(CAER_S, 3)}
HISTORIES = {name: history("acc", r["metrics"]["acc"]) for name, r in REPORTS.items()}
VALUES = {name: [row["AP"] for row in r["per_class"]] for name, r in REPORTS.items()}
LABELS = [(row["label"], row["people"]) for row in REPORTS["DSCT"]["per_class"]]
SEVERAL = report(EMOTIC, 5)
GROUPED = {name: report(CAER_S, every, attributes=True) for name, every in (("DSCT", 10), ("Without context", 3))}
RESULTS = {name: r["metrics"]["acc"] for name, r in REPORTS.items()}
MEASURED = {
    when: reliability(
        np.linspace(0.02, high, 60).reshape(30, 2), np.arange(60).reshape(30, 2) % 3 // 2, ["a", "b"], True
    )
    for when, high in (("before", 0.99), ("after", 0.6))
}
EXPLAINED = explanation("looks", "blind", blind=("blind",))
MAKERS: dict[str, Callable[..., bytes]] = {
    "learning": lambda **kind: plots.learning_curves(HISTORIES, "acc", REFERENCES, **kind),
    "results": lambda **kind: plots.result_bars(RESULTS, REFERENCES, "acc", **kind),
    "classes": lambda **kind: plots.emotion_bars(VALUES, LABELS, "average precision", **kind),
    "curves": lambda **kind: plots.precision_recall(REPORTS["DSCT"], **kind),
    "together": lambda **kind: plots.together_heatmaps(SEVERAL, **kind),
    "confusion": lambda **kind: plots.confusion_heatmap(REPORTS["DSCT"], **kind),
    "people": lambda **kind: plots.by_count_bars(REPORTS, "acc", **kind),
    "groups": lambda **kind: plots.group_intervals(GROUPED, "acc", **kind),
    "reliability": lambda file_format="svg": plots.reliability_diagram(MEASURED, True, file_format),
    "shares": lambda **kind: plots.share_bars(EXPLAINED["checkpoints"][:1], EXPLAINED["groups"], **kind),
    "changes": lambda **kind: plots.change_bars(EXPLAINED["checkpoints"], EXPLAINED["causes"], **kind),
    "contexts": lambda **kind: plots.context_picture(context_map(), EXPLAINED["groups"], **kind),
    "explanation": lambda **kind: plots.explanation_sheet(
        EXPLAINED, EXPLAINED["causes"], context_map(), **({"file_format": "svg"} | kind)
    ),
    "fusion": lambda **kind: plots.fusion_sheet(fusion("fuses", "blind", blind=("blind",)), **kind),
}


def words(svg: bytes) -> list[str]:
    return ["".join(node.itertext()).strip() for node in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("name", MAKERS)
def test_svg_is_well_formed_and_equal_for_equal_data(name: str) -> None:
    first = MAKERS[name]()
    assert ET.fromstring(first).tag.endswith("svg")
    assert first == MAKERS[name]()


def test_the_last_bit_of_an_edge_names_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which differs from call to call: products of small matrices are added in another order."""
    from matplotlib.backends.backend_svg import RendererSVG

    made, pictures = RendererSVG._make_id, []
    for last_bit in ("", " and a bit"):
        monkeypatch.setattr(RendererSVG, "_make_id", lambda svg, kind, of, bit=last_bit: made(svg, kind, f"{of}{bit}"))
        pictures.append(re.sub(rb"\bm[0-9a-f]{10}\b", b"m", MAKERS["fusion"]()))  # markers are named by what is written
    assert pictures[0].count(b"<clipPath") > 3
    assert pictures[0] == pictures[1]
    defined, used = (set(re.findall(words, pictures[0])) for words in (rb'<clipPath id="(\w+)"', rb"url\(#(p\w+)\)"))
    assert defined == used


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
    assert {"total", "Training loss", "mAP and people found on the evaluation set", "Chance"} <= set(text)
    text = words(plots.learning_curves(HISTORIES, "acc", {}))
    assert {*HISTORIES, "Accuracy on the evaluation set"} <= set(text)


def test_a_run_alone_shows_the_largest_parts_of_its_loss_and_no_auxiliary_ones() -> None:
    losses = {"total_loss": 9.0, "loss_class": 4.0, "loss_bbox": 1.0, "loss_class_0": 4.0, "loss_dn_giou_1": 9.0}
    text = words(plots.learning_curves({"DSCT": [{"iteration": k, **losses} for k in (1, 2)]}))
    named = [word for word in text if word in ("total", "class", "bbox", "class 0", "dn giou 1")]
    assert named == ["total", "class", "bbox"]


def test_numbers_of_the_weight_average_have_their_prefix() -> None:
    rows = [{"iteration": k, "emotion/acc": 0.1, "ema/emotion/acc": 0.4 + k / 100} for k in range(5)]
    averaged = plots.learning_curves({"DSCT": rows}, prefix="ema/")
    assert averaged != plots.learning_curves({"DSCT": rows})


def test_a_run_that_logged_once_shows_a_point() -> None:
    row = {"iteration": 10, "total_loss": 3.0, "emotion/acc": 0.4}
    (bare,), (pointed,) = [{**row, "total_loss": None}], [row]
    made = [plots.learning_curves({"DSCT": [rows]}, file_format="png") for rows in (bare, pointed)]
    pictures = [Image.open(io.BytesIO(png)).convert("RGB") for png in made]
    losses = [picture.crop((0, 60, picture.width // 2 - 90, picture.height)) for picture in pictures]
    blue = [int((np.asarray(loss) == (0, 114, 178)).all(axis=-1).sum()) for loss in losses]
    assert blue[1] > blue[0] + 10


def test_learning_curves_of_a_run_that_was_never_evaluated() -> None:
    rows = [row for row in history("acc", 0.5) if "total_loss" in row]
    assert "Training loss" in words(plots.learning_curves({"DSCT": rows}))
    assert "Training loss" in words(plots.learning_curves({"DSCT": []}))


def test_smoothing_keeps_the_ends_and_a_straight_line() -> None:
    line = [(float(x), 2.0 * x) for x in range(20)]
    assert smoothed(line) == line
    spike = [(float(x), 9.0 if x == 10 else 0.0) for x in range(20)]
    assert smoothed(spike)[10] == (10.0, 1.0)


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
    labels = [(row["label"], row["people"]) for row in made["per_class"]]
    bars = words(plots.emotion_bars({"DSCT": [row["AP"] for row in made["per_class"]]}, labels, "AP"))
    assert "Surprise (0)" in bars
    assert sum(word.endswith(" %") for word in bars) == 6 + 3, "six marks of the axis, and the three who are there"
    people = words(plots.by_count_bars({"DSCT": made}))
    assert any(word.startswith("1") for word in people)
    assert not any(word.startswith("5 or more") for word in people)


def test_few_emotions_have_a_curve_by_name_and_many_share_one() -> None:
    assert {"Anger", "Surprise", "mean"} <= set(words(plots.precision_recall(REPORTS["DSCT"])))
    assert {"every emotion", "mean"} <= set(words(plots.precision_recall(SEVERAL)))
    assert "Anger" not in words(plots.precision_recall(SEVERAL))


def test_what_goes_together_is_a_share_of_those_who_show_the_row() -> None:
    made = {
        "emotions": {"labels": ["Joy", "Calm"]},
        "together": {"annotated": [[4, 1], [1, 2]], "read": [[3, 2], [0, 2]]},
    }
    text = words(plots.together_heatmaps(made))
    assert [word for word in text if word.isdigit()] == ["100", "25", "50", "100", "75", "50", "0", "100"]


@pytest.mark.parametrize("emotions", [CAER_S, EMOTIC], ids=["one", "several"])
def test_every_plot_of_nobody_is_drawn(emotions: Emotions) -> None:
    made = report(emotions, 1, images=0, empty=1)
    assert made["counts"]["people"] == 0
    plots.confusion_heatmap(made)
    plots.precision_recall(made)
    plots.by_count_bars({"DSCT": made}, made["primary_metric"])
    plots.result_bars({"DSCT": float("nan")}, {}, made["primary_metric"])
    plots.emotion_bars({"DSCT": [None] * emotions.num_emotions}, [(n, 0) for n in emotions.names], "AP")
    if "together" in made:
        plots.together_heatmaps(made)


def test_no_global_setting_of_matplotlib_changes() -> None:
    import matplotlib

    with matplotlib.rc_context({"font.size": 13, "axes.titlelocation": "center"}):
        before = dict(matplotlib.rcParams)
        MAKERS["people"]()
        assert dict(matplotlib.rcParams) == before


def test_matplotlib_waits_until_a_plot_is_made() -> None:
    """No file of the package imports it at its top, so nothing else is slowed by it."""
    package = Path(plots.__file__).parents[2]
    eager = [
        file.name
        for file in package.rglob("*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Import | ast.ImportFrom) and "matplotlib" in ast.unparse(node)
    ]
    assert eager == []


def test_groups_say_how_many_people_and_a_reliability_diagram_its_errors() -> None:
    text = words(plots.group_intervals(GROUPED, "acc"))
    rows = [row for table in GROUPED["DSCT"]["groups"] for row in table["rows"]]
    assert {f"{row['group']} ({row['people']} people)" for row in rows} <= set(text)
    assert {"Age", "Gender", "DSCT", "Without context", "Accuracy"} <= set(text)
    assert [row["group"] for row in rows if row["acc_interval"] is None] == ["Kid"], "drawn as a ring"
    text = words(plots.reliability_diagram(MEASURED, True, "svg"))
    errors = [f"{when}: ECE {100 * one['ECE']:.1f} %" for when, one in MEASURED.items()]
    assert {*errors, "a (10)", "b (10)", "pairs"} <= set(text)
    assert "people" in words(plots.reliability_diagram(MEASURED, False, "svg"))


def test_an_explanation_names_models_groups_and_causes() -> None:
    text = words(MAKERS["explanation"]())
    assert {"looks", "blind", *EXPLAINED["groups"], *EXPLAINED["causes"], "read as Happy 70 %"} <= set(text)
    without = words(plots.explanation_sheet(explanation("blind", blind=("blind",)), ["place"], None, file_format="svg"))
    assert "place" in without
    assert "Share of context weight that lies on ..." not in without


def test_a_fusion_names_measures_layers_and_groups() -> None:
    text = words(plots.fusion_sheet(fusion("one", "two")))
    assert {"Largest weight of a context", "layer 1", "layer 2", "one", "two", "own object", "50", "60"} <= set(text)
    unplaced = fusion("one")
    for layer in unplaced["checkpoints"][0]["layers"]:
        layer["lies_on"] = layer["contexts"] = layer["gradient"] = None
    assert "own object" not in words(plots.fusion_sheet(unplaced))


def test_a_model_has_one_colour_in_both_plots() -> None:
    """Also where one before it takes in no contexts, and so has no bars among the shares."""
    told = explanation("blind", "looks", blind=("blind",))
    shares = plots.share_bars(told["checkpoints"], told["groups"]).decode()
    assert RUN_COLORS[1] in shares
    assert RUN_COLORS[0] not in shares
