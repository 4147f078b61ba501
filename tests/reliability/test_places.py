"""Nothing is read outside of a data set, and nothing written outside of the folder of the results."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dsct_detrex.data import catalogue
from dsct_detrex.data.doctor import check_root
from dsct_detrex.data.images import ImageError
from dsct_detrex.data.inside import FOLLOW_LINKS
from dsct_detrex.errors import UserError
from dsct_detrex.prediction import Predictor
from tests.prediction.stubs import predict, use
from tests.reliability.layouts import LAYOUTS, SIZE, Layout, files_below, picture
from tests.reliability.test_fuzz_inputs import PREDICTOR

Rename = Callable[[Path, str], None]


def _json(file: str, rename: Callable[[dict[str, Any], str], None]) -> Rename:
    def change(root: Path, name: str) -> None:
        content = json.loads((root / file).read_text())
        for image in content["images"]:
            image.update(width=SIZE[0], height=SIZE[1])
        rename(content, name)
        (root / file).write_text(json.dumps(content))

    return change


def _first_image(content: dict[str, Any], name: str) -> None:
    content["images"][0]["file_name"] = name


def _lines(file: str, separator: str) -> Rename:
    def change(root: Path, name: str) -> None:
        first, *others = (root / file).read_text().splitlines()
        (root / file).write_text("\n".join([separator.join([name, *first.split(separator)[1:]]), *others]))

    return change


def _mat(root: Path, name: str) -> None:
    from scipy.io import savemat

    folder, _, file = name.rpartition("/")
    person = {"body_bbox": [5, 5, 30, 30], "annotations_categories": {"categories": ["Peace"]}}
    person["annotations_continuous"] = {"valence": 5, "arousal": 5, "dominance": 5}
    entry = {"filename": file, "folder": folder, "image_size": {"n_col": SIZE[0], "n_row": SIZE[1]}, "person": person}
    savemat(root / "Annotations/Annotations.mat", {"train": entry})


RENAMES: dict[str, Rename] = {
    "EMOTIC, Annotations.mat": _mat,
    "EMOTIC, official JSON": _json("emotic_train_bi.json", _first_image),
    "CAER-S, lines": _lines("train.txt", ","),
    "CAER-S, official JSON": _json("caer_train.json", _first_image),
    "COCO-style": _json("annotations/train.json", _first_image),
    "ExpW": _lines("label/label.lst", " "),
}
OUTWARDS = [
    "../secret.png", "mscoco/../../secret.png", "mscoco/images/../../../../secret.png", "train/../../secret.png", "SECRET",  # noqa: E501
    "train/Happy/../../../secret.png", "../../secret.png", "train/Happy/%2e%2e/%2e%2e/%2e%2e/secret.png",
    "mscoco/images/..\\..\\..\\..\\secret.png", "../secret_folder/Happy/secret.png", "mscoco/images/ROOT/../secret.png",
]  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("outwards", OUTWARDS)
def test_no_name_leads_out_of_a_data_set(name: str, outwards: str, tmp_path: Path) -> None:
    layout = LAYOUTS[name]
    root = layout.made(tmp_path / "deep" / "data")
    for folder in (tmp_path, tmp_path / "deep", tmp_path / "deep" / "secret_folder" / "Happy"):
        picture(folder / "secret.png")
    RENAMES[name](root, outwards.replace("SECRET", str(tmp_path / "secret.png")).replace("ROOT", str(root)))
    try:
        dataset = catalogue.get(layout.card).reader(str(root), "train", on_error="skip", **layout.options)
    except UserError:
        return
    names = [dataset.record(index)["file_name"] for index in range(len(dataset))]
    assert all(Path(file).resolve().is_relative_to(root.resolve()) for file in names)
    assert not any(Path(file).name == "secret.png" for file in names)


def with_link(name: str, tmp_path: Path) -> tuple[Layout, Path]:
    """A layout one of whose pictures is a link to a file outside."""
    layout = LAYOUTS[name]
    root = layout.made(tmp_path / "data")
    place = root / layout.picture
    place.rename(tmp_path / "secret.png")
    place.symlink_to(tmp_path / "secret.png")
    return layout, root


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_picture_that_is_a_link_to_elsewhere_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout, root = with_link(name, tmp_path)
    read = catalogue.get(layout.card).reader
    with pytest.raises(ImageError) as refused:
        read(str(root), "train", **{"on_error": "raise", **layout.options})
    if "not there" not in str(refused.value):  # the golden lines of CAER-S lack a picture
        assert "lie outside of the data set" in str(refused.value)
        assert f"really {tmp_path / 'secret.png'}. Copy them into its folder" in str(refused.value)
        assert f"set {FOLLOW_LINKS}=1 where you trust the file" in str(refused.value)
    dataset = read(str(root), "train", on_error="skip", **layout.options)
    assert dataset.report.counts["outside_images"] == 1
    monkeypatch.setenv(FOLLOW_LINKS, "1")
    assert "outside_images" not in read(str(root), "train", on_error="skip", **layout.options).report.counts


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_picture_below_a_linked_folder_that_no_layout_names_is_refused(name: str, tmp_path: Path) -> None:
    layout = LAYOUTS[name]
    if layout.card not in ("caer_s",):
        pytest.skip("has no folders below those of its layout")
    root = layout.made(tmp_path / "data")
    folder = (root / layout.picture).parent
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    dataset = catalogue.get(layout.card).reader(str(root), "train", on_error="skip", **layout.options)
    assert dataset.report.counts["outside_images"] >= 1


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("linked", ["root", "folder"])
def test_whole_folders_may_be_links(name: str, linked: str, tmp_path: Path) -> None:
    """The root, and the folders of pictures that the layout names."""
    layout = LAYOUTS[name]
    root = layout.made(tmp_path / "there")
    read = catalogue.get(layout.card).reader
    straight = read(str(root), "train", on_error="skip", **layout.options)
    if linked == "root":
        (tmp_path / "data").symlink_to(root)
        root = tmp_path / "data"
    else:
        place = {"caer_s": "train", "emotic": "emotic/mscoco", "coco": "train", "expw": "image/origin"}[layout.card]
        (root / place).rename(tmp_path / "elsewhere")
        (root / place).symlink_to(tmp_path / "elsewhere")
    dataset = read(str(root), "train", on_error="skip", **layout.options)
    assert dataset.report.counts == straight.report.counts
    assert len(dataset) == len(straight)


def test_the_root_may_be_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = LAYOUTS["COCO-style"]
    root = layout.made(tmp_path / "data")
    for path in (root / "train").iterdir():
        path.rename(root / path.name)  # pictures in the root itself
    monkeypatch.chdir(root)
    assert check_root("coco", ".", ["train"]).splits["train"].report.images == 4


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory two folders deep, so that there is an outside."""
    place = tmp_path / "outside" / "inner"
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    use(PREDICTOR, monkeypatch)
    picture(tmp_path / "outside" / "x.png")
    picture(tmp_path / "far" / "deep" / "y.png")
    picture(place / "photos" / "a.png")
    picture(place / "photos" / "day" / "b.png")
    picture(place / "..." / "c.png")
    return place


