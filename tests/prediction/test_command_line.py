"""``dsct predict`` as a user runs it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dsct_detrex.prediction import Prediction, Predictor
from dsct_detrex.structures import CAER_S
from tests.commands import predict as main
from tests.prediction.tiny_release import write_release

SCRIPT = Path(__file__).parents[2] / "scripts" / "predict.py"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_release(tmp_path_factory.mktemp("release") / "best.safetensors"))


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``photos`` with four pictures, the last one broken; the working directory is where it lies."""
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for index in range(3):
        pixels = np.random.default_rng(index).integers(0, 255, (60, 80, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(f"photos/{index}.png")
    Path("photos/3.png").write_bytes(Path("photos/2.png").read_bytes()[:60])
    return Path("photos")


def predict(release: str, *words: str) -> int:
    return main([release, *words, "--threshold", "0", "--device", "cpu"])


def rows(out: str = "out") -> list[dict[str, object]]:
    return json.loads(Path(out, "predictions.json").read_text())


def test_the_command_writes_pictures_and_json(release: str, photos: Path) -> None:
    """In a fresh process, with a folder and nothing but the release."""
    (photos / "3.png").unlink()
    words = [release, "photos", "--out", "out", "--threshold", "0", "--device", "cpu"]
    done = subprocess.run([sys.executable, str(SCRIPT), *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"weights: {release}\n3 pictures, ")
    assert [row["file"] for row in rows()] == ["photos/0.png", "photos/1.png", "photos/2.png"]
    row = rows()[0]
    assert (row["width"], row["height"], row["drawn"]) == (80, 60, "0.png")
    person = row["people"][0]
    assert set(person) == {"box", "score", "emotions", "probabilities"}
    assert list(person["probabilities"]) == list(CAER_S.names)
    assert person["emotions"] == [max(person["probabilities"], key=person["probabilities"].get)]
    assert Image.open("out/0.png").width >= 640


@pytest.mark.parametrize("batch_size", ["1", "2", "9"])
@pytest.mark.parametrize(("on_error", "status"), [([], 1), (["--on-error", "report"], 1), (["--on-error", "skip"], 0)])
def test_one_broken_picture_is_a_row_and_the_rest_is_kept(
    on_error: list[str], status: int, batch_size: str, release: str, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(release, "photos", "--out", "out", "--batch-size", batch_size, *on_error) == status
    *good, broken = rows()
    assert [row["file"] for row in good] == [f"photos/{index}.png" for index in range(3)]
    assert all(row["people"] for row in good)
    assert set(broken) == {"file", "error"}
    assert "3.png cannot be read (image file is truncated" in str(broken["error"])
    assert sorted(path.name for path in Path("out").glob("*.png")) == ["0.png", "1.png", "2.png"]
    said = capsys.readouterr()
    assert "3 pictures, " in said.out
    assert "; 1 could not be read: out" in said.out
    assert ("1 of 4 pictures could not be read (their rows have the reason). photos/3.png" in said.err) == bool(status)


@pytest.mark.parametrize("batch_size", ["1", "9"])
def test_asked_to_stop_it_keeps_what_was_done(
    batch_size: str, release: str, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "4.png").write_bytes((photos / "0.png").read_bytes())
    assert predict(release, "photos", "--out", "out", "--on-error", "raise", "--batch-size", batch_size) == 2
    assert [row["file"] for row in rows()] == ["photos/0.png", "photos/1.png", "photos/2.png"]
    said = capsys.readouterr().err
    assert "3.png cannot be read" in said
    assert "Or set --on-error skip to go on without such pictures." in said


def test_nothing_but_broken_pictures_is_an_error(
    release: str, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(release, "photos/3.png", "--out", "out", "--on-error", "skip") == 2
    assert "error: predict: 1 of 1 pictures could not be read. photos/3.png" in capsys.readouterr().err
    assert "truncated" in str(rows()[0]["error"])


def test_what_is_left_out_and_how_pictures_were_read_is_said(
    release: str, photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "3.png").unlink()
    (photos / "clip.mpg").write_bytes(b"x")
    frames = [Image.new("RGB", (8, 8), color) for color in ("white", "black")]
    frames[0].save(photos / "moving.gif", save_all=True, append_images=frames[1:])
    Image.new("RGB", (800, 600)).save(photos / "phone.jpg")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100_000)
    assert predict(release, "photos", "--out", "out") == 0
    said = capsys.readouterr().out
    assert said.startswith(f"weights: {release}\nleft out: 1 video (.mpg)\n5 pictures, ")
    assert "; 1 of several frames, of which the first was read; 1 read at reduced size, boxes in pixels of" in said
    row = next(row for row in rows() if row["file"] == "photos/phone.jpg")
    assert (row["width"], row["height"]) == (800, 600)
    assert max(person["box"][2] for person in row["people"]) > 400


def test_results_beside_the_photos_twice(release: str, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (photos / "3.png").unlink()
    before = {path: path.read_bytes() for path in photos.iterdir()}
    for _ in range(2):
        assert predict(release, "photos", "--out", "photos", "--recursive") == 0
        assert [row["file"] for row in rows("photos")] == [f"photos/{index}.png" for index in range(3)]
        assert {path: path.read_bytes() for path in before} == before
    said = capsys.readouterr().out
    assert "left out: 4 results of an earlier run" in said
    assert "the earlier predictions.json is now predictions.previous.json" in said


def test_without_pictures_there_is_the_json_alone(release: str, photos: Path) -> None:
    assert predict(release, "photos/0.png", "--out", "photos", "--no-pictures") == 0
    assert "drawn" not in rows("photos")[0]
    assert not Path("photos/predictions").exists()


def test_names_of_any_bytes_are_read_and_written(
    release: str, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["new\nline %s [red].png", "\U0001f600.png", os.fsdecode(b"latin\xe9.png")]
    for name in names:
        os.rename(photos / f"{names.index(name)}.png", photos / name)
        if "\n" in name:
            (photos / f"broken {name}").write_bytes(b"x")
    assert predict(release, "photos", "--out", "out") == 1
    assert {row["file"] for row in rows() if "people" in row} == {f"photos/{name}" for name in names}
    assert all(Path("out", str(row["drawn"])).is_file() for row in rows() if "people" in row)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_foreign_predictions_json_is_found_before_any_work(
    release: str, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("out").mkdir()
    Path("out/predictions.json").write_text("{}")
    assert main(["no such checkpoint", "photos", "--out", "out"]) == 2
    assert "predictions.json is no result of predict.py and is not replaced" in capsys.readouterr().err
    assert Path("out/predictions.json").read_text() == "{}"


def test_a_killed_run_leaves_the_rows_that_were_done(release: str, photos: Path) -> None:
    (photos / "3.png").unlink()
    for index in range(3, 300):
        os.link(photos / "0.png", photos / f"{index:03}.png")
    words = [release, "photos", "--out", "out", "--threshold", "0", "--device", "cpu"]
    path = Path("out/predictions.json")
    with subprocess.Popen([sys.executable, str(SCRIPT), *words], stdout=subprocess.DEVNULL) as process:
        while not (path.exists() and path.stat().st_size > 2000):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    done = rows()
    assert 1 <= len(done) < 300
    assert all(Path("out", str(row["drawn"])).is_file() for row in done)


def test_interrupted_it_says_what_is_there(
    release: str, photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Predictor.stream

    def interrupted(*given: object, **settings: object) -> Iterator[Prediction]:
        for result in stream(*given, **settings):
            if Path("out/1.png").exists():
                raise KeyboardInterrupt
            yield result

    monkeypatch.setattr(Predictor, "stream", interrupted)
    assert predict(release, "photos", "--out", "out") == 130
    assert "Interrupted; 2 of 4 pictures are in out/predictions.json." in capsys.readouterr().err
    assert len(rows()) == 2


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")]
)
def test_memory_that_one_picture_does_not_find_costs_that_picture_alone(
    error: Exception, release: str, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "3.png").unlink()
    Image.new("RGB", (90, 60)).save(photos / "wide.png")
    forward = torch.nn.Module.__call__

    def short_of_memory(self: torch.nn.Module, *given: object) -> object:
        batch = given[0] if given and isinstance(given[0], list) else []
        if any(isinstance(one, dict) and one.get("width") == 90 for one in batch):
            raise error
        return forward(self, *given)

    load = Predictor.from_checkpoint.__func__

    def from_checkpoint(cls: type, *given: object, **settings: object) -> Predictor:
        predictor: Predictor = load(cls, *given, **settings)
        model = predictor.model
        predictor.model = lambda batch: short_of_memory(model, batch)
        return predictor

    monkeypatch.setattr(Predictor, "from_checkpoint", classmethod(from_checkpoint))
    assert predict(release, "photos", "--out", "out", "--batch-size", "4") == 1
    assert [("error" in row) for row in rows()] == [False, False, False, True]
    assert "not enough memory" in str(rows()[3]["error"])


def test_a_failure_that_is_no_lack_of_memory_is_not_hidden(
    release: str, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Predictor, "keep", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        predict(release, "photos", "--out", "out")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--batch-size", "0"], "error: predict: --batch-size expects a whole number of at least 1. Got 0."),
        (["--device", "gpu"], "error: predict: --device expects auto, cpu, cuda, cuda:N or mps. Got gpu."),
        (["--device", "cuda"], "error: --device=cuda needs a GPU and a CUDA build of torch"),
    ],
)
def test_a_wrong_flag_is_one_sentence(
    words: list[str], message: str, photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main(["no such checkpoint", "photos", *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith(message)
    assert len(said.splitlines()) == 1


def test_a_release_of_live_hosts_asks_for_detrex(
    release: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty folder is named as detrex's checkout: with the flag that is one sentence, without it nobody looks."""
    monkeypatch.setenv("DETREX_ROOT", str(tmp_path))
    words = ["photos/0.png", "--out", "out", "--no-pictures"]
    assert predict(release, *words) == 0
    assert predict(release, *words, "--hosts-from", "detrex") == 2
    assert "DETREX_ROOT expects a checkout of detrex" in capsys.readouterr().err


def test_home_is_expanded(release: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    os.link(release, tmp_path / "best.safetensors")
    assert main(["~/best.safetensors", "~/photos/0.png", "--out", "~/out", "--device", "cpu"]) == 0
    assert (tmp_path / "out" / "predictions.json").is_file()
    assert not Path("~").exists()
