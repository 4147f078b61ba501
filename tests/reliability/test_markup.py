"""Text from data is text in every page: names of emotions, pictures and data sets that are written as markup."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from dsct_detrex.prediction import notebook
from dsct_detrex.structures import MultiClassEmotions, Person
from dsct_detrex.visualization.blocks import Card, Details, Figure, Gallery, Note, Picture, Section, Table
from dsct_detrex.visualization.plots.matrices import confusion_heatmap
from dsct_detrex.visualization.report import write_report
from dsct_detrex.web import bars, words
from tests.visualization import fabricated

EVIL = "<script>alert(1)</script>"
NAMES = (EVIL, "\"'><img src=x onerror=alert(2)>", "$\\frac$", "a_b^c $x$", "]]><!--", "=cmd()", "javascript:alert(3)")
_RUNS = ("script", "iframe", "object", "embed", "foreignobject", "base", "form")
_ADDRESSES = ("javascript:", "data:text/html", "vbscript:")


class Dangers(HTMLParser):
    """Elements and attributes that would run something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _RUNS or (tag == "meta" and "http-equiv" in dict(attrs)):
            self.found.append(tag)
        for name, value in attrs:
            leads = name in ("href", "src", "action", "formaction", "data", "xlink:href")
            if name.startswith("on") or (leads and (value or "").strip().lower().startswith(_ADDRESSES)):
                self.found.append(f"{tag} {name}={value}")


def dangers(page: str) -> list[str]:
    parser = Dangers()
    parser.feed(page)
    parser.close()
    return parser.found


def test_the_parser_notices() -> None:
    assert dangers(f"<p>{EVIL}</p>") == ["script"]
    assert dangers(f'<p title="{NAMES[1]}">') == ["img onerror=alert(2)"]
    assert dangers('<a href="javascript:x">') == ["a href=javascript:x"]


@pytest.mark.parametrize("evil", NAMES)
def test_a_report_shows_text_as_text(evil: str, tmp_path: Path) -> None:
    square, svg = Image.new("RGB", (8, 8)), b'<svg width="72pt" height="72pt"><g id="a"/></svg>'
    blocks = [
        Table([evil, "b"], [[evil, evil]], caption=evil, text=True),
        Gallery([Picture(square, evil, evil), Picture(square, evil)], title=evil),
        Note([evil]),
        Details(evil, evil),
        Figure(svg, alt=evil, caption=evil),
    ]
    sections = [Section("key", evil, blocks, lead=evil)]
    text = write_report(tmp_path / "a.html", evil, evil, sections, [Card(evil, evil, evil)]).read_text()
    assert dangers(text) == []
    assert EVIL not in text


def test_plots_draw_names_as_they_are(tmp_path: Path) -> None:
    """Neither markup nor formulas: ``$`` is a letter of a name."""
    emotions = MultiClassEmotions("evil", NAMES)
    svg = confusion_heatmap(fabricated.report(emotions, wrong_every=3))
    text = write_report(tmp_path / "a.html", "t", "l", [Section("key", "s", [Figure(svg, alt="x")])], []).read_text()
    assert dangers(text) == []
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "$\\frac$" in text


def person() -> Person:
    return Person((0.0, 0.0, 1.0, 1.0), 0.5, NAMES, dict.fromkeys(NAMES, 0.5))


def test_the_web_page_shows_text_as_text() -> None:
    page = bars.bars_html(person(), "#ffffff", (0.5,) * len(NAMES)) + words.notice(EVIL, wrong=True)
    assert dangers(page) == []
    assert EVIL not in page


def test_a_notebook_shows_text_as_text() -> None:
    row = {"file": EVIL, "width": 1, "height": 1, "people": [person().to_dict()]}
    page = notebook.html(row, None) + notebook.html({"file": "a", "error": EVIL}, None)
    assert dangers(page) == []
    assert EVIL not in page
