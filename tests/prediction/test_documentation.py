"""The Python of ``docs/predict.md``, run as it stands, from top to bottom."""

import inspect
import re
import types
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsct_detrex.cli.predict import build_parser
from dsct_detrex.prediction import Prediction, Predictor
from tests.prediction.tiny_release import write_release

PAGE = Path(__file__).parents[2] / "docs/predict.md"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The run and the photos that the page speaks of."""
    monkeypatch.chdir(tmp_path)
    write_release(tmp_path / "runs/dino_dsct/best.safetensors")
    (tmp_path / "photos/day1").mkdir(parents=True)
    Image.effect_noise((80, 60), 90).save("photos/day1/a.jpg")
    return tmp_path


def test_the_python_of_the_page_runs(folder: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 4
    opencv = types.SimpleNamespace(imread=lambda path: np.asarray(Image.open(path).convert("RGB"))[..., ::-1])
    names: dict[str, object] = {"cv2": opencv}
    for block in blocks:
        # the run is untrained and sure of nobody
        exec(compile(block.replace('dino_dsct")', 'dino_dsct", threshold=0.0)'), str(PAGE), "exec"), names)
    assert Image.open("out/a.png").size == (640, 480)
    people = names["people"]
    assert len(people) > 0  # type: ignore[arg-type]


def test_defaults_are_those_of_the_command() -> None:
    flags = build_parser().read(["runs/dino_dsct", "photos"])
    builds = inspect.signature(Predictor.from_checkpoint).parameters
    for name in ("device", "threshold", "nms"):
        assert builds[name].default == getattr(flags, name)
    assert inspect.signature(Predictor.__call__).parameters["batch_size"].default == flags.batch_size
    assert inspect.signature(Prediction.plot).parameters["max_emotions"].default == flags.max_emotions
