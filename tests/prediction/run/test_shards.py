"""One collection, several processes: every picture once, in one result at the end, whoever stops and goes on."""

from pathlib import Path

import pytest

from dsct_detrex.cli.predict import build_parser
from dsct_detrex.errors import UserError
from dsct_detrex.prediction.run.shards import Shard, merging_alone
from dsct_detrex.structures import CAER_S
from tests.commands import predict as main
from tests.prediction.finds import finder
from tests.prediction.stubs import files, interrupt_after, picture, predict, rows, use

NAMES = [f"photos/{number}.png" for number in range(7)]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(NAMES):
        picture(name, seed)
    Path("photos/2.png").write_bytes(b"broken")
    use(finder(CAER_S), monkeypatch)


def shard(number: int, of: int, *more: str) -> int:
    drawn = () if "csv,pictures" in more else ("--no-pictures",)
    return predict("photos", "--out", "out", "--shard", f"{number}/{of}", *more, *drawn)


def left() -> list[str]:
    return sorted(path.name for path in Path("out").glob("predictions*"))


@pytest.mark.parametrize("of", [1, 2, 3, 9])
def test_the_last_one_merges_in_the_order_of_the_whole(of: int, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(of, 0, -1):
        assert not Path("out/predictions.json").exists()
        shard(number, of, "--format", "csv,pictures" if of == 2 else "csv")
    assert left() == ["predictions.csv", "predictions.json"]
    assert files() == NAMES
    assert all("unit" not in row for row in rows())
    assert "cannot be read" in rows()[2]["error"]
    drawn = [f"{number}.png" for number in (0, 1, 3, 4, 5, 6)] if of == 2 else []
    assert sorted(path.name for path in Path("out").glob("*.png")) == drawn
    assert f"merged {of} shard{'s' * (of > 1)}: 7 rows, 18 people; 1 could not be read" in capsys.readouterr().out
    assert [row["drawn"] for row in rows() if "drawn" in row] == drawn


def test_every_unit_is_taken_once() -> None:
    for of in (1, 2, 5):
        takers = [[number for number in range(1, of + 1) if Shard(number, of).takes(unit)] for unit in range(20)]
        assert all(len(one) == 1 for one in takers)


def test_an_interrupted_shard_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    shard(1, 2, "--resume")
    interrupt_after(1, monkeypatch)
    assert shard(2, 2, "--resume") == 130
    assert left() == ["predictions.shard-1-of-2.json", "predictions.shard-2-of-2.part.json"]
    assert [row["file"] for row in rows("out", "predictions.shard-2-of-2.part.json")] == ["photos/1.png"]
    predictor = finder(CAER_S)
    use(predictor, monkeypatch)
    assert shard(2, 2, "--resume") == 0
    assert sum(predictor.model.batches) == 2
    assert (left(), files()) == (["predictions.json"], NAMES)


def test_a_shard_that_goes_on_ends_as_one_that_was_not_interrupted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The broken picture is of shard 1, whoever found that out, and however often it is asked."""
    interrupt_after(2, monkeypatch)
    assert shard(1, 2, "--resume") == 130
    use(finder(CAER_S), monkeypatch)
    assert [shard(number, 2, "--resume") for number in (1, 2)] == [1, 0]
    capsys.readouterr()
    assert [shard(number, 2, "--resume") for number in (1, 2)] == [1, 0]
    said = capsys.readouterr()
    assert "shard 1 of 2: 0 pictures, 0 people; 4 done before: out" in said.out
    assert "shard 2 of 2: 0 pictures, 0 people; 3 done before: out" in said.out
    assert said.err.startswith("1 of 4 pictures could not be read (their rows have the reason). photos/2.png: ")
    assert shard(1, 2, "--resume", "--on-error", "skip") == 0


def test_shards_of_another_list_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever counts other pictures would leave some out; a split that goes on may not know more of them either."""
    shard(1, 2)
    before = _contents()
    picture("photos/another.png")
    capsys.readouterr()
    for number, more in ((2, ()), (1, ("--resume",))):
        assert shard(number, 2, *more) == 2
        said = capsys.readouterr().err
        assert "--resume cannot go on with the rows in out: its shards split other pictures. Give the same" in said
        assert len(said.splitlines()) == 1
        assert _contents() == before, "the finished shard stays finished"
    Path("photos/another.png").unlink()
    assert [shard(number, 2, "--resume") for number in (1, 2)] == [1, 0]
    assert files() == NAMES


def _contents() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path("out").iterdir()}


