"""The data doctor and the commands of ``dsct data``, on the golden folders and on broken copies."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dsct_detrex.data import catalogue
from dsct_detrex.data.doctor import check_root
from dsct_detrex.errors import UserError
from tests.commands import data as main


def test_golden_emotic(golden_emotic: Path) -> None:
    checkup = check_root("auto", str(golden_emotic), boxes="body")
    assert checkup.format == "emotic"
    assert checkup.healthy
    train = checkup.splits["train"]
    assert train.description == "body boxes from Annotations.mat"
    assert train.people_per_image == {1: 1, 2: 2}
    assert {name: n for name, n in train.labels.items() if n} == dict.fromkeys(
        ["Affection", "Anger", "Disconnection", "Doubt/Confusion", "Engagement", "Fatigue", "Fear", "Happiness",
         "Yearning"], 1
    )  # fmt: skip
    assert train.report.counts == {"clamped_boxes": 2, "empty_boxes": 1}
    assert checkup.splits["test"].people_per_image == {3: 1}
    assert checkup.splits["test"].labels["Esteem"] == 2
    assert checkup.warnings == []


def test_golden_caer(golden_caer: Path) -> None:
    checkup = check_root("auto", str(golden_caer), annotations="{split}.txt")
    assert checkup.format == "caer_s"
    assert checkup.splits["train"].labels == {
        "Anger": 2, "Disgust": 1, "Fear": 1, "Happy": 1, "Neutral": 1, "Sad": 2, "Surprise": 1
    }  # fmt: skip
    assert checkup.splits["train"].report.counts == {"missing_images": 1, "clamped_boxes": 2}
    assert not checkup.healthy
    assert "share frames of the same videos" in checkup.warnings[0]


def test_official_release_is_recognised(
    golden_json: Callable[[str], Any], make_emotic: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = golden_json("data/official_annotation_facts.json")
    card = catalogue.get("emotic")
    assert {name: (facts[name]["images"], facts[name]["annotations"]) for name in card.official_counts} == (
        card.official_counts
    )
    root = make_emotic(images=3, split="val")
    release = check_root("emotic", str(root), ["val"]).splits["val"].release
    assert release == "not the counts of the published file of this name (1705 images, 2397 people)"
    ours = replace(card, official_counts={"emotic_val_bi.json": (3, 6)})
    monkeypatch.setattr(catalogue, "cards", lambda: {"emotic": ours})
    assert check_root("emotic", str(root), ["val"]).splits["val"].release.startswith("the counts of the published")


def test_broken_pictures_and_repeated_boxes_are_counted(make_emotic: Callable[..., Path]) -> None:
    person = {"bbox": [5, 6, 20, 30], "category_id": 512}
    root = make_emotic(images=4, people=[person, {**person, "category_id": 2}])
    (root / "emotic/mscoco/images/0002.jpg").write_bytes(b"")
    (root / "emotic/mscoco/images/0003.jpg").unlink()
    seen: list[tuple[str, int, int]] = []
    checkup = check_root("emotic", str(root), ["train"], progress=lambda *step: seen.append(step))
    found = checkup.splits["train"]
    assert found.report.counts == {"missing_images": 1, "unreadable_images": 1, "shared_boxes": 3}
    assert found.report.examples["unreadable_images"] == [str(root / "emotic/mscoco/images/0002.jpg")]
    assert found.repeated_boxes == 3
    assert not checkup.healthy
    assert seen == [("emotic_train", n, 3) for n in (1, 2, 3)]
    unopened = check_root("emotic", str(root), ["train"], read_images=False)
    assert unopened.splits["train"].report.counts == {"missing_images": 1, "shared_boxes": 3}


@pytest.mark.parametrize("finding", ["repeated_people", "repeated_images", "label_differs_from_folder"])
def test_some_findings_ask_for_attention(finding: str, make_emotic: Callable[..., Path]) -> None:
    checkup = check_root("emotic", str(make_emotic()), ["train"])
    checkup.splits["train"].report.count("clamped_boxes", "a.jpg")
    assert checkup.healthy
    checkup.splits["train"].report.count(finding, "a.jpg")
    assert not checkup.healthy


def test_command_check_says_what_a_file_does_not_say(
    make_emotic: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Another converter's file: one class "person", names beside it, corners as boxes."""
    person = {"category_id": 1, "annotations_categories": ["Peace"]}
    boxes = [[5, 6, 25, 36], [40, 20, 60, 44], [40, 20, 60, 44]]
    root = make_emotic(images=1, people=[{**person, "bbox": box} for box in boxes])
    content = json.loads((root / "emotic_train_bi.json").read_text())
    (root / "mine.json").write_text(json.dumps({**content, "categories": [{"id": 1, "name": "person"}]}))
    command = ["check", "--root", str(root), "--splits", "train", "--annotations", "mine.json", "--boxes", "body"]
    assert main(command) == 2
    assert "box_format=xyxy (data.box_format in a config, --box-format of dsct data)" in capsys.readouterr().err
    assert main([*command, "--box-format", "xyxy"]) == 1
    printed = capsys.readouterr().out
    for part in ("1 images, 2 people, 1 findings", "body boxes from mine.json", "people listed again"):
        assert part in printed
    row = next(line for line in printed.splitlines() if "Peace" in line)
    assert row.split("│")[2].strip() == "2"


