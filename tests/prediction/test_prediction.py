"""What results can be turned into, and that all of it says the same."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools.coco import COCO

from dsct_detrex.errors import UserError
from dsct_detrex.prediction import Prediction, Predictions
from dsct_detrex.prediction.rows import is_rows
from dsct_detrex.structures import CAER_S, EMOTIC, Boxes, Emotions
from tests.prediction.finds import finder

PICTURE = Image.new("RGB", (80, 60))
BOTH = pytest.mark.parametrize("emotions", [CAER_S, EMOTIC])


def found(emotions: Emotions, number: int = 3) -> Prediction:
    return finder(emotions, number)(PICTURE)


@BOTH
def test_fields_of_detectron2_are_there(emotions: Emotions) -> None:
    people = found(emotions)
    assert isinstance(people.pred_boxes, Boxes)
    assert people.pred_boxes.tensor.shape == (3, 4)
    assert people.emotion_probs.shape == (3, emotions.num_emotions)
    assert people.pred_logits.shape == (3, emotions.num_logits)
    assert people.scores.shape == people.pred_classes.shape == (3,)
    assert people.image_size == (60, 80)
    assert (people.scores.diff() <= 0).all()


@BOTH
def test_a_result_is_a_sequence_of_people(emotions: Emotions) -> None:
    people = found(emotions)
    assert [person.score for person in people] == [round(float(score), 4) for score in people.scores]
    assert people[0] == next(iter(people))
    assert people[-1] == list(people)[-1]
    with pytest.raises(IndexError):
        people[3]
    assert list(people[1:]) == list(people)[1:]
    assert list(people[people.scores < people.scores[0]]) == list(people)[1:]
    assert list(people[torch.tensor([2, 0])]) == [people[2], people[0]]


def test_boxes_end_at_the_border() -> None:
    predictor = finder(CAER_S, 4)
    forward = predictor.model.forward

    def far_out(inputs: list[dict[str, object]]) -> object:
        (output,) = forward(inputs)
        output["instances"].pred_boxes = Boxes(torch.tensor([[-9.0, -9, 99, 99]] * 4))
        return [output]

    predictor.model.forward = far_out
    assert {person.box for person in predictor(PICTURE)} == {(0.0, 0.0, 80.0, 60.0)}


@BOTH
@pytest.mark.parametrize("number", [0, 1, 3])
def test_pandas(emotions: Emotions, number: int) -> None:
    people = found(emotions, number)
    frame = people.to_pandas()
    assert len(frame) == number
    assert " ".join(frame.columns[:10]) == "file width height person x0 y0 x1 y1 score emotions"
    assert list(frame.columns[10:]) == [f"probability_{name}" for name in emotions.names]
    assert frame["score"].dtype == np.float64
    for row, person in zip(frame.to_dict("records"), people, strict=True):
        assert (row["x0"], row["y0"], row["x1"], row["y1"]) == person.box
        assert (row["score"], row["emotions"]) == (person.score, list(person.emotions))
        assert [row[f"probability_{name}"] for name in emotions.names] == list(person.probabilities.values())


@BOTH
@pytest.mark.parametrize("number", [0, 1, 3])
def test_supervision(emotions: Emotions, number: int) -> None:
    people = found(emotions, number)
    detections = people.to_supervision()
    assert len(detections) == number
    for index, person in enumerate(people):
        one = detections[index]
        np.testing.assert_allclose(one.xyxy[0], person.box, atol=1e-4)
        assert one.confidence[0] == pytest.approx(person.score)
        assert emotions.names[one.class_id[0]] == one.data["class_name"][0] == person.emotions[0]
        assert one.data["emotions"][0] == ", ".join(person.emotions)
        np.testing.assert_allclose(one.data["probabilities"][0], list(person.probabilities.values()), atol=1e-6)


def test_supervision_draws_what_it_gets() -> None:
    import supervision

    picture = np.zeros((60, 80, 3), np.uint8)
    supervision.BoxAnnotator().annotate(picture, found(EMOTIC).to_supervision())
    assert picture.any()


@BOTH
def test_coco_reads_the_results(emotions: Emotions, tmp_path: Path) -> None:
    results = finder(emotions)([PICTURE, PICTURE])
    coco = COCO()
    coco.dataset = {"images": [{"id": 7}, {"id": 9}], "categories": [{"id": index} for index in range(26)]}
    coco.createIndex()
    loaded = coco.loadRes(results.to_coco([7, 9]))
    for image_id, result in zip((7, 9), results, strict=True):
        rows = loaded.loadAnns(loaded.getAnnIds(imgIds=[image_id]))
        assert [row["emotions"] for row in rows] == [list(person.emotions) for person in result]
        for row, person in zip(rows, result, strict=True):
            x, y, width, height = row["bbox"]
            assert (x, y, x + width, y + height) == pytest.approx(person.box, abs=0.011)
            assert row["score"] == person.score
            assert row["category_id"] == (1 if emotions is EMOTIC else emotions.index(person.emotions[0]))
    assert [row["image_id"] for row in results.to_coco()] == [0, 0, 0, 1, 1, 1]
    with pytest.raises(UserError, match=r"to_coco\(image_ids=\) expects 2, one a picture\. Got 1\."):
        results.to_coco([7])


@pytest.mark.parametrize(("package", "method"), [("pandas", "to_pandas"), ("supervision", "to_supervision")])
def test_a_package_that_is_not_there_is_one_sentence(
    package: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=rf"{method} needs {package}, .* Install it with: pip install {package}$"):
        getattr(found(CAER_S), method)()


@BOTH
def test_a_row_is_what_the_command_writes(emotions: Emotions, tmp_path: Path) -> None:
    PICTURE.save(tmp_path / "a.png")
    result = finder(emotions)(tmp_path / "a.png")
    row = json.loads(result.to_json())
    assert row == result.to_dict()
    assert (row["file"], row["width"], row["height"]) == (str(tmp_path / "a.png"), 80, 60)
    assert row["people"] == [person.to_dict() for person in result]
    several = finder(emotions)([tmp_path / "a.png", PICTURE])
    assert json.loads(several.to_json()) == several.to_dict()
    assert [entry["file"] for entry in several.to_dict()] == [str(tmp_path / "a.png"), ""]
    assert len(several.to_pandas()) == 6
    assert isinstance(several[:1], Predictions)


@pytest.mark.parametrize("name", ["a.png", "a.JPG", "a.webp", "a.bmp", "a.tiff", "new/folder/a.png"])
def test_a_drawing_is_saved_in_the_format_of_its_name(name: str, tmp_path: Path) -> None:
    result = found(CAER_S)
    result.save(tmp_path / name)
    with Image.open(tmp_path / name) as saved:
        assert saved.size == result.plot().size
    assert [path.name for path in (tmp_path / name).parent.iterdir()] == [Path(name).name]


def test_rows_are_saved_as_a_predictions_json(tmp_path: Path) -> None:
    results = finder(CAER_S)([PICTURE, PICTURE])
    results.save(tmp_path / "several.json")
    results[0].save(tmp_path / "one.json")
    assert is_rows(tmp_path / "several.json")
    assert json.loads((tmp_path / "several.json").read_text()) == results.to_dict()
    assert json.loads((tmp_path / "one.json").read_text()) == [results[0].to_dict()]


@pytest.mark.parametrize("name", ["taken.png", "taken.json"])
def test_what_is_there_is_replaced_only_where_asked(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(UserError, match=rf"{name} exists and is not replaced; .* overwrite=True"):
        found(CAER_S).save(tmp_path / name)
    assert (tmp_path / name).read_text() == "mine"
    found(CAER_S).save(tmp_path / name, overwrite=True)
    assert (tmp_path / name).read_bytes() != b"mine"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a", r"expects a name that ends in \.jpg, .*\.json\. Got '.*a'"),
        ("a.gif", r"expects a name that ends in"),
        ("a.csv", r"expects a name that ends in"),
        ("folder.png", r"expects the name of a file\. .*folder\.png is a folder"),
        ("file/a.png", r"save: writing .*a\.png failed \(.*; free some space or choose another name\."),
    ],
)
def test_a_place_that_cannot_be_written_to_is_one_sentence(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=message):
        found(CAER_S).save(tmp_path / name)
    with pytest.raises(UserError, match=r"ends in \.json\. Got"):
        finder(CAER_S)([PICTURE]).save(tmp_path / "a.png")


def test_plot_asks_for_at_least_one_line() -> None:
    with pytest.raises(UserError, match=r"Prediction\.plot\(max_emotions=\) expects at least 1\. Got 0\."):
        found(EMOTIC).plot(0)


def test_it_reads_well_in_a_console_and_in_a_notebook() -> None:
    result = found(CAER_S, 2)
    first, *lines = repr(result).splitlines()
    assert first == "picture, 80 x 60: 2 people"
    for number, (line, person) in enumerate(zip(lines, result, strict=True)):
        assert line.startswith(f"  {number}: {person.emotions[0]} ")
        assert f"score {person.score:.2f}, box {person.box[0]:g}, " in line
    assert repr(found(CAER_S, 0)) == "picture, 80 x 60: nobody"
    html = result._repr_html_()
    assert html.count("<tr>") == 3
    assert "data:image/jpeg;base64," in html
    several = finder(CAER_S)([PICTURE] * 14)
    html = several._repr_html_()
    assert html.startswith("<p>14 pictures</p>")
    assert html.count("data:image/jpeg;base64,") == 12
    assert "and 2 more pictures: index or slice this list" in html
    assert "more picture" not in several[:12]._repr_html_()
    assert repr(finder(CAER_S)([PICTURE, PICTURE])).startswith("2 pictures, 6 people\npicture, 80 x 60")


def test_a_name_with_tags_is_text_in_a_notebook(tmp_path: Path) -> None:
    PICTURE.save(tmp_path / "<b>.png")
    result = finder(CAER_S)([tmp_path / "<b>.png"])[0]
    (tmp_path / "<b>.png").unlink()
    html = result._repr_html_()
    assert "<b>" not in html
    assert "is not there" in html
