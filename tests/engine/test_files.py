"""Files that are either the old version or the complete new one."""

from pathlib import Path

import pytest

from dsct_detrex.engine.files import write_text
from dsct_detrex.errors import UserError


def test_a_file_in_the_place_of_the_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(UserError, match=r"Writing .*summary\.json failed .* what was there before is intact\."):
        write_text(tmp_path / "run" / "summary.json", "{}")
    assert (tmp_path / "run").read_text() == ""
