"""The page of all config keys: it is the one that the code makes, and no key of it is without a meaning."""

from pathlib import Path

import pytest

from dsct_detrex.config import get_config
from dsct_detrex.reference import REFRESH, Section, config_page, sections
from dsct_detrex.reference.keys import joined
from dsct_detrex.reference.words import DETREX, PLAIN

PAGE = Path(__file__).parents[2] / "docs/config.md"


@pytest.fixture(scope="module")
def page() -> list[Section]:
    return sections()


def names(page: list[Section]) -> set[str]:
    """Every key, those of several places by each of them."""
    listed = [key.name.removeprefix("+").rpartition(".") for section in page for key in section.keys]
    every = {f"{place}{dot}{name}" for places, dot, name in listed for place in places.split(", ")}
    return every | {name.replace("{train,test}", split) for name in every for split in ("train", "test")}


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == config_page(), f"docs/config.md is not what the code says: {REFRESH}"


def test_every_key_has_a_meaning(page: list[Section]) -> None:
    silent = [f"{key.name} ({section.called})" for section in page for key in section.keys if not key.meaning]
    assert silent == [], "say it under Args of what the block calls, or in reference/words.py"


def test_words_are_of_keys_that_exist(page: list[Section]) -> None:
    assert set(PLAIN) | set(DETREX) <= names(page)


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("train.max_epoch", "`50`"),
        ("train.wandb.num_pictures", "`8`"),
        ("model.aggregation.reweighting", "`semantic`"),
        ("+train.cudnn_benchmark", "`False`"),
        ("+dataloader.evaluator.nms_threshold", "`null`"),
        ("dataloader.{train,test}.mapper.is_train", "`True` (train); `False` (test)"),
        ("dataloader.train.total_batch_size", "`32`"),
        ("model.host", "`${hosts.${host.name}}`"),
    ],
)
def test_defaults(page: list[Section], key: str, default: str) -> None:
    assert default in {row.default for section in page for row in section.keys if row.name == key}


def test_every_host_is_on_it(page: list[Section]) -> None:
    found = {host for section in page if section.place == "hosts.*" for host in section.about.split(", ")}
    assert found == set(get_config("common/hosts.py").hosts)


@pytest.mark.parametrize(
    ("places", "written"),
    [
        (["a"], "a"),
        (["a.b.d", "a.c.d"], "a.{b,c}.d"),
        (["a.b", "a.b.c"], "a.b, a.b.c"),
    ],
)
def test_several_places(places: list[str], written: str) -> None:
    assert joined(places) == written
