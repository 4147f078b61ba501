"""The report of one run: complete for every kind of emotions, true for nobody and nothing found, small, with files."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dsct_detrex.structures import CAER_S, EMOTIC, Emotions
from dsct_detrex.visualization import RunResult, samples, write_run_report
from dsct_detrex.visualization.sentences import signed

from .fabricated import ground, history, report
from .test_report import Page

FACTS = {"Command": "python scripts/train.py --config x.py", "Best weights": ""}


def written(
    folder: Path, made: dict[str, Any], emotions: Emotions, rows: list[dict[str, Any]] | None = None
) -> tuple[Page, set[str]]:
    def load(facts: Any) -> Image.Image | None:
        return ground(200, 100) if facts["image_id"] != 1 else None

    run = RunResult("DSCT", made, rows or [])
    pictures = samples.galleries(made, emotions, load, 2)
    path = write_run_report(folder / "report.html", run, pictures, ["be careful"], FACTS, "model: <here>", "A run")
    return Page(path), {file.name for file in (folder / "report").iterdir()}


@pytest.mark.parametrize(
    ("emotions", "what"), [(CAER_S, "confusion.png"), (EMOTIC, "together.png")], ids=["one", "several"]
)
def test_a_training_leaves_every_section_and_file(tmp_path: Path, emotions: Emotions, what: str) -> None:
    made = report(emotions, 4)
    page, files = written(tmp_path, made, emotions, history(made["primary_metric"], 0.4))
    sections = ["results", "learning", "emotions", "people", "pictures", "data", "settings", "use"]
    assert [section["id"] for section in page.all("section")] == sections
    plots = {"results.png", "learning.png", "emotions.png", "precision_recall.png", "people.png"}
    assert files == {*plots, what, "best.png", "worst.png"}
    assert page.open == []
    assert all(svg["aria-label"] for svg in page.all("svg"))
    assert all((image["alt"] or "").count("Annotated: ") for image in page.all("img"))
    text = " ".join(page.text.split())
    people = made["counts"]["people"]
    assert f"Measured on synthetic: {people} people in 21 images." in text
    assert "Be careful." in text
    assert "model: <here>" in text
    assert "Best weights" not in text, "what is not known has no row"
    assert "None" not in text
    assert "nan" not in text.lower().split()
    assert len(page.source) < 5_000_000


def test_an_evaluation_has_no_learning_curves_and_a_lost_picture_no_place(tmp_path: Path) -> None:
    made = report(CAER_S, 4, images=2)
    page, files = written(tmp_path, made, CAER_S)
    assert "learning" not in [section["id"] for section in page.all("section")]
    assert "learning.png" not in files
    assert len(page.all("img")) == 1, "one of the two cannot be had"


@pytest.mark.parametrize("emotions", [CAER_S, EMOTIC], ids=["one", "several"])
def test_nobody_at_all_is_told_in_words(tmp_path: Path, emotions: Emotions) -> None:
    page, files = written(tmp_path, report(emotions, 1, images=0, empty=1), emotions)
    text = " ".join(page.text.split())
    assert "DSCT was measured on nobody, so there is no" in text
    assert "Nobody shows any of the emotions." in text
    assert "pictures" not in [section["id"] for section in page.all("section")]
    assert "best.png" not in files
    assert "nan" not in text.lower().split()
    assert "None" not in text


def test_a_sample_is_drawn_in_its_frame_and_told_in_words() -> None:
    person = {
        "truth": ["Happy"],
        "predicted": [{"label": "Sad", "probability": 0.75}],
        "annotated_box": [1000.0, 500.0, 1400.0, 900.0],
        "predicted_box": [100.0, 200.0, 500.0, 600.0],
        "iou": 0.0,
    }
    missed = {**person, "predicted": [], "predicted_box": None}
    made = {"pictures": {"best": [{"file_name": "a/b.jpg", "image_id": 3, "lead": -1.0, "people": [person, missed]}]}}
    made["pictures"]["worst"] = []
    (only,) = samples.galleries(made, CAER_S, lambda facts: ground(1440, 1080), 6)
    assert only.title == "The picture"
    (picture,) = only.pictures
    assert picture.image.size == (720, 540), "reduced for the page"
    assert picture.image.getpixel((50, 250)) == (86, 180, 233), "left edge of the prediction"
    assert picture.caption == "b.jpg: 2 people, lead -100"
    assert picture.alt.endswith(
        "Annotated: Happy; read: Sad 75 %; IoU 0.00. Annotated: Happy; read: nobody found; IoU 0.00."
    )


@pytest.mark.parametrize(
    ("files", "captions"),
    [
        (["train/a.png", "train/b.png"], ["a.png", "b.png"]),
        (["train/Happy/1.png", "train/Sad/1.png"], ["Happy/1.png", "Sad/1.png"]),
        (["x/Happy/1.png", "y/Happy/1.png", "y/Sad/2.png"], ["x/Happy/1.png", "y/Happy/1.png", "y/Sad/2.png"]),
        (["1.png", "Sad/1.png"], ["1.png", "Sad/1.png"]),
        (["a.png", "a.png"], ["a.png", "a.png"]),
        (["x/./a.png", "x/a.png"], ["a.png", "a.png"]),
    ],
)
def test_pictures_of_one_name_are_told_apart_by_their_folders(files: list[str], captions: list[str]) -> None:
    entries = [{"file_name": file, "image_id": 1, "lead": 0.0, "people": []} for file in files]
    made = {"pictures": {"best": entries, "worst": []}}
    (only,) = samples.galleries(made, CAER_S, lambda facts: ground(40, 30), 6)
    assert [picture.caption.partition(":")[0] for picture in only.pictures] == captions


@pytest.mark.parametrize(
    ("best", "worst", "shown"),
    [
        ([], [], [("Read best", []), ("Read worst", [])]),
        ([0.4], [], [("The picture", [0.4])]),
        ([0.4, 0.1], [-0.2], [("Read best", [0.4, 0.1]), ("Read worst", [-0.2])]),
        ([-1.0, -1.0], [-1.0, -1.0], [("All read alike", [-1.0, -1.0, -1.0, -1.0])]),
        ([0.402, 0.401], [0.399], [("All read alike", [0.402, 0.401, 0.399])]),
        ([0.4, -1.0], [-1.0, -1.0], [("Read best", [0.4]), ("Read worst", [-1.0, -1.0])]),
        ([0.4, 0.4], [-0.2, 0.4], [("Read best", [0.4, 0.4]), ("Read worst", [-0.2])]),
    ],
)
def test_none_is_called_best_that_is_read_no_better(
    best: list[float], worst: list[float], shown: list[tuple[str, list[float]]]
) -> None:
    made = {
        "pictures": {
            end: [{"file_name": f"{end}.png", "image_id": 1, "lead": lead, "people": []} for lead in leads]
            for end, leads in (("best", best), ("worst", worst))
        }
    }
    galleries = samples.galleries(made, CAER_S, lambda facts: ground(40, 30), 6)
    said = [(one.title, [picture.caption.rpartition("lead ")[2] for picture in one.pictures]) for one in galleries]
    assert said == [(title, [signed(100 * lead, 0) for lead in leads]) for title, leads in shown]


@pytest.mark.parametrize("emotions", [CAER_S, EMOTIC], ids=["one", "several"])
def test_gender_and_age_have_a_section_where_the_data_name_them(tmp_path: Path, emotions: Emotions) -> None:
    made = report(emotions, 4, attributes=True)
    page, files = written(tmp_path, made, emotions)
    assert "groups" in [section["id"] for section in page.all("section")]
    assert "groups.png" in files
    text = " ".join(page.text.split())
    assert "By age and gender" in text
    assert "differences between groups are by construction none" in text, "the data set is called synthetic"
    assert "no interval: fewer than 10 people" in text
    assert f"Of {made['groups'][1]['unnamed']} people it is not said." in text
    assert ("By chance" in text) == (emotions is EMOTIC)
    made["dataset"]["name"] = "EMOTIC"
    page, _ = written(tmp_path / "other", made, emotions)
    assert "by construction none" not in page.text
    assert "Do not use a score as proof" in page.text
