"""The page: self-contained, complete, escaped, the same for the same input."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dsct_detrex.structures import CAER_S, EMOTIC
from dsct_detrex.visualization import (
    RESPONSIBLE_USE,
    Card,
    Figure,
    Gallery,
    Note,
    Picture,
    RunResult,
    Section,
    Table,
    sections,
    write_demo_report,
    write_report,
)
from dsct_detrex.visualization.plots import result_bars
from dsct_detrex.visualization.quantities import duration, millions
from dsct_detrex.visualization.sections.words import sentence

from .fabricated import REFERENCES, context_map, explanation, fusion, ground, run_result

NOTES = {"Command": "python scripts/demo.py --seed 1", "Device": "CPU"}
RUNS = [run_result("DSCT", CAER_S, 10), run_result("Without context", CAER_S, 3)]


class Page(HTMLParser):
    """Collects tags with their attributes, ids and text, and checks that every tag is closed."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.source = path.read_text("utf-8")
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += " " + data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Page:
    pictures = [Picture(ground(64, 48), f"Scene {k}") for k in range(12)]
    path = tmp_path_factory.mktemp("report") / "new" / "demo.html"
    assert write_demo_report(path, RUNS, pictures, REFERENCES, NOTES) == path
    return Page(path)


def test_nothing_is_fetched(demo: Page) -> None:
    for _, attributes in demo.tags:
        for name in ("src", "href", "xlink:href", "srcset", "data", "action"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/", "#"))
    assert not demo.all("script")
    assert not demo.all("link")
    assert not demo.all("iframe")
    assert "@import" not in demo.source
    assert "@font-face" not in demo.source
    assert not re.search(r"url\((?!#)", demo.source)
    assert "<metadata" not in demo.source


def test_every_figure_and_picture_is_there_and_described(demo: Page) -> None:
    assert len(demo.all("svg")) == 6
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in demo.all("svg"))
    assert len(demo.all("img")) == 12
    assert all(image["alt"] for image in demo.all("img"))
    assert demo.all("html")[0]["lang"] == "en"


def test_sections_are_there_and_linked(demo: Page) -> None:
    keys = ["results", "learning", "emotions", "people", "pictures", "settings", "use"]
    assert [section["id"] for section in demo.all("section")] == keys
    assert [link["href"] for link in demo.all("a")] == [f"#{key}" for key in keys]
    assert all(
        table.get("aria-labelledby") or (table.get("class") or "").startswith("text") for table in demo.all("table")
    )


