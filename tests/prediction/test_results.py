"""Nothing of the user's is written over: inputs in every disguise, own pictures, other files; our own results are."""

import os
from pathlib import Path

import pytest
from PIL import Image

from dsct_detrex.errors import UserError
from dsct_detrex.prediction.own_files import LIST_NAME, OwnFiles
from dsct_detrex.prediction.pictures import find_pictures
from dsct_detrex.prediction.results import Results

DRAWN = Image.new("RGB", (4, 4), "blue")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def picture(path: str, color: str = "red") -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6), color).save(path)
    return Path(path)


def drawn(out: str, *inputs: str) -> list[str]:
    """One run: write every drawn copy, return the names of the copies."""
    pictures, _ = find_pictures(inputs)
    results = Results(Path(out), pictures)
    results.open()
    return [results.save(found, DRAWN) for found in pictures]


@pytest.mark.parametrize("out", ["photos", "./photos", "photos/../photos", "link", "photos/day1/.."])
def test_the_folder_of_the_photos_as_the_folder_of_the_results(out: str) -> None:
    before = {path: path.read_bytes() for path in (picture("photos/a.png"), picture("photos/day1/a.jpg"))}
    os.symlink("photos", "link")
    for _ in range(3):  # the second and third run leave the results of the first out
        assert drawn(out, "photos") == ["predictions/a.png", "predictions/day1/a.jpg"]
        assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    ("out", "inputs"),
    [
        ("photos", ["photos/a.png"]),
        ("photos", [os.path.join("photos", "..", "photos", "a.png")]),
        ("photos/day1", ["photos"]),
        ("out", ["out/a.png", "photos"]),
        ("linked", ["photos"]),
        ("hard", ["photos"]),
        (".", ["."]),
        ("photos", ["elsewhere"]),  # a photo of the same name that is no input
    ],
)
def test_no_file_that_was_there_changes(out: str, inputs: list[str]) -> None:
    for name in ("photos/a.png", "photos/day1/a.png", "photos/day1/day1/a.png", "out/a.png", "elsewhere/a.png"):
        picture(name, color="green" if name.startswith("e") else "red")
    Path("linked").mkdir()
    os.symlink("../photos/a.png", "linked/a.png")
    Path("hard").mkdir()
    os.link("photos/a.png", "hard/a.png")
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert drawn(out, *inputs)
    assert drawn(out, *inputs)
    assert {path: path.read_bytes() for path in before} == before
    assert Path("linked/a.png").is_symlink()


def test_our_own_results_are_replaced() -> None:
    picture("photos/a.png")
    assert drawn("out", "photos") == ["a.png"]
    Path("out/a.png").chmod(0o644)
    assert drawn("out", "photos") == ["a.png"]
    assert sorted(path.name for path in Path("out").iterdir()) == [LIST_NAME, "a.png"]


def test_a_result_that_is_an_input_is_an_input() -> None:
    picture("photos/a.png")
    drawn("out", "photos")
    before = Path("out/a.png").read_bytes()
    assert drawn("out", "out/a.png") == ["predictions/a.png"]
    assert Path("out/a.png").read_bytes() == before


def test_what_a_user_put_in_the_place_of_a_result_is_the_users() -> None:
    picture("photos/a.png")
    drawn("out", "photos")
    theirs = picture("out/a.png", "green").read_bytes()
    assert find_pictures(["out"])[0][0].path == Path("out/a.png")
    assert drawn("out", "photos") == ["predictions/a.png"]
    assert Path("out/a.png").read_bytes() == theirs


def test_results_are_left_out_of_a_search_from_anywhere() -> None:
    picture("photos/day1/a.jpg")
    drawn("photos/runs/predict", "photos")
    for root in (".", "photos", "photos/runs"):
        if root == "photos/runs":
            with pytest.raises(UserError, match=r"no picture in photos/runs\. Left out: 1 result of an earlier run"):
                find_pictures([root])
        else:
            pictures, left_out = find_pictures([root])
            assert [found.path.name for found in pictures] == ["a.jpg"]
            assert left_out.sentence() == "1 result of an earlier run"
    with pytest.raises(UserError, match="no picture"):
        find_pictures(["photos/runs/predict/day1"])
    assert find_pictures(["photos/runs/predict/day1/a.jpg"])[0]  # named itself, it is tried


def test_a_second_place_that_is_taken_is_refused() -> None:
    picture("photos/a.png")
    picture("photos/predictions/a.png")
    pictures, _ = find_pictures(["photos/a.png"])
    with pytest.raises(UserError, match=r"photos/predictions/a\.png was not written by predict\.py .* another --out"):
        Results(Path("photos"), pictures)


@pytest.mark.parametrize("name", ["day1", "day1/a.png"])
def test_a_file_where_a_folder_must_be_and_the_other_way_round(name: str) -> None:
    picture("photos/day1/a.png")
    if name == "day1":
        Path("out").mkdir()
        Path("out/day1").write_text("mine")
    else:
        Path("out/day1/a.png").mkdir(parents=True)
    assert drawn("out", "photos") == ["predictions/day1/a.png"]
    assert Path("out/day1").is_file() == (name == "day1")


def test_a_dangling_link_is_not_written_through() -> None:
    picture("photos/a.png")
    Path("out").mkdir()
    os.symlink("../gone.png", "out/a.png")
    assert drawn("out", "photos") == ["predictions/a.png"]
    assert not Path("gone.png").exists()


def test_a_file_as_the_folder_of_the_results_is_refused() -> None:
    picture("photos/a.png")
    pictures, _ = find_pictures(["photos"])
    with pytest.raises(UserError, match=r"--out expects a folder\. Got photos/a\.png, which is a file"):
        Results(Path("photos/a.png"), pictures)
    with pytest.raises(UserError, match=r"writing photos/a\.png/x failed \(Not a directory\)"):
        Results(Path("photos/a.png/x"), pictures).open()


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.jpg", "JPEG"), ("a.JPEG", "JPEG"), ("a.png", "PNG"), ("a.webp", "WEBP"), ("a.bmp", "BMP"), ("a.tiff", "TIFF")],
)
def test_a_drawn_copy_is_what_its_suffix_says(name: str, form: str) -> None:
    picture(f"photos/{name}")
    assert drawn("out", "photos") == [name]
    with Image.open(Path("out") / name) as copy:
        assert copy.format == form
        assert copy.convert("RGB").getpixel((1, 1))[2] > 200


def test_a_failed_write_leaves_no_half_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    picture("photos/a.png")
    pictures, _ = find_pictures(["photos"])
    results = Results(Path("out"), pictures)
    results.open()

    def full(*_: object, **__: object) -> None:
        Path("out/.dsct_unfinished").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(UserError, match=r"writing out/a\.png failed \(No space left on device\)"):
        results.save(pictures[0], DRAWN)
    assert list(Path("out").iterdir()) == []


def test_a_list_cut_short_names_what_it_still_can() -> None:
    picture("photos/a.png")
    picture("photos/b.png")
    drawn("out", "photos")
    whole = Path("out", LIST_NAME).read_bytes()
    Path("out", LIST_NAME).write_bytes(whole[:-9] + b"\nnull\n[]\n{}\n\xff\n")
    own = OwnFiles(Path("out"))
    assert own.holds(Path("out/a.png"))
    assert not own.holds(Path("out/b.png"))
    assert not own.holds(Path("photos/a.png"))
