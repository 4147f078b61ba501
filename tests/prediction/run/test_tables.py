"""Tables of every format: the people of ``predictions.json``, whole after an interruption, in the place of nothing."""

import csv
import importlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dsct_detrex.errors import UserError
from dsct_detrex.names import table_formats
from dsct_detrex.prediction import Prediction, Predictor
from dsct_detrex.prediction.run.tables import Tables
from dsct_detrex.structures import CAER_S, EMOTIC, Emotions
from tests.prediction.finds import finder
from tests.prediction.stubs import picture, predict, rows, use

NAMES = [*(f"photos/{number}.png" for number in range(4)), os.fsdecode(b"photos/z\xe9.png")]
FILES = {
    "csv": "predictions.csv",
    "jsonl": "predictions.jsonl",
    "coco": "predictions.coco.json",
    "parquet": "predictions.parquet",
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(NAMES):
        picture("photos/x.png", seed).rename(name)
    Path("photos/3.png").write_bytes(b"broken")
    use(finder(CAER_S), monkeypatch)


def boxes(out: str = "out") -> list[tuple[str, list[float]]]:
    return [(shown(row["file"]), person["box"]) for row in rows(out) for person in row.get("people", ())]


def shown(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()


def read(form: str, out: str = "out") -> list[tuple[str, list[float]]]:
    """File and box of every person, as a reader of that format finds them."""
    path = Path(out, FILES[form])
    if form == "csv":
        with path.open(newline="", encoding="utf-8") as file:
            table: list[dict[str, Any]] = list(csv.DictReader(file))
        return [(row["file"], [float(row[key]) for key in ("x0", "y0", "x1", "y1")]) for row in table if row["person"]]
    if form == "jsonl":
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        return [(shown(row["file"]), person["box"]) for row in lines for person in row.get("people", ())]
    if form == "coco":
        results = json.loads(path.read_text())
        return [
            (shown(one["file_name"]), [x, y, round(x + w, 2), round(y + h, 2)])
            for one in results
            for x, y, w, h in [one["bbox"]]
        ]
    table = pytest.importorskip("pyarrow.parquet").read_table(path).to_pylist()
    return [(row["file"], [row[key] for key in ("x0", "y0", "x1", "y1")]) for row in table if row["person"] is not None]


def skip_without(form: str) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")


def test_every_format_has_its_file() -> None:
    assert set(table_formats()) == set(FILES)


@pytest.mark.parametrize("form", FILES)
@pytest.mark.parametrize("emotions", [CAER_S, EMOTIC], ids=["one", "several"])
def test_all_say_the_same(form: str, emotions: Emotions, monkeypatch: pytest.MonkeyPatch) -> None:
    skip_without(form)
    use(finder(emotions), monkeypatch)
    assert predict("photos", "--out", "out", "--format", form) == 1
    found = read(form)
    assert found == [(name, pytest.approx(box)) for name, box in boxes()]
    assert len(found) == 12
    assert not list(Path("out").glob("*.png")), "pictures are drawn where they are asked for"


def test_flat_tables_have_broken_and_empty_pictures_too(monkeypatch: pytest.MonkeyPatch) -> None:
    use(finder(EMOTIC, 0), monkeypatch)
    assert predict("photos", "--out", "out", "--format", "csv") == 1
    with Path("out/predictions.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [row["file"] for row in table] == [shown(name) for name in sorted(NAMES)]
    assert [bool(row["error"]) for row in table] == [False, False, False, True, False]
    assert {row["person"] for row in table} == {""}


def test_columns_of_parquet_have_types(monkeypatch: pytest.MonkeyPatch) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert predict("photos", "--out", "out", "--format", "parquet") == 1
    table = parquet.read_table("out/predictions.parquet")
    types = {field.name: str(field.type) for field in table.schema}
    assert (types["person"], types["x0"], types["probability_Happy"], types["error"]) == (
        "int64", "double", "double", "string",
    )  # fmt: skip
    first = table.to_pylist()[0]
    assert first["emotions"] == rows()[0]["people"][0]["emotions"]
    assert first["probability_Happy"] == rows()[0]["people"][0]["probabilities"]["Happy"]


def test_coco_results_are_read_by_pycocotools() -> None:
    from pycocotools.coco import COCO

    assert predict("photos", "--out", "out", "--format", "coco") == 1
    truth = COCO()
    truth.dataset = {
        "images": [{"id": number} for number in range(1, 6)],
        "annotations": [],
        "categories": [{"id": index} for index in range(7)],
    }
    truth.createIndex()
    loaded = truth.loadRes("out/predictions.coco.json")
    assert len(loaded.getAnnIds()) == 12
    assert {one["image_id"] for one in loaded.loadAnns(loaded.getAnnIds())} == {1, 2, 3, 5}


@pytest.mark.parametrize("form", FILES)
def test_what_is_there_is_replaced_on_request_alone(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    skip_without(form)
    Path("out").mkdir()
    path = Path("out", FILES[form])
    path.write_text("mine")
    for extra in ([], ["--resume"]):
        assert predict("photos", "--out", "out", "--format", form, *extra) == 2
        assert f"predict: {path} exists and is not replaced; give another --out" in capsys.readouterr().err
        assert path.read_text() == "mine"
        assert not Path("out/predictions.json").exists()
    assert predict("photos", "--out", "out", "--format", form, "--overwrite") == 1
    assert len(read(form)) == 12


@pytest.mark.parametrize("form", FILES)
def test_interrupted_a_table_has_the_rows_that_were_done_and_grows_on(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_without(form)
    stream = Predictor.stream

    def interrupted(*given: object, **settings: object) -> Iterator[Prediction]:
        for number, result in enumerate(stream(*given, **settings)):
            if number == 2:
                raise KeyboardInterrupt
            yield result

    monkeypatch.setattr(Predictor, "stream", interrupted)
    assert predict("photos", "--out", "out", "--format", form) == 130
    assert read(form) == [(name, pytest.approx(box)) for name, box in boxes()]
    assert len(read(form)) == 6
    monkeypatch.setattr(Predictor, "stream", stream)
    assert predict("photos", "--out", "out", "--format", form, "--resume") == 1
    assert read(form) == [(name, pytest.approx(box)) for name, box in boxes()]
    assert len(read(form)) == 12


@pytest.mark.parametrize("form", ["csv", "jsonl", "coco"])
def test_a_table_is_whole_after_every_row(form: str, tmp_path: Path) -> None:
    assert predict("photos", "--out", "out") == 1
    content = rows()
    Path("new").mkdir()
    with Tables(Path("new"), [form]) as tables:
        tables.open(CAER_S)
        for number, row in enumerate(content, 1):
            tables.add(row)
            expected = [
                (shown(one["file"]), person["box"]) for one in content[:number] for person in one.get("people", ())
            ]
            assert read(form, "new") == [(name, pytest.approx(box)) for name, box in expected]


def test_parquet_writes_groups_as_they_fill(monkeypatch: pytest.MonkeyPatch) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    module = importlib.import_module("dsct_detrex.prediction.writers.parquet")
    monkeypatch.setattr(module, "_GROUP", 3)
    assert predict("photos", "--out", "out", "--format", "parquet") == 1
    assert parquet.ParquetFile("out/predictions.parquet").num_row_groups == 4
    assert len(read("parquet")) == 12


def test_a_missing_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert predict("photos", "--out", "out", "--format", "parquet") == 2
    assert "--format parquet needs pyarrow" in capsys.readouterr().err
    assert not Path("out").exists()


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("dsct_detrex.prediction.writers.jsonl")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with Tables(tmp_path, ["jsonl"]) as tables:
        tables.open(CAER_S)
        monkeypatch.setattr(module.Writer, "add", full)
        with pytest.raises(UserError, match=r"writing .*predictions\.jsonl failed \(No space left on device\)"):
            tables.add({"file": "a", "people": []})