def test_an_interrupted_split_goes_on_with_another_number(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_after(2, monkeypatch)
    assert shard(1, 2, "--resume") == 130
    predictor = finder(CAER_S)
    use(predictor, monkeypatch)
    for number in (1, 2, 3):
        assert shard(number, 3, "--resume") in (0, 1)
    assert (left(), files()) == (["predictions.json"], NAMES)
    assert sum(predictor.model.batches) == 5


def test_what_is_there_of_an_interrupted_split_can_be_merged(capsys: pytest.CaptureFixture[str]) -> None:
    shard(2, 3)
    assert main(["--merge", "out", "--format", "jsonl"]) == 0
    assert files() == ["photos/1.png", "photos/4.png"]
    assert len(Path("out/predictions.jsonl").read_text().splitlines()) == 2
    assert "merged 1 shard: 2 rows, 6 people: out/predictions.json, predictions.jsonl" in capsys.readouterr().out
    for number in (1, 2, 3):
        shard(number, 3, "--resume")
    assert sorted(files()) == NAMES
    capsys.readouterr()
    assert main(["--merge", "out", "--format", "csv"]) == 1
    said = capsys.readouterr()
    assert said.out == (
        "no shards are there, all rows are together: 7 rows, 18 people; 1 could not be read: out/predictions.json, "
        "predictions.csv; made anew: predictions.jsonl\n"
    )
    assert said.err.startswith("1 of 7 pictures could not be read (their rows have the reason). photos/2.png: ")
    assert len(Path("out/predictions.csv").read_text().splitlines()) == 1 + 18 + 1
    assert main(["--merge", "out", "--on-error", "skip"]) == 0
    assert "out/predictions.json; made anew: predictions.csv, predictions.jsonl\n" in capsys.readouterr().out


def test_a_merge_of_nothing_that_could_be_read_ends_as_such_a_run() -> None:
    assert predict("photos/2.png", "--out", "out", "--no-pictures") == 2
    assert main(["--merge", "out", "--on-error", "skip"]) == 2


def test_what_two_splits_have_is_merged_once() -> None:
    """As the frames of a video that one split began and another, begun anew, finished."""
    shard(1, 2)
    rows_of_shard = Path("out/predictions.shard-1-of-2.json")
    Path("out/predictions.shard-1-of-3.part.json").write_bytes(rows_of_shard.read_bytes())
    assert main(["--merge", "out"]) == 1
    assert files() == NAMES[::2]


@pytest.mark.parametrize("number", [1, 2])
def test_results_of_an_earlier_run_are_not_mixed_in(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    shard(1, 2)
    if number == 2:
        shard(2, 2)
    assert shard(1, 2) == 2
    assert "is there already. Add --resume to go on, or give another --out" in capsys.readouterr().err


def test_an_undivided_run_does_not_forget_shards(capsys: pytest.CaptureFixture[str]) -> None:
    shard(1, 2)
    for more in ([], ["--resume"]):
        assert predict("photos", "--out", "out", *more) == 2
        assert "put what is there together: predict --merge out" in capsys.readouterr().err


def test_shards_made_otherwise_are_not_mixed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shard(1, 2)
    other = finder(CAER_S)
    use(other, monkeypatch)
    other.nms = 0.25
    assert shard(2, 2) == 2
    assert "nms was 1.0 and is 0.25" in capsys.readouterr().err


def test_only_one_of_two_that_finish_together_merges(tmp_path: Path) -> None:
    (tmp_path / Shard(1, 1).name).write_text("[\n]\n")
    with merging_alone(tmp_path) as first, merging_alone(tmp_path) as second:
        assert (first, second) == (True, False)
    (tmp_path / ".dsct_merging").touch()  # a merge that was killed holds nobody up
    with merging_alone(tmp_path) as later:
        assert later
    (tmp_path / Shard(1, 1).name).unlink()
    with merging_alone(tmp_path) as too_late:
        assert not too_late


@pytest.mark.parametrize("words", [["-"], ["webcam"], ["photos", "-"]])
def test_what_comes_live_is_not_split(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert predict(*words, "--out", "out", "--shard", "1/2") == 2
    assert "cannot be split among processes; give a list, a folder or files" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/", "/2", "a/b", "-1/2", "1/0", "1.5/2", "\u00b2/3"])
def test_a_shard_is_one_of_so_many(text: str) -> None:
    with pytest.raises(UserError, match=r"--shard expects I/N, the I-th of N parts, 1/4 to 4/4 for example\. Got "):
        build_parser().read(["x", "a.jpg", f"--shard={text}"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: None, "--merge expects a folder with rows of predict.py. out has none"),
        (lambda: picture("out/a.png") and None, "--merge expects a folder with rows of predict.py. out has none"),
    ],
)
def test_a_merge_of_nothing_is_one_sentence(make: object, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    make()  # type: ignore[operator]
    assert main(["--merge", "out"]) == 2
    assert message in capsys.readouterr().err


def test_torchrun_splits_by_itself(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What torchrun says to each of its processes is enough."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        monkeypatch.setenv("LOCAL_RANK", rank)
        assert predict("photos", "--out", "out", "--no-pictures") in (0, 1)
    said = capsys.readouterr().out
    assert said.count("weights: ") == 1
    assert "shard 2 of 2: 3 pictures" in said
    assert files() == NAMES
    assert predict("photos", "--out", "out2", "--shard", "1/2") == 2
    assert "--shard is what torchrun says already" in capsys.readouterr().err
