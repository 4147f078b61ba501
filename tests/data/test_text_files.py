"""Annotation files in the encodings that editors, shells and spreadsheets write."""

from __future__ import annotations

import codecs
import gzip
import json
from pathlib import Path

import pytest

from dsct_detrex.data.text_files import read_json, read_text
from dsct_detrex.errors import UserError

TEXT = "a,é\nb\n"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        TEXT.replace("\n", "\r\n").encode("utf-16"),
    ],
)
def test_every_encoding_that_can_be_known(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    assert read_text(path) == TEXT


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (TEXT.encode("cp1252"), "is not a text file in UTF-8. Save it again as UTF-8."),
        (b"\x80\x81\x82", "is not a text file in UTF-8. Save it again as UTF-8."),
        (TEXT.encode("utf-16")[:-1], "is not a text file in UTF-16. Save it again as UTF-8."),
        ("abc".encode("utf-16-le"), "it holds zero bytes. Save it again as UTF-8."),
        (b"", "is empty"),
        (codecs.BOM_UTF8 + b"\n", "is empty"),
    ],
)
def test_other_encodings_are_refused(content: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_text(path)
    assert str(caught.value).startswith(str(path))
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (gzip.compress(b"{}", mtime=0), "is compressed by gzip. Unpack it."),
        (
            b"PK\x03\x04\x14\x00\x06\x00",
            "is a zip archive or an Excel workbook. Unpack it, or save the sheet as CSV UTF-8.",
        ),
        (b"MATLAB 5.0 MAT-file, Platform: posix\x00\x01", "is a MATLAB file. Name it .mat."),
    ],
)
def test_what_is_no_text_is_called_by_its_name(content: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_text(path)
    assert str(caught.value) == f"{path} {sentence}"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot be read \(Is a directory\)"):
        read_text(tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"a": 1}\n{"a": 2}\n', "holds more than one JSON value, the second at line 2"),
        ('{"a": [1,', "is not a complete JSON file (line 1, column 10"),
        ("<html>", "is a web page or XML. Download or export the file itself."),
        ("Index,Folder,Filename\n0,a,b\n", "is not JSON: it begins with 'Index,Folder,Filename"),
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
            "is a pointer of Git LFS. Fetch the file itself",
        ),
        ("[" * 100_000, "is not an annotation file"),
        ("1" * 5000, "is not an annotation file"),
    ],
)
def test_what_is_no_json(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        read_json(path)
    assert sentence in str(caught.value)


def test_json_with_a_mark(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "a.json").write_text(json.dumps({"é": 1}, ensure_ascii=False), encoding=encoding)
        assert read_json(tmp_path / "a.json") == {"é": 1}
