"""An interrupted run goes on with the same command: nothing twice, nothing lost, nothing mixed."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dsct_detrex.errors import UserError
from dsct_detrex.prediction import Prediction, Predictor
from dsct_detrex.prediction.rows import Rows, is_rows, read_rows
from dsct_detrex.prediction.run.facts import Facts
from dsct_detrex.structures import CAER_S
from tests.prediction.clips import colour_finder, write_clip
from tests.prediction.finds import finder
from tests.prediction.stubs import files, interrupt_after, picture, predict, rows, use

NAMES = [f"photos/{number}.png" for number in range(6)]
RESUME = ("photos", "--out", "out", "--resume", "--no-pictures")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(NAMES):
        picture(name, seed)
    Path("photos/1.png").write_bytes(b"broken")
    use(finder(CAER_S), monkeypatch)


@pytest.mark.parametrize("after", [0, 1, 3, 5])
@pytest.mark.parametrize("batch_size", ["1", "4"])
def test_what_has_a_row_is_not_done_again(
    after: int, batch_size: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupt_after(after, monkeypatch)
    words = [word for word in RESUME if word != "--no-pictures" or after != 3]
    assert predict(*words, "--batch-size", batch_size) == 130
    assert "The same command with --resume goes on" in capsys.readouterr().err
    assert files() == NAMES[:after]
    predictor = finder(CAER_S)
    use(predictor, monkeypatch)
    assert predict(*words, "--batch-size", batch_size) == 1, "as the run that is not interrupted"
    assert files() == NAMES
    readable = len([name for name in NAMES[after:] if name != "photos/1.png"])
    assert sum(predictor.model.batches) == readable
    assert (f"; {after} done before" in capsys.readouterr().out) == bool(after)
    assert len(list(Path("out").glob("*.png"))) == (5 if after == 3 else 0)


def test_done_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert predict(*RESUME) == 1
    before = Path("out/predictions.json").read_bytes()
    assert predict(*RESUME) == 1
    assert Path("out/predictions.json").read_bytes() == before
    said = capsys.readouterr()
    assert "0 pictures, 0 people; 6 done before" in said.out
    assert said.err.splitlines()[-1].startswith(
        "1 of 6 pictures could not be read (their rows have the reason). photos/1.png: The image photos/1.png cannot"
    )
    picture("photos/7.png")
    assert predict(*RESUME, "--on-error", "skip") == 0
    assert files() == [*NAMES, "photos/7.png"]


def test_a_run_that_goes_on_ends_as_one_that_was_not_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing that could be read, then something, then another broken one."""
    words = ("--out", "out", "--resume", "--no-pictures")
    assert predict("photos/1.png", *words) == 2
    assert predict("photos/1.png", *words) == 2
    assert capsys.readouterr().err.count("error: predict: 1 of 1 pictures could not be read. photos/1.png: ") == 2
    assert predict("photos/0.png", *words) == 1
    Path("photos/2.png").write_bytes(b"")
    assert predict("photos/2.png", *words) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("2 of 3 pictures could not be read (their rows have the reason). photos/2.png: ")
    assert "; photos/1.png: " in said


def test_without_it_a_run_begins_anew() -> None:
    assert predict("photos/0.png", "--out", "out", "--no-pictures") == 0
    assert predict("photos/2.png", "--out", "out") == 0
    assert files() == ["photos/2.png"]
    assert [row["file"] for row in rows("out", "predictions.previous.json")] == ["photos/0.png"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threshold": 0.7}, "threshold was 0.0 and is 0.7"),
        ({"origin": "other.safetensors"}, "weights was model and is other.safetensors"),
        ({"amp": "auto"}, "amp was off and is auto"),
    ],
)
def test_rows_made_otherwise_are_not_mixed(
    change: dict[str, object], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict("photos/0.png", "--out", "out", "--no-pictures") == 0
    before = Path("out/predictions.json").read_bytes()
    predictor = finder(CAER_S)
    use(predictor, monkeypatch)
    for name, value in change.items():
        setattr(predictor, name, value)
    assert predict(*RESUME) == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) == 1
    assert Path("out/predictions.json").read_bytes() == before


