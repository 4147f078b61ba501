"""``dsct data boxes``: what it writes is what training reads, and nothing of the user's is replaced."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsct_detrex.cli import data
from dsct_detrex.data import CaerSDataset, headline_of
from dsct_detrex.errors import UserError
from dsct_detrex.faces import command_line
from dsct_detrex.faces.choice import CHOICES
from dsct_detrex.faces.search import search
from tests.faces.conftest import KnownFaces, find_boxes

Write = Callable[[dict[str, "int | bytes"]], Path]
PICTURES: dict[str, int | bytes] = {
    **{f"train/Angry/{n:04d}.png": n % 5 for n in range(1, 11)},
    **{f"train/Happy/{n:04d}, x.png": 1 for n in range(1, 4)},
    **{f"test/Anger/{n:04d}.png": n for n in range(4)},
    "test/Happy/0001.png": b"broken",
}
RESULTS = ["boxes.json", "boxes.png", "faces.jsonl", "left_out.csv", "test.txt", "train.txt", "val.txt"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_training_reads_it_with_nothing_to_mend(caer: Write, detector: KnownFaces) -> None:
    root = caer(PICTURES)
    assert find_boxes(root) == 1, "one picture is broken"
    people = {}
    for split in ("train", "val", "test"):
        dataset = CaerSDataset(str(root), split)
        assert dataset.report.counts == {}
        records = [dataset.record(index) for index in range(len(dataset))]
        people[split] = {record["file_name"]: record["annotations"] for record in records}
        assert all(dataset.load_image(index).size == (80, 60) for index in range(len(dataset)))
    first, second = ({"bbox": [5, 5, 25, 30], "labels": [0]}, {"bbox": [30, 5, 70, 50], "labels": [0]})
    assert people["test"] == {
        str(root / "test/Anger/0001.png"): [first],
        str(root / "test/Anger/0002.png"): [second],
        str(root / "test/Anger/0003.png"): [second],
    }
    happy = [str(root / f"train/Happy/{n:04d}, x.png") for n in (1, 2, 3)]
    assert list(people["train"])[-2:] == happy[:2]
    assert list(people["val"]) == happy[2:], "the last of Angry has no face"
    assert sorted(contents(root / "annotations")) == RESULTS


def test_the_counts_and_what_is_left_out(
    caer: Write, detector: KnownFaces, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    folder = caer(PICTURES) / "annotations"
    find_boxes(folder.parent)
    summary = json.loads((folder / "boxes.json").read_text())
    assert (summary["detector"], summary["min_score"], summary["faces"]) == ("KnownFaces 1.0", 0.9, "largest")
    test = {"pictures": 5, "no_face": 1, "one_face": 1, "several_faces": 2, "unreadable": 1, "written": 3}
    assert summary["splits"]["test"] == test
    left_out = (folder / "left_out.csv").read_text().splitlines()
    assert left_out[:3] == ["picture,reason", "train/Angry/0005.png,no face", "train/Angry/0010.png,no face"]
    assert left_out[3:5] == ["test/Anger/0000.png,no face", left_out[4]]
    assert "Happy/0001.png cannot be read" in left_out[4]
    said = capsys.readouterr().out
    assert "unreadable" in said
    assert "val is the last 10 % of every class of train" in said
    assert "4 pictures have no line" in said


def test_every_result_says_what_made_the_boxes(caer: Write, detector: KnownFaces) -> None:
    root = caer(PICTURES)
    find_boxes(root)
    dataset = CaerSDataset(str(root), "test")
    headline = headline_of(dataset)
    assert dataset.description == "face boxes from test.txt made by KnownFaces 1.0"
    assert headline is not None
    assert "face boxes from test.txt made by KnownFaces 1.0" in headline.sentence()
    assert headline.to_dict()["made_by"] == "KnownFaces 1.0"


@pytest.mark.parametrize(
    ("choice", "boxes"),
    [
        ("largest", ["0001.png 5,5,25,30", "0002.png 30,5,70,50", "0003.png 30,5,70,50"]),
        ("confident", ["0001.png 5,5,25,30", "0002.png 5,5,25,30", "0003.png 5,5,25,30"]),
        ("single", ["0001.png 5,5,25,30"]),
        ("all", [f"{n} {box}" for n, many in (("0001.png", 1), ("0002.png", 2), ("0003.png", 3))
                 for box in ("5,5,25,30", "30,5,70,50", "0,40,12,60")[:many]]),
    ],
)  # fmt: skip
def test_choices_share_one_search(choice: str, boxes: list[str], caer: Write, detector: KnownFaces) -> None:
    root = caer(PICTURES)
    find_boxes(root)
    seen = detector.seen
    assert find_boxes(root, faces=choice, overwrite=True) == 1
    assert detector.seen == seen, "the faces are known"
    lines = (root / "annotations/test.txt").read_text().splitlines()[1:]
    assert [line.replace("test/Anger/", "").replace(",Anger,", " ") for line in lines] == boxes


def test_the_command_knows_all_choices() -> None:
    assert tuple(CHOICES) == data.CHOICES


@pytest.mark.parametrize("name", [name for name in RESULTS if name != "faces.jsonl"])
def test_nothing_is_written_over(name: str, caer: Write, detector: KnownFaces) -> None:
    root = caer({**PICTURES, f"annotations/{name}": b"precious"})
    with pytest.raises(UserError, match=rf"{name} is there already.*--overwrite"):
        find_boxes(root)
    assert contents(root / "annotations") == {name: b"precious"}
    assert detector.seen == 0
    assert find_boxes(root, overwrite=True) == 1
    assert contents(root / "annotations")[name] != b"precious"


def test_without_validation_no_older_one_stays(caer: Write, detector: KnownFaces) -> None:
    root = caer(PICTURES)
    find_boxes(root)
    find_boxes(root, val=0.0, overwrite=True)
    assert "val.txt" not in contents(root / "annotations"), "its pictures are in train.txt now"
    assert "0003, x.png" in (root / "annotations/train.txt").read_text()


@pytest.mark.parametrize("other", ["train.txt", "caer_val.json", "annotations/caer_test.json", "../test.csv"])
def test_a_box_file_that_would_be_read_instead(other: str, caer: Write, detector: KnownFaces, tmp_path: Path) -> None:
    root = caer({**PICTURES, other: b"theirs"})
    with pytest.raises(UserError, match=r"there is a box file already, .*Give --out DIR"):
        find_boxes(root)
    assert find_boxes(root, out=str(tmp_path / "mine")) == 1
    named = CaerSDataset(str(root), "test", annotations=f"{tmp_path}/mine/{{split}}.txt")
    assert named.made_by == "KnownFaces 1.0"


REFUSED: list[tuple[dict[str, int | bytes], dict[str, Any], str]] = [
    ({"train/Sad/1.png": 0}, {}, r"no face in 1 pictures with --min-score 0\.9 and --faces largest; no box file"),
    ({"train/Sad/1.png": 4}, {"faces": "single"}, r"no face in 1 pictures .*--faces single"),
    ({"train/Sad/1.png": 1, "val/Sad/1.png": 1}, {"val": 0.2}, r"--val takes .* has its own val/"),
    ({"train/Sad/1.png": 1}, {"val": 1.0}, r"--val expects a share of train from 0 to below 1\. Got 1\."),
    ({"train/Sad/1.png": 1, "annotations/boxes.json/x": b""}, {}, r"boxes\.json is a folder"),
    ({"Sad/1.png": 1}, {}, r"no images\. Looked for folders train/ and test/"),
]


@pytest.mark.parametrize(("pictures", "asked", "words"), REFUSED)
def test_refused(
    pictures: dict[str, int | bytes], asked: dict[str, Any], words: str, caer: Write, detector: KnownFaces
) -> None:
    root = caer(pictures)
    with pytest.raises(UserError, match=words):
        find_boxes(root, **asked)
    assert not list(root.rglob("*.txt"))


@pytest.mark.parametrize(("on_error", "status"), [("report", 1), ("skip", 0)])
def test_exit_status_of_broken_pictures(on_error: str, status: int, caer: Write, detector: KnownFaces) -> None:
    assert find_boxes(caer(PICTURES), on_error=on_error) == status


def test_its_own_val_is_kept(caer: Write, detector: KnownFaces) -> None:
    root = caer({"train/Sad/1.png": 1, "val/Sad/1.png": 1})
    assert find_boxes(root) == 0
    assert CaerSDataset(str(root), "val").record(0)["file_name"] == str(root / "val/Sad/1.png")


def test_interrupted(
    caer: Write, detector: KnownFaces, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = caer(PICTURES)

    def stopped(frames: Any, *others: Any) -> Any:
        search(frames[:4], *others)
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "search", stopped)
    assert find_boxes(root) == 130
    assert f"{root}/annotations/faces.jsonl. Go on with: " in capsys.readouterr().err
    assert list(contents(root / "annotations")) == ["faces.jsonl"]
    monkeypatch.undo()
    monkeypatch.setattr(command_line, "_detector", lambda options: detector)
    assert (detector.seen, find_boxes(root), detector.seen) == (4, 1, 17)
