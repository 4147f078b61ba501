"""One CAER-S test set; its box file as editors, shells, spreadsheets and scripts save it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from dsct_detrex.data import CaerSDataset
from dsct_detrex.data.box_lines import read_lines
from dsct_detrex.errors import UserError
from dsct_detrex.structures import CAER_S

ROWS = [("Anger", "0001.png"), ("Happy", "0002.png"), ("Sad", "a, b.png"), ("Fear", "é 1.png")]
BOX = [30.0, 20.0, 60.0, 50.0]
Read = Callable[..., CaerSDataset]


def line(folder: str, name: str, separator: str = ",", quote: bool = True) -> str:
    path = f"test/{folder}/{name}"
    quoted = f'"{path}"' if quote and separator in path else path
    return separator.join([quoted, str(CAER_S.index(folder)), "30", "20", "60", "50"])


LINES = [line(*row) for row in ROWS]
TEXT = "\n".join(LINES) + "\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("caer")
    for folder, name in [*ROWS, ("all", "0001.png")]:
        (root / "test" / folder).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (96, 72), (60, 60, 90)).save(root / "test" / folder / name)
    return root


@pytest.fixture
def read(root: Path) -> Read:
    def read(content: str | bytes, **options: str) -> CaerSDataset:
        (root / "boxes.csv").write_bytes(content.encode() if isinstance(content, str) else content)
        return CaerSDataset(str(root), "test", annotations="boxes.csv", **options)

    return read


RIGHT = {
    "plain": TEXT,
    "no newline at the end": TEXT.strip(),
    "windows": TEXT.replace("\n", "\r\n"),
    "old mac": TEXT.replace("\n", "\r"),
    "byte order mark": b"\xef\xbb\xbf" + TEXT.encode(),
    "powershell": TEXT.replace("\n", "\r\n").encode("utf-16"),
    "header": "path,label,x1,y1,x2,y2\n" + TEXT,
    "header of tensorflow": "filename,width,height,class,xmin,ymin,xmax,ymax\n"
    + "".join(f'"test/{f}/{n}",96,72,{f},30,20,60,50\n' for f, n in ROWS),
    "header with mark": b"\xef\xbb\xbf" + ("image_path,emotion,xmin,ymin,xmax,ymax\n" + TEXT).encode(),
    "header, other order": "x0,y0,x1,y1,Class Name,Img\n"
    + "".join(f'30,20,60,50,{f},"test/{f}/{n}"\n' for f, n in ROWS),
    "header with sizes": "path,label,x,y,w,h\n" + TEXT.replace("60,50", "30,30"),
    "header of pandas": ",path,label,x1,y1,x2,y2\n" + "".join(f"{i},{each}\n" for i, each in enumerate(LINES)),
    "header with score": "path,label,x1,y1,x2,y2,score\n" + "".join(f"{each},0.9\n" for each in LINES),
    "header twice": ("path,label,x1,y1,x2,y2\n" + LINES[0] + "\n" + "path,label,x1,y1,x2,y2\n" + "\n".join(LINES[1:])),
    "semicolons": "\n".join(line(*row, ";") for row in ROWS),
    "semicolons of excel": "sep=;\n" + "\n".join(line(*row, ";") for row in ROWS),
    "tabs": "\n".join(line(*row, "\t") for row in ROWS),
    "commas in a path": "\n".join(line(*row, quote=False) for row in ROWS),
    "blank after commas": TEXT.replace(",30,20,60,50", ", 30, 20, 60, 50"),
    "numbers with fractions": TEXT.replace(",30,20,60,50", ",30.0,20.0,6e1,50."),
    "labels with fractions": TEXT.replace(",30,20", ".0,30,20"),
    "names": "".join(f'"test/{f}/{n}",{f.upper()},30,20,60,50\n' for f, n in ROWS),
    "comma at the end": "".join(f"{each},\n" for each in LINES),
    "comments and empty lines": "# faces by hand\n\n" + TEXT + ",,,,,\n",
    "backslashes": TEXT.replace("/", "\\"),
}


@pytest.mark.parametrize("content", RIGHT.values(), ids=list(RIGHT))
def test_right_value(content: str | bytes, read: Read) -> None:
    dataset = read(content)
    records = [dataset.record(index) for index in range(len(dataset))]
    assert [Path(r["file_name"]).parts[-2:] for r in records] == ROWS
    assert [r["annotations"] for r in records] == [[{"bbox": BOX, "labels": [CAER_S.index(f)]}] for f, _ in ROWS]
    assert dataset.report.counts == {}


FIRST = LINES[0]

WRONG: dict[str, tuple[str | bytes, str]] = {
    "ansi": (TEXT.encode("cp1252"), "is not a text file in UTF-8. Save it again as UTF-8."),
    "spaces": (FIRST.replace(",", " "), "separates its fields by spaces"),
    "bars": (FIRST.replace(",", "|"), "line 1: 1 fields. Expected path,label,x1,y1,x2,y2. Separate the fields by"),
    "score": (f"{FIRST},0.97", "line 1: 7 fields. Expected path,label,x1,y1,x2,y2. Name the columns in a header line"),
    "score of 1": (f"{FIRST},1", "line 1: 7 fields"),
    "index": (f"0,{FIRST}", "line 1: 7 fields"),
    "too few": (f"{FIRST}\ntest/Sad/0001.png,5,20,60,50", "line 2: 5 fields"),
    "quotation mark": (f'"{FIRST}', "line 1: its quotation marks do not pair up"),
    "decimal comma": (FIRST.replace(",", ";").replace("30", "30,5"), "'30,5' is not a number (write a decimal point"),
    "no number": (f"{FIRST}\n# x\n{FIRST.replace('60', 'x')}", "line 3: 'x' is not a number"),
    "label fraction": (FIRST.replace(",0,", ",3.5,"), "label '3.5' is unknown, expected one of: 0 Anger"),
    "label negative": (FIRST.replace(",0,", ",-1,"), "label '-1' is unknown"),
    "label empty": (FIRST.replace(",0,", ",,"), "label '' is unknown"),
    "no label column": ("path,foo,x1,y1,x2,y2\n" + TEXT, "no column for label among 'path', 'foo', 'x1'"),
    "two label columns": ("path,label,emotion,x1,y1,x2,y2\n", "'label', 'emotion' may both be the label"),
    "short line under a header": (
        "path,label,x1,y1,x2,y2\ntest/Sad/0001.png,5",
        "line 2: 2 fields. Expected 6 or more",
    ),
    "relative": ("test/Anger/0001.png,0,0.3,0.2,0.6,0.7", "1 of 1 boxes are fractions of the picture"),
    "sizes": ("\n".join(LINES).replace("60,50", "30,30"), "are x, y, width, height, not x1, y1, x2, y2"),
    "from 1": (FIRST.replace(",0,", ",1,") + "\n" + FIRST.replace(",0,", ",7,"), "counts its labels from 1 to 7"),
    "json": ('{"a": 1}', "line 1: 1 fields"),
    "header only": ("path,label,x1,y1,x2,y2\n", "no usable image in"),
}


@pytest.mark.parametrize(("content", "part"), WRONG.values(), ids=list(WRONG))
def test_one_sentence(content: str | bytes, part: str, read: Read) -> None:
    with pytest.raises(UserError) as caught:
        read(content)
    assert part in str(caught.value)
    assert "boxes.csv" in str(caught.value)


def test_lines_may_be_read_as_sizes(read: Read) -> None:
    dataset = read(TEXT.replace("60,50", "30,30"), box_format="xywh")
    assert [dataset.record(i)["annotations"][0]["bbox"] for i in range(4)] == [BOX] * 4
    with pytest.raises(UserError, match=r"CaerSDataset\(box_format=\) expects 'xywh', 'xyxy' or null .* Got 'cxcywh'"):
        read(TEXT, box_format="cxcywh")


def test_a_file_put_together_twice_is_read_once(read: Read) -> None:
    report = read(TEXT + TEXT).report
    assert (report.people, report.listed_people, report.counts) == (4, 8, {"repeated_people": 4})


def test_one_face_with_two_labels_is_reported(read: Read) -> None:
    report = read(TEXT + FIRST.replace(",0,", ",6,")).report
    assert report.counts == {"shared_boxes": 1, "label_differs_from_folder": 1}


def test_numbers_that_no_folder_confirms_are_said_to_be_unchecked(read: Read) -> None:
    assert read("test/all/0001.png,4,30,20,60,50").description == (
        "face boxes from boxes.csv, label numbers not checked against class folders"
    )
    assert read("test/all/0001.png,Sad,30,20,60,50").description == "face boxes from boxes.csv"
    assert (read(TEXT).boxes, read(TEXT).split, read(TEXT).source.name) == ("face", "test", "boxes.csv")


def test_a_single_missing_picture_gets_the_nearest_name(read: Read) -> None:
    with pytest.raises(UserError, match=r"Anger/00001\.png\. Did you mean `0001\.png`\?"):
        read(FIRST.replace("0001", "00001"))


def test_line_numbers_count_every_line(root: Path) -> None:
    (root / "a.txt").write_text(f"# one\n\n{FIRST}\n")
    lines, form = read_lines(root / "a.txt")
    assert (lines[0].where, form) == (f"{root / 'a.txt'}, line 3", "xyxy")


@pytest.mark.parametrize("blank", ["", "nan", "None", "NA", " "])
def test_a_face_that_was_not_found_is_dropped_and_counted(blank: str, read: Read) -> None:
    lost = LINES[0].replace("30,20,60,50", ",".join([blank] * 4))
    dataset = read("\n".join([lost, *LINES[1:]]))
    assert len(dataset) == len(LINES) - 1
    assert dataset.report.counts == {"non_finite_boxes": 1, "images_without_people": 1}
    with pytest.raises(UserError, match="line 1: '' is not a number"):
        read(LINES[0].replace("30,20,60,50", "30,20,,"))
