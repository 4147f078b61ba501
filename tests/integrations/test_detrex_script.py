"""``python -m dsct_detrex.integrations.detrex SCRIPT``: a script that imports detrex first finds its layers whole."""

import sys
from pathlib import Path

import pytest

from dsct_detrex.integrations.detrex.__main__ import main

SCRIPT = """
import sys
from beside import NAME
from detrex.layers.multi_scale_deform_attn import MultiScaleDeformableAttention
print(__name__, NAME, sys.argv[1:], MultiScaleDeformableAttention is not None)
"""


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "beside.py").write_text("NAME = 'beside'")
    (tmp_path / "train_net.py").write_text(SCRIPT)
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    return str(tmp_path / "train_net.py")


def test_runs_the_script_as_python_would(
    both_roots: Path, script: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main([script, "--num-gpus", "1"]) == 0
    assert capsys.readouterr().out == "__main__ beside ['--num-gpus', '1'] True\n"
    monkeypatch.delitem(sys.modules, "beside")


def test_says_in_one_line_what_is_missing(bare: None, script: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([script]) == 2
    assert capsys.readouterr().err.startswith("error: detrex is not installed: ")


@pytest.mark.parametrize("words", [[], ["nowhere.py"]])
def test_wants_a_script(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err.startswith("usage: ")
