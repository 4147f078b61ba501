"""``--data``: what of a config goes with its data set, and what stays because the project set it."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from dsct_detrex.config import load_config, save_config
from dsct_detrex.engine.exchange import exchange_data
from dsct_detrex.errors import UserError
from dsct_detrex.paths import projects_folder

SIZES = {
    "dataloader.train.mapper.transforms.scales": [144],
    "dataloader.test.mapper.transforms.size": 144,
    "dataloader.train.total_batch_size": 16,
    "dataloader.test.batch_size": 16,
    "dataloader.train.num_workers": 1,
}


@pytest.mark.parametrize("saved", [False, True], ids=["project", "config.yaml of a run"])
@pytest.mark.parametrize("name", ["emotic", "caer_s", "coco"])
def test_sizes_of_a_project_stay_and_are_told(name: str, saved: bool, tmp_path: Path) -> None:
    cfg, told = load_config(projects_folder() / "demo.py"), list[str]()
    if saved:
        save_config(cfg, tmp_path / "config.yaml")
        cfg = load_config(tmp_path / "config.yaml")
    exchange_data(cfg, name, told.append)
    assert {key: OmegaConf.select(cfg, key) for key in SIZES} == SIZES
    assert cfg.dataloader.train.mapper.transforms.crop_probability == 0.5, "the data set's own, which no project set"
    assert "size" not in cfg.dataloader.train.dataset
    (note,) = told
    assert note.startswith(f"note: --data {name} keeps what the config sets itself: ")
    for key, value in SIZES.items():
        assert f"{key}={value}" in note


def test_without_own_settings_the_data_set_decides_alone() -> None:
    cfg, told = load_config(projects_folder() / "deformable_detr_dsct.py"), list[str]()
    exchange_data(cfg, "emotic", told.append)
    assert cfg.dataloader.train.total_batch_size == 32
    assert len(cfg.dataloader.train.mapper.transforms.scales) == 11
    assert told == []


def test_the_data_set_that_it_has_stays_as_it_is() -> None:
    cfg, told = load_config(projects_folder() / "demo.py"), list[str]()
    before = OmegaConf.to_container(cfg.dataloader, resolve=False)
    exchange_data(cfg, "synthetic", told.append)
    assert OmegaConf.to_container(cfg.dataloader, resolve=False) == before
    assert told == []


MINE = """
from dsct_detrex.config import LazyCall as L, get_config
from dsct_detrex.structures import MultiLabelEmotions

_base = get_config("common/data/coco.py")
classification, dataloader, data = _base.classification, _base.dataloader, _base.data
emotions = L(MultiLabelEmotions)(name="moods", names=["calm", "tense"])
"""


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    cfg = load_config(projects_folder() / "demo.py")
    exchange_data(cfg, str(tmp_path / "mine.py"), lambda said: None)
    assert cfg.emotions.name == "moods"
    assert cfg.dataloader.train.total_batch_size == 16
    (tmp_path / "mine.py").write_text(f"{MINE}dataloader.train.total_batch_size = 3\n")
    exchanged = load_config(projects_folder() / "demo.py")
    exchange_data(exchanged, str(tmp_path / "mine.py"), lambda said: None)
    assert (exchanged.dataloader.train.total_batch_size, exchanged.dataloader.test.batch_size) == (3, 16)
    (tmp_path / "mine.py").write_text("data = dict(root=None)\n")
    with pytest.raises(UserError, match=r"mine\.py expects a file that defines `emotions` and `dataloader`"):
        exchange_data(cfg, str(tmp_path / "mine.py"), lambda said: None)
    with pytest.raises(UserError, match=r"Got 'moods'\. A data set of your own is a file: --data mine\.py"):
        exchange_data(cfg, "moods", lambda said: None)
