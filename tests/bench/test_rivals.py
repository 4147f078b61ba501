"""Folders of other people's code, told by their files."""

from pathlib import Path

import pytest

from dsct_detrex.bench.official import load_official
from dsct_detrex.bench.rivals import recognise
from dsct_detrex.errors import UserError

OFFICIAL = (
    "models/deformable_transformer_dsct.py",
    "models/deformable_detr_dsct.py",
    "models/ops/modules/__init__.py",
)
DETREX = ("detrex/layers/multi_scale_deform_attn.py", "projects/deformable_detr/configs/models/x.py")


def checkout(root: Path, files: tuple[str, ...]) -> Path:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("")
    return root


@pytest.mark.parametrize(("files", "kind"), [(OFFICIAL, "official"), (DETREX, "detrex")])
def test_recognised(tmp_path: Path, files: tuple[str, ...], kind: str) -> None:
    rival = recognise(checkout(tmp_path, files))
    assert (rival.kind, rival.folder) == (kind, tmp_path)
    with pytest.raises(UserError, match="which is neither"):
        recognise(checkout(tmp_path / "part", files[:1]))


@pytest.mark.parametrize(("name", "said"), [("", "which is neither"), ("absent", "which is no folder")])
def test_neither(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(UserError) as error:
        recognise(tmp_path / name)
    assert str(error.value) == (
        "bench: --against expects a checkout of the official DSCT code (models/deformable_transformer_dsct.py) or of "
        f"detrex (detrex/ and projects/). Got {tmp_path / name}, {said}."
    )


def test_code_that_cannot_be_imported_is_one_sentence_twice(tmp_path: Path) -> None:
    folder = checkout(tmp_path, OFFICIAL)
    (folder / "models/__init__.py").write_text("import a_package_that_nobody_has")
    for _ in range(2):  # what was half imported does not stand in the way
        with pytest.raises(UserError, match="cannot be imported: No module named 'a_package_that_nobody_has'"):
            load_official(folder)
