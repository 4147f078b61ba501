"""Videos: every frame in its place and time, people who stay who they are, a drawn copy that plays."""

import contextlib
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from dsct_detrex.data.images import ImageError
from dsct_detrex.prediction.run.drawn_video import DrawnVideo
from dsct_detrex.prediction.run.tracking import Identities
from dsct_detrex.prediction.sources.video import VideoFile
from dsct_detrex.structures import Boxes, Instances
from tests.prediction.clips import SIDE, colour_finder, corners, decoded, write_clip
from tests.prediction.stubs import predict, rows, use

pytest.importorskip("av")
pytest.importorskip("trackers")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    use(colour_finder(), monkeypatch)


def frames(out: str = "out") -> list[dict]:
    return [row for row in rows(out) if "frame" in row]


@pytest.mark.parametrize("batch_size", ["1", "4"])
def test_people_keep_who_they_are_while_they_pass_each_other(batch_size: str) -> None:
    write_clip(Path("clip.mp4"))
    assert predict("clip.mp4", "--out", "out", "--batch-size", batch_size) == 0
    assert [row["frame"] for row in frames()] == list(range(20))
    assert [row["seconds"] for row in frames()] == pytest.approx([number / 10 for number in range(20)])
    who: dict[int, set[str]] = {}
    for row in frames():
        assert (row["width"], row["height"]) == (96, 64)
        for person in row["people"]:
            x, y = person["box"][:2]
            name = min(corners(row["frame"]), key=lambda name: abs(corners(row["frame"])[name][1] - y))
            assert abs(corners(row["frame"])[name][0] - x) <= 2
            if "track" in person:
                who.setdefault(person["track"], set()).add(name)
    assert sorted(who) == [1, 2], "two people, whoever comes first in the list"
    assert sorted(map(len, who.values())) == [1, 1]
    assert rows()[-1] == {"file": "clip.mp4", "frames": 20, "seconds": 1.9, "tracks": 2, "drawn": "clip.mp4"}


