"""Written data sets have the golden files' structure, field by field, and read back as what was drawn."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat

from dsct_detrex import files
from dsct_detrex.data import CaerSDataset, EmoticDataset
from dsct_detrex.data.synthetic import SyntheticScenes, write_dataset
from dsct_detrex.data.synthetic.write_caer_s import labelled_person
from dsct_detrex.data.synthetic.write_emotic import pack_bits
from dsct_detrex.data.synthetic.writer import formats
from dsct_detrex.errors import UserError
from dsct_detrex.files import UNFINISHED
from dsct_detrex.structures import CAER_S, EMOTIC

GOLDEN = Path(__file__).parents[2] / "golden" / "data"
SIZES = {"train": 12, "val": 5, "test": 6}
SIZE = (96, 72)


@pytest.fixture(scope="module")
def emotic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("emotic")
    write_dataset("emotic", root, SIZES, seed=2, size=SIZE)
    return root


@pytest.fixture(scope="module")
def caer_s(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("caer_s")
    write_dataset("caer_s", root, SIZES, seed=2, size=SIZE)
    return root


def structure(value: Any) -> set[str]:
    """Paths, field names in order, types and ranks of a loaded MATLAB variable; lengths of arrays do not count."""
    found: set[str] = set()

    def walk(item: Any, path: str) -> None:
        if not isinstance(item, np.ndarray):
            return
        if item.dtype.names:
            found.add(f"{path} struct 1xN {','.join(item.dtype.names)} {item.ndim}")
            for name in item.dtype.names:
                for entry in item.flat:
                    walk(entry[name], f"{path}.{name}")
        elif item.dtype == object:
            found.add(f"{path} cell {item.ndim} {'row' if item.shape[0] == 1 else item.shape}")
            for entry in item.flat:
                walk(entry, f"{path}{{}}")
        else:
            shape = item.shape if item.dtype.kind == "f" else item.ndim
            found.add(f"{path} {item.dtype.kind} {shape}")

    walk(value, "")
    return found


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_mat_has_the_golden_structure(emotic: Path, split: str) -> None:
    golden = loadmat(GOLDEN / "emotic" / "Annotations" / "Annotations.mat")
    ours = loadmat(emotic / "Annotations" / "Annotations.mat")
    assert structure(ours[split]) == structure(golden[split])
    assert ours[split].shape == (1, SIZES[split])


def json_structure(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: json_structure(item) for key, item in value.items()}
    if isinstance(value, list):
        return [json_structure(value[0])] if value else []
    return type(value).__name__


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_json_has_the_golden_structure(emotic: Path, caer_s: Path, split: str) -> None:
    for ours, golden in (
        (emotic / f"emotic_{split}_bi.json", GOLDEN / "emotic" / f"emotic_{split}_bi.json"),
        (caer_s / f"caer_{split}.json", GOLDEN / "caer_s" / f"caer_{split}.json"),
    ):
        content, expected = json.loads(ours.read_text()), json.loads(golden.read_text())
        assert json_structure(content) == json_structure(expected)
        assert content["categories"] == expected["categories"]
        assert [image["id"] for image in content["images"]] == list(range(1, SIZES[split] + 1))
        assert [person["id"] for person in content["annotations"]] == list(range(len(content["annotations"])))


def test_first_category_is_the_most_significant_bit() -> None:
    assert pack_bits([EMOTIC.index("Affection")]) == 2**25
    assert pack_bits([EMOTIC.index("Engagement"), EMOTIC.index("Happiness")]) == 16896  # golden: tiny_000001.jpg


@pytest.mark.parametrize("split", ["train", "val", "test"])
@pytest.mark.parametrize("boxes", ["head", "body"])
def test_emotic_reads_back_as_drawn(emotic: Path, split: str, boxes: str) -> None:
    drawn = SyntheticScenes("emotic", split, SIZES[split], seed=2, size=SIZE, boxes=boxes)
    read = EmoticDataset(str(emotic), split, boxes)
    assert len(read) == len(drawn)
    for i in range(len(drawn)):
        ours, theirs = drawn.record(i), read.record(i)
        assert (theirs["width"], theirs["height"]) == SIZE
        assert [p["labels"] for p in theirs["annotations"]] == [p["labels"] for p in ours["annotations"]]
        for a, b in zip(ours["annotations"], theirs["annotations"]):
            np.testing.assert_allclose(a["bbox"], b["bbox"], atol=1)
        error = np.asarray(read.load_image(i), float) - np.asarray(drawn.load_image(i), float)
        assert abs(error).mean() < 6  # JPEG


def test_several_annotators_and_their_union(emotic: Path) -> None:
    people = [p for record in EmoticDataset(str(emotic), "val", "body")._records for p in record["annotations"]]
    for person in people:
        opinions = person["extra"]["annotators"]
        assert len(opinions) >= 2
        assert sorted({c for opinion in opinions for c in opinion["labels"]}) == person["labels"]
    train = EmoticDataset(str(emotic), "train", "body")
    assert all(len(p["extra"]["annotators"]) == 1 for p in train.record(0)["annotations"])


@pytest.mark.parametrize("split", ["train", "val", "test"])
@pytest.mark.parametrize("annotations", ["{split}.txt", "caer_{split}.json"])
def test_caer_s_reads_back_as_drawn(caer_s: Path, split: str, annotations: str) -> None:
    drawn = SyntheticScenes("caer_s", split, SIZES[split], seed=2, size=SIZE)
    read = CaerSDataset(str(caer_s), split, annotations)
    expected = {drawn.load_image(i).tobytes(): labelled_person(drawn.record(i)) for i in range(len(drawn))}
    assert len(read) == len(drawn)
    for i in range(len(read)):
        (person,) = read.record(i)["annotations"]
        ours = expected.pop(read.load_image(i).tobytes())
        assert person["labels"] == ours["labels"]
        np.testing.assert_allclose(person["bbox"], ours["bbox"], atol=0.51)
        path = Path(read.record(i)["file_name"])
        assert path.parent.name == CAER_S.names[person["labels"][0]]
        assert path.parent.parent.name == ("test" if split == "test" else "train")


def test_text_lines_have_the_golden_form(caer_s: Path) -> None:
    lines = (caer_s / "train.txt").read_text().splitlines()
    assert len(lines) == SIZES["train"]
    for line in lines:
        path, *numbers = line.split(",")
        assert len([int(number) for number in numbers]) == 5
        assert len(Path(path).stem) == 4
        assert Image.open(caer_s / "train" / path).size == SIZE
    assert lines == sorted(lines)


def test_only_the_kind_asked_for_is_written(tmp_path: Path) -> None:
    write_dataset("emotic", tmp_path / "m", {"val": 1}, annotations="mat", size=SIZE)
    write_dataset("caer_s", tmp_path / "t", {"val": 1}, annotations="txt", size=SIZE)
    assert not list(tmp_path.rglob("*.json"))
    write_dataset("emotic", tmp_path / "j", {"val": 1}, annotations="json", size=SIZE)
    assert [path.name for path in (tmp_path / "j").glob("*.*")] == ["emotic_val_bi.json"]
    assert not (tmp_path / "j" / "Annotations").exists()


@pytest.mark.parametrize(
    ("format", "sizes", "annotations", "message"),
    [
        ("voc", {"val": 1}, None, f"write_dataset(format=) expects one of {', '.join(formats())}. Got 'voc'."),
        ("emotic", {"val": 1}, "txt", "write_dataset(annotations=) expects one of mat, json for emotic. Got 'txt'."),
        ("emotic", {}, None, "write_dataset(sizes=) expects at least one split, e.g. {'train': 100}. Got none."),
        ("caer_s", {"dev": 1}, None, "SyntheticScenes(split=) expects one of train, val, test. Got 'dev'."),
    ],
)
def test_wrong_arguments_are_explained(
    tmp_path: Path, format: str, sizes: dict[str, int], annotations: str | None, message: str
) -> None:
    with pytest.raises(UserError) as error:
        write_dataset(format, tmp_path, sizes, annotations=annotations)
    assert str(error.value) == message


def test_what_a_killed_process_began_is_no_content(tmp_path: Path) -> None:
    """Its first file, which says what it was asked for, had no name yet."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / f"{UNFINISHED}-{files._host()}-{ended.pid}-abc-0.json").write_text("{")
    write_dataset("caer_s", tmp_path, {"train": 1}, size=(64, 48))
    assert not list(tmp_path.glob(f"{UNFINISHED}*"))


def test_what_another_machine_writes_there_is_content(tmp_path: Path) -> None:
    (tmp_path / f"{UNFINISHED}-elsewhere-1-abc-0.json").write_text("{")
    with pytest.raises(UserError, match="is not empty"):
        write_dataset("caer_s", tmp_path, {"train": 1}, size=(64, 48))