@pytest.fixture
def leaky(golden_caer: Path, tmp_path: Path) -> Path:
    """A CAER-S root with one test picture that is a re-compressed training picture."""
    shutil.copytree(golden_caer, tmp_path / "caer")
    for split, number in (("train", 0), ("test", 40)):
        for path in sorted((tmp_path / "caer" / split).glob("*/*.png")):
            number += 1
            Image.effect_noise((8, 8), 90 + number).resize((40, 30), Image.Resampling.BICUBIC).convert("RGB").save(path)
    twin = Image.open(tmp_path / "caer/train/Sad/0001.png").point(lambda value: min(255, value + 3))
    twin.save(tmp_path / "caer/test/Happy/0001.png")
    return tmp_path / "caer"


def test_leaks_between_train_and_test_are_found(leaky: Path) -> None:
    assert check_root("caer_s", str(leaky)).near_duplicates is None
    found = check_root("caer_s", str(leaky), find_near_duplicates=True).near_duplicates
    assert found is not None
    assert [(Path(a).parent.name, Path(b).parent.name) for a, b, _ in found] == [("Happy", "Sad")]


def test_format_is_recognised_or_asked_for(golden_emotic: Path, golden_caer: Path, tmp_path: Path) -> None:
    assert catalogue.recognise(str(golden_emotic)).name == "emotic"
    assert catalogue.recognise(str(golden_caer)).name == "caer_s"
    with pytest.raises(UserError, match=r"no known data set: .*EMOTIC \(folders mscoco.* with .*--format emotic"):
        catalogue.recognise(str(tmp_path))
    (tmp_path / "mscoco").mkdir()
    (tmp_path / "train" / "angry").mkdir(parents=True)
    with pytest.raises(UserError, match=r"several data sets: CAER-S .*; EMOTIC .*--format caer_s or --format emotic"):
        catalogue.recognise(str(tmp_path))
    with pytest.raises(UserError, match=r"is not a folder\. Name the folder of a data set\."):
        catalogue.recognise(str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match=r"'emotik' is unknown\. Expected one of caer_s, .*Did you mean `emotic`"):
        check_root("emotik", str(tmp_path))


def test_a_split_that_cannot_be_used_is_told_and_the_others_examined(make_emotic: Callable[..., Path]) -> None:
    checkup = check_root("emotic", str(make_emotic(images=2)))
    assert list(checkup.splits) == ["train"]
    assert set(checkup.failures) == {"val", "test"}
    assert "emotic_val_bi.json (head boxes)" in checkup.failures["val"]
    assert not checkup.healthy
    with pytest.raises(UserError, match="no annotations for split 'val'"):
        check_root("emotic", str(make_emotic(images=2)), ["val"])