def test_every_tag_is_closed_and_every_id_is_unique_and_found(demo: Page) -> None:
    assert demo.open == []
    ids = [attributes["id"] for _, attributes in demo.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    used = re.findall(r'(?:href="|url\(|aria-labelledby=")#?([\w-]+)', demo.source)
    assert {name for name in used if not name.startswith("data")} <= set(ids)


def test_the_numbers_of_every_run_reference_and_setting_are_on_the_page(demo: Page) -> None:
    text = " ".join(demo.text.split())
    right = [run.report["metrics"]["acc"] for run in RUNS]
    assert (
        f"DSCT reads the emotion of {100 * right[0]:.1f} % of the people right. "
        f"Without context: {100 * right[1]:.1f} %. Chance: 14.3 %."
    ) in text
    for expected in (
        "57.1 %",
        "83.0 %",
        "96.2 %",
        "8.4 M",
        "12 min 35 s",
        "Paper protocol: NMS (IoU > 0.5)",
        *NOTES.values(),
    ):
        assert expected in text
    shown = [round(100 * value, 1) for value in right]
    assert f"{shown[0] - shown[1]:.1f} points less than DSCT" in text
    assert "torch 2." in text
    assert "synthetic, paper protocol" in text
    assert all(paragraph in text for paragraph in RESPONSIBLE_USE)
    assert "nan" not in text.lower().split()
    assert "None" not in text


def test_light_and_dark_readers_both_get_readable_plots(demo: Page) -> None:
    assert "prefers-color-scheme: dark" in demo.source
    after_style = demo.source.split("</style>", 1)[1]
    assert "#1c2431" not in after_style
    assert "var(--ink)" in after_style


def test_the_same_input_gives_the_same_page(tmp_path: Path) -> None:
    pages = [
        write_demo_report(tmp_path / f"{k}.html", RUNS, [], REFERENCES, NOTES).read_text("utf-8") for k in range(2)
    ]
    assert pages[0] == pages[1]


def test_several_emotions_are_led_by_map_and_have_no_confusion(tmp_path: Path) -> None:
    run = run_result("DSCT", EMOTIC, 4)
    page = Page(write_demo_report(tmp_path / "emotic.html", [run], [], {}, {}))
    text = " ".join(page.text.split())
    assert f"DSCT reaches {100 * run.report['metrics']['mAP']:.1f} % mAP." in text
    assert len(page.all("svg")) == 5
    assert "Confusion of" not in text
    assert "what is right" in text, "of the table of emotions that go together"
    assert "Top emotion right" in text
    assert "Doubt/Confusion" in text
    assert "pictures" not in [section["id"] for section in page.all("section")]


def test_runs_of_different_protocols_are_not_compared(tmp_path: Path) -> None:
    other = RunResult("Other", {**RUNS[1].report, "protocol": {"name": "official", "sentence": "official"}}, [], 1, 1.0)
    with pytest.raises(ValueError, match="expects runs of one protocol"):
        write_demo_report(tmp_path / "x.html", [RUNS[0], other], [], {}, {})
    with pytest.raises(ValueError, match="expects runs of one protocol"):
        write_demo_report(tmp_path / "x.html", [], [], {}, {})


def test_warnings_of_the_evaluation_reach_the_page(tmp_path: Path) -> None:
    run = RunResult("DSCT", {**RUNS[0].report, "warnings": ["Beware of leaks."]}, RUNS[0].history, 1, 1.0)
    page = Page(write_demo_report(tmp_path / "warned.html", [run], [], {}, {}))
    assert "Beware of leaks." in page.text
    page = Page(write_demo_report(tmp_path / "both.html", [run, RUNS[1]], [], {}, {}))
    assert "DSCT: Beware of leaks." in page.text


def test_the_page_says_what_its_numbers_stand_on(tmp_path: Path) -> None:
    report = RUNS[0].report
    dataset = {
        **report["dataset"],
        "split": "test",
        "coverage": "2 of 4 images",
        "description": "head boxes from x.json",
    }
    run = RunResult("DSCT", {**report, "dataset": dataset}, RUNS[0].history, 1, 1.0)
    page = Page(write_demo_report(tmp_path / "part.html", [run, RUNS[1]], [], {}, {}))
    people = report["counts"]["people"]
    assert f"synthetic, test split: {people} people in 2 of 4 images, head boxes from x.json." in page.text
    assert "synthetic, paper protocol (2 of 4 images)" in page.text, "under the number at the top"
    assert "right (2 of 4 images). Without context" in " ".join(page.text.split()), "in the first line"
    assert page.text.count("DSCT (2 of 4 images)") >= 4, "in plots, tables and captions"
    assert "Without context (2 of 4" not in page.text
    assert "Strict accuracy" in page.text
    assert "Box AP50" in page.text


def test_words_are_escaped_and_every_block_is_shown(tmp_path: Path) -> None:
    sections = [
        Section(
            "one",
            "Title <b>",
            [
                Figure(result_bars({"a & b": 0.5}, {}), alt='say "half"', caption="caption <i>"),
                Table(("k", "v"), [("<script>", "1 < 2")], caption="table"),
                Gallery([Picture(ground(8, 8), "<img>", alt="grey")]),
                Note(["note & more"]),
            ],
        )
    ]
    page = Page(write_report(tmp_path / "page.html", "T <x>", "first & only", sections, [Card("label", "1 %")]))
    assert not page.all("script")
    assert not page.all("b")
    for words in ("T <x>", "first & only", "Title <b>", "caption <i>", "1 < 2", "<img>", "note & more", "1 %", "a & b"):
        assert words in page.text
    assert page.all("svg")[0]["aria-label"] == 'say "half"'
    assert page.all("img")[0]["alt"] == "grey"


@pytest.mark.parametrize(
    ("seconds", "text"), [(9.4, "9 s"), (75, "1 min 15 s"), (3600, "1 h 0 min"), (7380, "2 h 3 min")]
)
def testduration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def testmillions() -> None:
    assert millions(41_300_000) == "41.3 M"
    assert millions(64_200) == "64 k"


def testsentence() -> None:
    assert sentence("scenes of the test split") == "Scenes of the test split."
    assert sentence("Generated scenes.") == "Generated scenes."
    assert sentence("") == ""
    assert sentence("mAP counts") == "mAP counts."


def test_a_demo_shows_what_its_models_look_at(tmp_path: Path) -> None:
    told = explanation("DSCT", "Without context", blind=("Without context",))
    section = sections.explanation(told, told["causes"], context_map())
    page = Page(write_demo_report(tmp_path / "told.html", RUNS, [], REFERENCES, NOTES, explanation=section))
    assert "Is the explanation right?" in page.text
    assert "Without context takes in no contexts." in page.text
    assert (
        "Measured on 4 unseen scenes (DSCT: 9 of 10 people found, Without context: 9 of 10 people found)." in page.text
    )
    alts = " ".join(tag["aria-label"] or "" for tag in page.all("svg"))
    assert "DSCT own object 50.0 %, place 20.0 %, nothing 30.0 %" in alts
    assert "Without context own object -10.0 points, place -10.0 points" in alts
    assert sections.explanation({"groups": [], "checkpoints": []}, (), None) is None


def test_a_demo_shows_what_fusion_does(tmp_path: Path) -> None:
    section = sections.fusion(fusion("DSCT", "Without context", blind=("Without context",)))
    page = Page(write_demo_report(tmp_path / "told.html", RUNS, [], REFERENCES, NOTES, fusion=section))
    assert "What fusion does" in page.text
    assert "Without context has no layer that fuses." in page.text
    assert "Measured on 4 unseen pictures (DSCT: 9 of 10 people found)." in page.text
    alts = " ".join(tag["aria-label"] or "" for tag in page.all("svg"))
    assert "DSCT layer 1 largest weight 0.90 and 1.2 contexts in effect and cosine 0.50" in alts
    assert sections.fusion(fusion("a", blind=("a",))) is None
