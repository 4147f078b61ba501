"""``predictions.json`` is JSON at every moment, and replaces nothing of the user's."""

import json
from pathlib import Path

import pytest

from dsct_detrex.errors import UserError
from dsct_detrex.prediction.rows import Rows, is_rows

NAMES = ["a.jpg", "new\nline \u00e9 \U0001f600.png", "bytes \udcff.png", '"quoted" \\ %s']


def read(folder: Path, name: str = "predictions.json") -> list[dict[str, object]]:
    return json.loads((folder / name).read_text(encoding="ascii"))


def test_the_file_is_complete_after_every_row(tmp_path: Path) -> None:
    with Rows(tmp_path) as rows:
        assert read(tmp_path) == []
        for count, name in enumerate(NAMES, 1):
            rows.add({"file": name, "people": []})
            assert [row["file"] for row in read(tmp_path)] == NAMES[:count]


def test_the_earlier_file_is_kept_once(tmp_path: Path) -> None:
    for run in ("first", "second", "third"):
        with Rows(tmp_path) as rows:
            rows.add({"file": run, "people": []})
        assert rows.replaced == (run != "first")
    assert read(tmp_path)[0]["file"] == "third"
    assert read(tmp_path, "predictions.previous.json")[0]["file"] == "second"


FOREIGN = ["", "{}", "not JSON", '[{"image_id": 1, "bbox": [0, 0, 1, 1]}]', "[1]", '{"file": 1}', '[{"file": "a"}]']


@pytest.mark.parametrize("name", ["predictions.json", "predictions.previous.json"])
@pytest.mark.parametrize("content", FOREIGN)
def test_a_file_of_the_users_is_refused(content: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=rf"{name} is no result of predict\.py and is not replaced; give another --out"):
        Rows(tmp_path)
    assert (tmp_path / name).read_text() == content


def test_results_are_told_by_their_content(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"file": "a", "people": []}, {"file": "b", "error": "x"}]')
    assert is_rows(path)
    path.write_text("[]")
    assert is_rows(path)
    assert not is_rows(tmp_path / "none.json")
    assert not is_rows(tmp_path)


class FullDisk:
    """Takes ten bytes of a row and no more."""

    def __init__(self, file: object) -> None:
        self._file = file

    def write(self, text: bytes) -> int:
        if len(text) <= 10:
            return self._file.write(text)  # type: ignore[attr-defined,no-any-return]
        return self._file.write(text[:10])  # type: ignore[attr-defined,no-any-return]

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


def test_a_full_disk_keeps_the_rows_before(tmp_path: Path) -> None:
    with Rows(tmp_path) as rows:
        rows.add({"file": "a", "people": []})
        rows._file = FullDisk(rows._file)  # type: ignore[assignment]
        with pytest.raises(UserError, match=r"writing .*predictions\.json failed \(No space left on device\)"):
            rows.add({"file": "b", "people": []})
        assert [row["file"] for row in read(tmp_path)] == ["a"]
