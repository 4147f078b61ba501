"""What ``docs/add.md`` and ``docs/data.md`` say about data sets of one's own, done as they say it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from dsct_detrex.config import instantiate, load_config
from dsct_detrex.data import catalogue, sets
from dsct_detrex.engine.exchange import exchange_data
from dsct_detrex.paths import config_folder, projects_folder
from dsct_detrex.structures import MultiClassEmotions, MultiLabelEmotions
from tests.commands import data as data_command
from tests.data.sets.test_coco_files import MOODS, TWO_MOODS, content, write

DOCS = Path(__file__).parents[1] / "docs"


def blocks(page: str) -> dict[str, str]:
    """File -> code, of the blocks that begin with a comment which names their file."""
    found = re.findall(r"```python\n# (\S+\.py)\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    return dict(found)


@pytest.fixture
def pets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Path]]:
    """The files of the page, where those of their kind lie."""
    places = {
        "dsct_detrex/data/sets/pets.py": tmp_path / "sets",
        "configs/common/data/pets.py": tmp_path / "configs",
        "tests/data/sets/test_pets.py": tmp_path / "tests",
    }
    shutil.copytree(config_folder() / "common" / "data", tmp_path / "configs")
    written = {}
    for file, code in blocks("add.md").items():
        if file in places:
            places[file].mkdir(exist_ok=True)
            written[file] = places[file] / Path(file).name
            written[file].write_text(code)
    assert written.keys() == places.keys(), "three files, as the page says"
    monkeypatch.setattr(sets, "__path__", [*sets.__path__, str(tmp_path / "sets")])
    catalogue.cards.cache_clear()
    yield written
    catalogue.cards.cache_clear()
    sys.modules.pop("dsct_detrex.data.sets.pets", None)


def test_a_data_set_in_three_files(pets: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "data"
    root.mkdir()
    Image.new("RGB", (60, 40)).save(root / "a.png")
    for split in ("train", "val"):
        (root / f"{split}.pets").write_text("a.png calm 5 5 30 30\na.png playful 30 5 50 30\n")
    assert data_command(["check", "--root", str(root), "--splits", "train", "val"]) == 0
    assert "pets_train: 1 images, 2 people" in capsys.readouterr().out
    cfg = load_config(projects_folder() / "demo.py")
    exchange_data(cfg, str(pets["configs/common/data/pets.py"]), lambda said: None)
    cfg.data.root = str(root)
    emotions = instantiate(cfg.emotions)
    assert emotions == MultiClassEmotions("pets", ("calm", "playful"))
    assert len(instantiate(cfg.dataloader.test.dataset)) == 1
    assert instantiate(cfg.dataloader.evaluator).dataset.name == "Pets"
    namespace: dict[str, object] = {}
    exec(pets["tests/data/sets/test_pets.py"].read_text(), namespace)
    test = namespace["test_lines_of_a_picture_are_its_pets"]
    assert callable(test)
    (tmp_path / "own").mkdir()
    test(tmp_path / "own")


def test_code_on_the_page_is_formatted(tmp_path: Path) -> None:
    for page in ("add.md", "data.md"):
        for file, code in blocks(page).items():
            path = tmp_path / Path(file).name
            path.write_text(code)
            for check in (["format", "--check"], ["check", "--extend-ignore", "F401"]):
                words = ["ruff", *check, "--no-cache", "--config", str(DOCS.parent / "pyproject.toml"), str(path)]
                done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)
                assert done.returncode == 0, f"{page}, {file}: {done.stdout}{done.stderr}"


def test_ten_lines_for_data_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for split in ("train", "val"):
        write(tmp_path / "faces", f"{split}.json", f"{split}/a.jpg", content(TWO_MOODS, MOODS))
    code = blocks("data.md")["mine.py"]
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    Path("mine.py").write_text(code)
    cfg = load_config(projects_folder() / "demo.py")
    exchange_data(cfg, "mine.py", lambda said: None)
    emotions = instantiate(cfg.emotions)
    assert emotions == MultiLabelEmotions("moods", ("calm", "tense", "overjoyed"))
    assert cfg.dataloader.train.total_batch_size == 8
    record = instantiate(cfg.dataloader.train.dataset).record(0)
    assert [person["labels"] for person in record["annotations"]] == [[0], [1]]
