"""``dsct data check`` on damaged copies of every layout: a table of damage and finding."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.commands import data
from tests.reliability.layouts import LAYOUTS, Layout

Damage = Callable[[Path, Layout], None]
JSON = [name for name, layout in LAYOUTS.items() if layout.annotations.endswith(".json")]
LINES = ["CAER-S, lines", "ExpW"]


def _picture(change: Callable[[Path], Any]) -> Damage:
    return lambda root, layout: change(root / layout.picture)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _resized(path: Path) -> None:
    with Image.open(path) as image:
        image.resize((image.width // 2, image.height // 2)).save(path)


def _outwards(path: Path) -> None:
    place = path.parents[3] / "elsewhere.png"
    shutil.move(path, place)
    path.symlink_to(place)


PICTURES: dict[str, tuple[Damage, str]] = {
    "a picture is gone": (_picture(lambda path: path.unlink()), "missing_images"),
    "a picture is cut short": (_picture(_cut), "unreadable_images"),
    "a picture is empty": (_picture(lambda path: path.write_bytes(b"")), "unreadable_images"),
    "a picture is a web page": (_picture(lambda path: path.write_text("<html>")), "unreadable_images"),
    "a picture is a link to elsewhere": (_picture(_outwards), "outside_images"),
    "a picture is a link to nothing": (
        _picture(lambda path: (path.unlink(), path.symlink_to("gone"))),
        "missing_images",
    ),
}


def _annotations(change: Callable[[Path], Any]) -> Damage:
    return lambda root, layout: change(root / layout.annotations)


def _content(change: Callable[[dict[str, Any]], Any]) -> Damage:
    def damage(root: Path, layout: Layout) -> None:
        content = json.loads((root / layout.annotations).read_text())
        change(content)
        (root / layout.annotations).write_text(json.dumps(content))

    return damage


def _lines(change: Callable[[list[str]], list[str]]) -> Damage:
    def damage(root: Path, layout: Layout) -> None:
        path = root / layout.annotations
        path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")

    return damage


FILES: dict[str, tuple[Damage, str]] = {
    "the file is cut short": (
        _annotations(lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 10 + 3])),
        "complete|readable|copy|fields|separate|Expected|expects",
    ),
    "the file is empty": (_annotations(lambda path: path.write_bytes(b"")), "empty|readable"),
    "the file is a web page": (_annotations(lambda path: path.write_text("<html></html>")), "web page|not a readable"),
    "the file is gone": (
        _annotations(lambda path: path.unlink()),
        "no known data set|no annotations|no face boxes|[Ll]ooked for|not there|ExpW: no",
    ),
    "the file is a folder": (
        _annotations(lambda path: (path.unlink(), path.mkdir())),
        "no known data set|[Ll]ooked for|folder",
    ),
    "the file is zipped": (_annotations(lambda path: path.write_bytes(b"PK\x03\x04" + bytes(99))), "zip|readable"),
}
VALUES: dict[str, tuple[Damage, str]] = {
    "a box has no area": (_content(lambda c: c["annotations"][0].update(bbox=[5, 5, 0, 0])), "empty_boxes"),
    "a box is NaN": (_content(lambda c: c["annotations"][0].update(bbox=[5, 5, float("nan"), 9])), "non_finite_boxes"),
    "a box leaves the picture": (_content(lambda c: c["annotations"][0].update(bbox=[-3, -3, 30, 30])), "clamped_boxes"),  # noqa: E501
    "a person is listed twice": (_content(lambda c: c["annotations"].append({**c["annotations"][0], "id": 999})), "repeated_people"),  # noqa: E501
    "a person is a crowd": (_content(lambda c: c["annotations"][0].update(iscrowd=1)), "crowd_boxes"),
    "a picture is listed twice": (
        _content(lambda c: c["images"].append({**c["images"][0], "id": 998})), "repeated_images",
    ),
    "a name in other letters": (
        _content(lambda c: c["images"][0].update(file_name=c["images"][0]["file_name"].upper())), "respelled_names|missing_images",  # noqa: E501
    ),
    "an id is given twice": (_content(lambda c: c["images"].append(dict(c["images"][1], id=c["images"][0]["id"]))), "twice"),  # noqa: E501
    "a box for no picture": (_content(lambda c: c["annotations"][0].update(image_id=12345)), "not among the images"),
    "a box of three numbers": (_content(lambda c: c["annotations"][0].update(bbox=[1, 2, 3])), "four numbers"),
    "a box is text": (_content(lambda c: c["annotations"][0].update(bbox="left")), "four numbers"),
    "boxes are fractions": (
        _content(lambda c: [each.update(bbox=[0.1, 0.1, 0.5, 0.5]) for each in c["annotations"]]), "fractions of the picture",  # noqa: E501
    ),
    "a label is nothing known": (_content(lambda c: c["annotations"][0].update(category_id="bored")), "bored|category_id"),  # noqa: E501
    "a label is null": (_content(lambda c: c["annotations"][0].update(category_id=None)), "category"),
    "a size is another": (
        _content(lambda c: [each.update(width=7, height=5) for each in c["images"]]), "sizes are not those|unreadable_images",  # noqa: E501
    ),
    "a list is an object": (_content(lambda c: c.update(images={})), "list under 'images'"),
    "annotations are absent": (_content(lambda c: c.pop("annotations")), "list under 'annotations'"),
}  # fmt: skip
WORDS: dict[str, tuple[Damage, str]] = {
    "a line lacks a field": (_lines(lambda lines: [_without_last(lines[0]), *lines[1:]]), "fields|unknown"),
    "a number is a word": (_lines(lambda lines: [_other(lines[0], 3, "left"), *lines[1:]]), "not a number"),
    "a label is unknown": (_lines(lambda lines: [_label(lines[0]), *lines[1:]]), "unknown"),
    "a line is repeated": (_lines(lambda lines: [lines[0], *lines]), "repeated_people"),
    "a box is turned over": (_lines(lambda lines: [_empty_box(lines[0]), *lines[1:]]), "empty_boxes"),
}


def _separator(line: str) -> str:
    return "," if "," in line else " "


def _without_last(line: str) -> str:
    return _separator(line).join(line.split(_separator(line))[:-1])


def _other(line: str, place: int, word: str) -> str:
    words = line.split(_separator(line))
    return _separator(line).join([*words[:place], word, *words[place + 1 :]])


def _label(line: str) -> str:
    return _other(line, 1 if "," in line else 7, "bored")


def _empty_box(line: str) -> str:
    """The right side where the left one is."""
    words = line.split(_separator(line))
    left, right = (2, 4) if "," in line else (3, 4)
    return _other(line, right, words[left])


_OWN_LABELS = ("COCO-style", "a label is nothing known")  # there the file says what is known

CASES = [
    *((name, damage, *entry) for name in LAYOUTS for damage, entry in {**PICTURES, **FILES}.items()),
    *((name, damage, *entry) for name in JSON for damage, entry in VALUES.items() if (name, damage) != _OWN_LABELS),
    *((name, damage, *entry) for name in LINES for damage, entry in WORDS.items()),
]


def checked(root: Path, layout: Layout, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any], str]:
    """Exit status, the findings of the split, and all that was said."""
    out = root.parent / "found.json"
    out.unlink(missing_ok=True)
    words = ["check", "--root", str(root), "--format", layout.card, "--splits", "train", "--json", str(out)]
    words += ["--boxes", str(layout.options["boxes"])] if "boxes" in layout.options else []
    words += ["--annotations", "{split}.txt"] if layout.annotations == "train.txt" else []
    status = data(words)
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    found = json.loads(out.read_text()) if out.is_file() else {"splits": {}, "failures": {}}
    splits = [split["report"]["counts"] for split in found["splits"].values()]
    counts = {finding: sum(each.get(finding, 0) for each in splits) for each in splits for finding in each}
    return status, counts, f"{said.out}\n{said.err}\n{found['failures']}"


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_originals(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layout = LAYOUTS[name]
    status, counts, said = checked(layout.made(tmp_path / "a" / "data"), layout, capsys)
    golden = {"CAER-S, lines": {"missing_images": 1, "clamped_boxes": 2}}.get(name)
    assert status == (1 if golden else 0), said
    assert golden is None or counts == golden


@pytest.mark.parametrize(
    ("name", "damage", "spoil", "finding"), CASES, ids=[f"{name}: {damage}" for name, damage, *_ in CASES]
)
def test_damage_is_found(
    name: str, damage: str, spoil: Damage, finding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the name of the finding in the report, or by a sentence; and never by a traceback."""
    layout = LAYOUTS[name]
    root = layout.made(tmp_path / "a" / "data")
    _, before, _ = checked(root, layout, capsys)
    spoil(root, layout)
    status, counts, said = checked(root, layout, capsys)
    grown = any(counts.get(each, 0) > before.get(each, 0) for each in finding.split("|"))
    assert grown or re.search(finding, said), f"{status}: {counts}\n{said}"
    mended = ("empty_boxes", "non_finite_boxes", "clamped_boxes", "crowd_boxes", "respelled_names|missing_images")
    if finding not in mended:
        assert status != 0, "somebody should look at it"
