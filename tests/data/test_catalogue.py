"""Data sets say everything about themselves on their cards, and one more card is one more data set everywhere."""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from dsct_detrex.config.project import config_folder
from dsct_detrex.dashboard.layout import make_dashboard
from dsct_detrex.data import catalogue, sets
from dsct_detrex.data.synthetic.writer import formats, write_dataset
from dsct_detrex.errors import UserError
from dsct_detrex.sweep import Sweep
from dsct_detrex.sweep.setting import Setting
from tests.commands import data as main

ROOT = Path(__file__).parents[2]
OWNERS = ("dsct_detrex/data/sets", "dsct_detrex/data/synthetic", "dsct_detrex/structures", "configs/sweeps/")
TERMS = "dsct_detrex/responsible_use.py"  # of use of the paper's two, beside every report

PETS = """
from pathlib import Path

from dsct_detrex.data.card import DataSetCard, StandIn
from dsct_detrex.data.checks import DataReport
from dsct_detrex.data.dataset import Record
from dsct_detrex.data.disk import DiskDataset, Listing
from dsct_detrex.structures import MultiClassEmotions

PETS = MultiClassEmotions("pets", ("calm", "playful"))


class PetsDataset(DiskDataset):
    warning = "Pets do not tell."

    def __init__(self, root, split, on_error="raise"):
        report, source = DataReport(f"pets_{split}"), Path(root) / f"{split}.pets"
        rows = [line.split() for line in source.read_text().splitlines()]
        records = [
            Record(file_name=str(Path(root) / name), image_id=number, height=0, width=0,
                   annotations=[{"bbox": [float(side) for side in box], "labels": [PETS.index(label)]}])
            for number, (name, label, *box) in enumerate(rows, start=1)
        ]
        records = Listing(records, source, "xyxy", [Path(root)]).prepared(report, on_error, None)
        super().__init__(f"pets_{split}", PETS, records, report, source, "boxes of pets", split=split, boxes="body")


CARD = DataSetCard(
    name="pets", title="Pets", reader=PetsDataset, emotions=PETS, access="Pets come from the neighbours",
    layout="files *.pets", recognises=lambda root: any(root.glob("*.pets")), options=(), warning=PetsDataset.warning,
    num_subjects=3, stand_in=StandIn(("pets",), lambda root, sizes, seed, kinds, size: (root / "made").touch()),
)
"""


@pytest.fixture
def pets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of a data set whose only trace is a module among the others."""
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "pets.py").write_text(PETS)
    monkeypatch.setattr(sets, "__path__", [*sets.__path__, str(tmp_path / "sets")])
    catalogue.cards.cache_clear()
    root = tmp_path / "data"
    root.mkdir()
    picture = Image.effect_noise((60, 40), 90).convert("RGB")
    for split in ("train", "test"):
        picture.save(root / f"{split}.png")
        (root / f"{split}.pets").write_text(f"{split}.png playful 5 5 30 30\n")
    yield root
    catalogue.cards.cache_clear()
    sys.modules.pop("dsct_detrex.data.sets.pets", None)


def test_every_card_is_called_like_its_module_and_its_config() -> None:
    assert [card.name for card in catalogue.cards().values()] == list(catalogue.names())
    configs = {path.stem for path in (config_folder() / "common" / "data").glob("[!_]*.py")}
    assert configs == {*catalogue.names(), "synthetic"}


def test_options_of_cards_are_arguments_of_their_readers() -> None:
    for card in catalogue.cards().values():
        assert {"root", "split", "on_error", *card.options} <= set(inspect.signature(card.reader).parameters)


def test_the_papers_numbers_of_subjects() -> None:
    assert catalogue.subjects_of_emotions() == {"caer_s": 9, "emotic": 4}


def test_one_module_more_is_one_data_set_more(pets: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "pets" in catalogue.names()
    assert "pets" in formats()
    assert catalogue.recognise(str(pets)).title == "Pets"
    assert main(["check", "--root", str(pets), "--splits", "train", "test", "--near-duplicates"]) == 0
    printed = capsys.readouterr().out
    for words in ("pets_train: 1 images, 1 people", "playful", "Pets do not tell.", "1 of 1 test pictures look like"):
        assert words in printed
    assert main(["check", "--root", str(pets), "--boxes", "body"]) == 2
    assert "--boxes says nothing about Pets" in capsys.readouterr().err
    write_dataset("pets", tmp_path / "new", {"train": 1})
    assert (tmp_path / "new" / "made").is_file()
    assert catalogue.how_to_get("pets").startswith("Pets come from the neighbours. To try things out without it")
    assert catalogue.subjects_of_emotions()["pets"] == 3


def test_one_module_more_is_known_to_sweeps_and_dashboards(pets: Path) -> None:
    emotions = catalogue.get_label_set("pets")
    sweep = Sweep("s", "title", "Row", paper_table="Table 1", cells=[{"name": "a", "paper": {"pets": 50.0}}])
    setting = Setting(sweep, "pets", "paper", emotions, 1, "")
    assert (setting.paper_column, setting.metric, setting.comparable) == ("Paper, Pets", "acc", True)
    assert make_dashboard(emotions, "p").title == "p, emotions of Pets"


@pytest.mark.parametrize(
    ("look_up", "sentence"),
    [
        (catalogue.get, r"Data set 'emotik' is unknown. Expected one of .*caer_s.* Did you mean `emotic`\?"),
        (catalogue.get_label_set, r"Emotions 'emotik' are unknown. Expected one of caer_s.*Did you mean `emotic`\?"),
    ],
)
def test_unknown_names(look_up, sentence: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match=sentence):
        look_up("emotik")


def words_in_code(file: Path) -> Iterator[str]:
    """Texts of a file that are no docstrings."""
    tree = ast.parse(file.read_text())
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def test_nowhere_else_stands_a_list_of_data_sets() -> None:
    files = [file for folder in ("dsct_detrex", "configs", "scripts") for file in (ROOT / folder).rglob("*.py")]
    listed = {}
    for file in files:
        name = file.relative_to(ROOT).as_posix()
        text = json.dumps([word.lower().replace("-", "_") for word in words_in_code(file)])
        if not name.startswith((*OWNERS, TERMS)) and "emotic" in text and "caer_s" in text:
            listed[name] = text
    assert set(listed) == set()