def test_command_check(golden_emotic: Path, leaky: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--root", str(golden_emotic), "--boxes", "body", "--json", str(tmp_path / "out.json")]) == 0
    printed = capsys.readouterr().out
    for part in ("emotic_train: 3 images, 5 people, 3 findings", "body boxes from Annotations.mat", "Doubt/Confusion"):
        assert part in printed
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["splits"]["train"]["people_per_image"] == {"1": 1, "2": 2}
    assert written["splits"]["train"]["report"]["counts"] == {"clamped_boxes": 2, "empty_boxes": 1}
    command = ["check", "--root", str(leaky), "--near-duplicates", "--annotations", "{split}.txt"]
    assert main(command) == 1  # one picture of train.txt is not there
    printed = capsys.readouterr().out
    for part in ("1 of 7 test pictures look like a training picture", "Happy/0001.png ~ ", "share frames of the same"):
        assert part in printed


def test_people_table_sums_up_crowds(make_emotic: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    people = [{"bbox": [n, n, 9, 9], "category_id": 512} for n in range(11)]
    assert main(["check", "--root", str(make_emotic(images=3, people=people)), "--splits", "train"]) == 0
    printed = capsys.readouterr().out
    assert "8+" in printed
    row = next(line for line in printed.splitlines() if "train" in line and "emotic" not in line)
    assert row.split("│")[-2].strip() == "3"


def test_mistakes_are_one_sentence_and_status_2(
    golden_caer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = {
        "is not a folder": ["check", "--format", "emotic", "--root", str(tmp_path / "nowhere")],
        "no known data set": ["check", "--root", str(tmp_path)],
        "--boxes says nothing about CAER-S": ["check", "--root", str(golden_caer), "--boxes", "head"],
        "expects a file ending in .png": ["show", "--root", str(golden_caer), "--out", str(tmp_path / "a.txt")],
        "is not there. Make it first.": ["show", "--root", str(golden_caer), "--out", str(tmp_path / "no/a.png")],
    }
    for sentence, command in commands.items():
        assert main(command) == 2, command
        captured = capsys.readouterr()
        assert sentence in captured.err
        assert (
            captured.err.strip().count("\n") == 0
        )  # before 14.3 rich ends a bar that it never drew with an empty line
        assert captured.out == ""


def test_command_show(golden_emotic: Path, tmp_path: Path) -> None:
    shutil.copytree(golden_emotic, tmp_path / "e")
    (tmp_path / "e/emotic/framesdb/images/tiny_000002.jpg").write_bytes(b"broken")
    out = tmp_path / "a.png"
    assert main(["show", "--root", str(tmp_path / "e"), "--out", str(out)]) == 0
    sheet = Image.open(out)
    assert sheet.width == 3 * 480 + 4 * 12
    assert sheet.getpixel((12 + 480 + 12 + 5, 20)) == (0xD6, 0xDC, 0xE5), "the broken one"
    left, top = (12 + round(side * 480 / 64) for side in (5, 6))  # corner of the first box in the first cell
    frame = np.asarray(sheet)[top + 20, left - 3 : left + 4].astype(int)
    assert (abs(frame - (86, 180, 233)).sum(-1) < 60).any(), "in the colour of the first person"


def test_command_generate_writes_what_check_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for format, kind in (("emotic", "mat"), ("emotic", "coco"), ("caer_s", "txt"), ("caer_s", "coco")):
        root = tmp_path / f"{format}_{kind}"
        command = ["generate", "--format", format, "--out", str(root), "--train", "3", "--val", "1", "--test", "2"]
        assert main([*command, "--annotations", kind, "--seed", "4", "--size", "160", "120"]) == 0
        assert main(["check", "--root", str(root)]) == 0
        printed = capsys.readouterr().out
        assert f"{format}_train: 3 images" in printed
        assert f"{format}_test: 2 images" in printed


def test_script_runs() -> None:
    script = Path(__file__).parents[2] / "scripts" / "data.py"
    finished = subprocess.run([sys.executable, str(script), "--help"], capture_output=True, text=True, check=False)
    assert finished.returncode == 0
    assert "check" in finished.stdout