def test_the_drawn_copy_plays_as_long_and_shows_the_frame() -> None:
    write_clip(Path("clip.mp4"))
    assert predict("clip.mp4", "--out", "out", "--stride", "5") == 0
    assert [row["frame"] for row in frames()] == [0, 5, 10, 15]
    drawn = list(decoded(Path("out/clip.mp4")))
    assert [seconds for seconds, _ in drawn] == pytest.approx([0, 0.5, 1.0, 1.5], abs=0.01)
    scale = drawn[0][1].shape[1] // 96
    for (_, pixels), row in zip(drawn, frames(), strict=True):
        x, y = corners(row["frame"])["blue"]
        middle = pixels[scale * (y + SIDE // 2), scale * (x + SIDE // 2)].astype(int)
        assert middle[2] > 150 > 100 > middle[0]


@pytest.mark.parametrize(
    ("name", "codec"), [("a.avi", "mpeg4"), ("a.mkv", "mpeg4"), ("a.mov", "mpeg4"), ("A.MPG", "mpeg2video")]
)
def test_other_containers(name: str, codec: str) -> None:
    write_clip(Path(name), frames=6, rate=25, codec=codec)
    assert predict(name, "--out", "out") == 0
    assert len(frames()) == 6
    assert rows()[-1]["drawn"] == f"{name}.mp4"
    assert len(list(decoded(Path("out", f"{name}.mp4")))) == 6


def test_time_is_that_of_the_file_where_the_rate_is_uneven() -> None:
    times = [0.0, 0.1, 0.7, 0.8, 2.0]
    write_clip(Path("clip.mkv"), frames=5, times=times)
    assert predict("clip.mkv", "--out", "out") == 0
    assert [row["seconds"] for row in frames()] == pytest.approx(times, abs=0.002)
    assert [seconds for seconds, _ in decoded(Path("out/clip.mkv.mp4"))] == pytest.approx(times, abs=0.01)


def test_a_video_of_a_phone_on_its_side_is_turned() -> None:
    write_clip(Path("clip.mp4"), frames=3, turn=90)
    with VideoFile(Path("clip.mp4"), Path()).open() as footage:
        (first, *_) = footage.frames(1)
    assert first.photo.pixels.size == (64, 96)
    x, y = corners(0)["red"]
    side = SIDE // 2
    red, _, blue = first.photo.pixels.getpixel((y + side, 96 - (x + side)))
    assert red > 150 > 100 > blue, "turned counterclockwise: left becomes bottom"


def cut(path: str, share: float) -> None:
    os.truncate(path, int(share * os.path.getsize(path)))


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.avi"])
def test_a_video_that_ends_in_the_middle_keeps_its_frames_and_says_so(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_clip(Path(name), frames=40)
    cut(name, 0.6)
    assert predict(name, "--out", "out") == 1
    *some, last = rows()
    assert 10 < len(some) < 36
    assert all("people" in row for row in some)
    assert last["frames"] == len(some)
    of = rf" frames, at {last['seconds']:.1f} of 4\.\d seconds" if name == "clip.mkv" else " of 40 frames"
    assert re.match(rf"The video {name} ends after {len(some)}{of}", last["error"])
    assert len(list(decoded(Path("out", last["drawn"])))) == len(some)
    assert "1 of 1 pictures or videos could not be read (their rows have the reason)" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"no video at all", bytes(4096)])
def test_what_is_no_video_is_a_row_and_the_rest_is_done(content: bytes) -> None:
    Path("bad.mp4").write_bytes(content)
    write_clip(Path("good.mp4"), frames=3)
    assert predict("bad.mp4", "good.mp4", "--out", "out") == 1
    assert rows()[0]["file"] == "bad.mp4"
    assert "The video bad.mp4 cannot be read (" in rows()[0]["error"]
    assert len(frames()) == 3
    assert predict("bad.mp4", "--out", "out2", "--on-error", "raise") == 2
    assert predict("bad.mp4", "--out", "out3") == 2, "nothing could be read at all"


def test_frames_end_where_asked(capsys: pytest.CaptureFixture[str]) -> None:
    write_clip(Path("clip.mp4"))
    assert predict("clip.mp4", "--out", "out", "--max-frames", "4", "--stride", "2", "--no-tracks") == 0
    assert [row["frame"] for row in frames()] == [0, 2, 4, 6]
    assert all("track" not in person for row in frames() for person in row["people"])
    assert "4 frames, 8 people: out" in capsys.readouterr().out


def test_pictures_and_videos_in_one_run() -> None:
    from PIL import Image

    write_clip(Path("clip.mp4"), frames=3)
    for name in ("a.png", "b.png"):
        Image.new("RGB", (20, 10)).save(name)
    assert predict("a.png", "clip.mp4", "b.png", "--out", "out", "--format", "video") == 0
    assert [row["file"] for row in rows()] == ["a.png", *["clip.mp4"] * 4, "b.png"]
    assert sorted(path.name for path in Path("out").glob("[!.]*")) == ["clip.mp4", "predictions.json"]


def test_sound_is_left_out_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    write_clip(Path("clip.mp4"), frames=3)
    assert predict("clip.mp4", "--out", "out") == 0
    assert "videos are drawn without their sound" in capsys.readouterr().out


@pytest.mark.parametrize("size", [(33, 21), (32, 20)])
def test_a_drawn_video_of_odd_sides_is_whole(size: tuple[int, int], tmp_path: Path) -> None:
    from fractions import Fraction

    from PIL import Image

    video = DrawnVideo(tmp_path / "v", Fraction(25))
    for number in range(4):
        video.add(Image.new("RGB", size, (200, 0, 0)), number / 25)
    video.close()
    shapes = {pixels.shape for _, pixels in decoded(tmp_path / "v")}
    assert shapes == {(size[1] + size[1] % 2, size[0] + size[0] % 2, 3)}


def test_where_h264_is_missing_it_is_mpeg4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import av
    from PIL import Image

    monkeypatch.setattr(av, "codecs_available", av.codecs_available - {"libx264"})
    from fractions import Fraction

    video = DrawnVideo(tmp_path / "v", Fraction(30000, 1001))
    video.add(Image.new("RGB", (32, 20)), 0.0)
    video.close()
    with av.open(str(tmp_path / "v")) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"


def test_who_is_gone_for_a_moment_comes_back_and_nobody_known_is_zero() -> None:
    identities = Identities(rate=10, threshold=0.3)

    def people(*boxes: list[float]) -> Instances:
        return Instances(
            (100, 100), pred_boxes=Boxes(torch.tensor(boxes).reshape(-1, 4)), scores=torch.full((len(boxes),), 0.9)
        )

    left, right = [10.0, 10.0, 30.0, 40.0], [60.0, 10.0, 80.0, 40.0]
    seen = [identities.follow(people(*boxes)).track.tolist() for boxes in ([left, right], [right, left], [right], [])]
    back = [identities.follow(people(left, right)).track.tolist() for _ in range(2)]
    known = {tuple(tracks) for tracks in (seen[1][::-1], *back)}
    assert len(known) == 1
    assert seen[2] == [back[0][1]]
    assert seen[3] == []
    assert identities.number == 2


def test_a_packet_that_cannot_be_decoded_is_told_after_the_rest() -> None:
    write_clip(Path("clip.avi"), frames=30)
    content = bytearray(Path("clip.avi").read_bytes())
    start = len(content) // 2
    content[start : start + 3000] = np.random.default_rng(0).integers(0, 255, 3000, dtype=np.uint8).tobytes()
    Path("clip.avi").write_bytes(content)
    with VideoFile(Path("clip.avi"), Path()).open() as footage:
        taken: list[int] = []
        with contextlib.suppress(ImageError):  # whether a decoder minds is its own affair; the rest must be there
            taken.extend(one.number for one in footage.frames(1))
    assert len(taken) >= 15
    assert taken == list(range(len(taken)))