@pytest.mark.parametrize(
    "inputs",
    [
        ["../x.png"],
        ["../../far"],
        ["../../far/deep/../deep/y.png", "../x.png"],
        ["photos/../../x.png"],
        ["ABSOLUTE"],
        ["..."],
        ["@list.txt"],
        ["list.txt"],
        ["photos", "../x.png", "../../far"],
    ],
)
def test_predictions_stay_in_their_folder(inputs: list[str], photos: Path, tmp_path: Path) -> None:
    """Names that lead upwards, absolute names, lists of them."""
    (photos / "list.txt").write_text(f"../x.png\n../../far/deep/y.png\n{tmp_path}/far/deep/y.png\n..\n")
    before = files_below(tmp_path)
    predict(
        *(word.replace("ABSOLUTE", str(tmp_path / "far/deep/y.png")) for word in inputs), "--out", "out", "--recursive"
    )
    added = {name for name in files_below(tmp_path) if name not in before}
    assert added
    assert all(name.startswith("outside/inner/out/") for name in added), added
    assert {name: content for name, content in files_below(tmp_path).items() if name in before} == before


@pytest.mark.parametrize("name", ["../../clip.mp4", "/tmp/clip.mp4", "..\\..\\clip.mp4", "a/../../b.png", "x\0.png"])
def test_names_that_come_while_a_run_goes_on_stay_in_the_folder(name: str) -> None:
    from dsct_detrex.prediction.drawn_names import NamesInTurn, drawn_names
    from dsct_detrex.prediction.pictures import Found
    from dsct_detrex.prediction.sources.video import VideoFile

    path = Path(name)
    for kind in (Found, VideoFile):
        for named in (
            NamesInTurn(()).name(kind(path, path.parent), lambda _: True),
            *drawn_names([kind(path, path.parent)]),
        ):
            assert not named.is_absolute()
            assert ".." not in named.parts
            assert named.name not in ("", ".", "..")