def test_rows_of_an_unknown_run_are_not_gone_on_with(capsys: pytest.CaptureFixture[str]) -> None:
    assert predict("photos/0.png", "--out", "out", "--no-pictures") == 0
    Path("out/.dsct_run.json").unlink()
    assert predict(*RESUME) == 2
    assert "nothing there says how its rows were made" in capsys.readouterr().err
    assert files() == ["photos/0.png"]


def test_rows_another_program_wrote_anew_are_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert predict("photos", "--out", "out", "--no-pictures") == 1
    text = json.dumps(rows(), indent=1)
    Path("out/predictions.json").write_text(text)
    assert predict(*RESUME) == 2
    assert "predictions.json is not as this program wrote it; give another --out" in capsys.readouterr().err
    assert Path("out/predictions.json").read_text() == text


def test_a_video_that_was_not_finished_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("av")
    pytest.importorskip("trackers")
    use(colour_finder(), monkeypatch)
    for name in ("a.mp4", "b.mp4"):
        write_clip(Path(name), frames=5)
    stream, counts = Predictor.stream, [0]

    def interrupted(*given: object, **settings: object) -> Iterator[Prediction]:
        for result in stream(*given, **settings):
            counts[0] += 1
            if counts[0] == 8:
                raise KeyboardInterrupt
            yield result

    words = ("a.mp4", "b.mp4", "--out", "out", "--resume", "--format", "csv,video")
    monkeypatch.setattr(Predictor, "stream", interrupted)
    assert predict(*words) == 130
    assert [row["file"] for row in rows()] == ["a.mp4"] * 6 + ["b.mp4"] * 2
    assert Path("out/b.mp4").is_file(), "what there is of it can be played"
    monkeypatch.setattr(Predictor, "stream", stream)
    assert predict(*words) == 0
    assert [row.get("frame") for row in rows()] == [0, 1, 2, 3, 4, None] * 2
    assert len(Path("out/predictions.csv").read_text().splitlines()) == 1 + 20


def test_rows_are_read_and_gone_on_with_in_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsct_detrex.prediction.rows._WHOLE", 10)
    names = ["a.jpg", "new\nline.png", os.fsdecode(b"\xe9.png")]
    with Rows(tmp_path) as new:
        for name in names:
            new.add({"file": name, "people": []})
    path = tmp_path / "predictions.json"
    assert is_rows(path)
    assert [row["file"] for row in read_rows(path)] == names
    with Rows(tmp_path, resume=True) as again:
        assert again.done.problems == dict.fromkeys(names, "")
        again.add({"file": "d", "error": "x"})
        assert [row["file"] for row in json.loads(path.read_text())] == [*names, "d"]
    path.write_text('{"file": "a", "people": []}\n' * 3)
    assert not is_rows(path)
    path.write_text("[\n" + '{"image_id": 1},\n' * 3 + "{}\n]\n")
    assert not is_rows(path)
    with pytest.raises(UserError, match="is no result of predict"):
        Rows(tmp_path, resume=True)


def test_weights_replaced_under_their_name_are_other_weights(tmp_path: Path) -> None:
    earlier = Facts("best.safetensors", "a", 0.3, 0.5, 1, "off", "moods", ("calm", "tense"), True, "x")
    earlier.write(tmp_path)
    earlier.check_same(tmp_path)
    replace(earlier, units="").check_same(tmp_path)
    for other, said in (
        (replace(earlier, content="b"), "the content of best.safetensors has changed"),
        (replace(earlier, content="b", weights="last.pth"), "weights was best.safetensors and is last.pth"),
        (replace(earlier, units="y"), "its shards split other pictures"),
        (replace(earlier, amp="on"), "amp was off and is on"),
    ):
        with pytest.raises(UserError, match=said):
            other.check_same(tmp_path)
    replace(earlier, weights="elsewhere/best.safetensors").check_same(tmp_path)