@pytest.mark.parametrize(
    "link", ["day", ".dsct_predictions", "predictions.json", ".dsct_unfinished", "a.png", ".dsct_run.json"]
)
def test_a_link_in_the_folder_of_the_results_is_not_written_through(
    link: str, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, target = photos / "out", tmp_path / "target"
    out.mkdir()
    target.mkdir()
    (target / "file").write_text("[\n]\n" if link == "predictions.json" else "mine")
    (out / link).symlink_to(target if link == "day" else target / "file")
    before = files_below(target)
    status = predict("photos", "--out", "out", "--recursive")
    assert files_below(target) == before
    said = capsys.readouterr().err
    assert (
        status == 0 or "is a link, through which another file would be written" in said or "is not replaced" in said
    ), said
    if link == "day":
        assert (out / "predictions" / "day" / "b.png").is_file()


def test_the_folder_of_the_results_may_be_a_link(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (photos / "out").symlink_to(tmp_path / "disk")
    assert predict("photos", "--out", "out") == 0
    assert (tmp_path / "disk" / "a.png").is_file()


def test_an_upload_names_no_other_file(tmp_path: Path) -> None:
    """gradio serves files of its own folder alone; the server is asked for others as a stranger would."""
    pytest.importorskip("gradio")
    from fastapi.testclient import TestClient

    from dsct_detrex.web import serving
    from dsct_detrex.web.page import build_page
    from dsct_detrex.web.uploads import Limits

    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    with serving.kept_nowhere():
        server = serving.server_of(build_page(PREDICTOR, Limits(), 0.3), Limits(), "0.0.0.0")
        client = TestClient(server.config.app)
        for way in ("/gradio_api/file=", "/file=", "/gradio_api/file/", "/static/", "/assets/", "/gradio_api/proxy="):
            for name in (
                str(secret),
                "/etc/passwd",
                "../../../../etc/passwd",
                "%2e%2e/%2e%2e/etc/passwd",
                "file:///etc/passwd",
                os.fspath(Path(__file__)),
            ):
                answer = client.get(way + name)
                assert "the secret" not in answer.text
                assert "root:" not in answer.text
                assert "an_upload_names_no_other_file" not in answer.text


def test_pictures_of_the_image_root(tmp_path: Path) -> None:
    """The control of the tests above: the same names, of pictures that are inside."""
    layout = LAYOUTS["COCO-style"]
    root = layout.made(tmp_path / "data")
    RENAMES["COCO-style"](root, "../../upload/1.png")  # as Label Studio writes it
    dataset = catalogue.get("coco").reader(str(root), "train")
    assert Image.open(dataset.record(0)["file_name"]).size == SIZE
    assert isinstance(PREDICTOR, Predictor)
