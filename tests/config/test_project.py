"""``get_config`` finds this project's configs, in a checkout and in a wheel."""

from pathlib import Path

import pytest

import dsct_detrex
from dsct_detrex.config.errors import ConfigFileError
from dsct_detrex.config.project import config_file, config_folder, config_names, get_config


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pretended checkout with ``configs/common/{train,optim}.py``; the returned path is the package's."""
    package = tmp_path / "dsct_detrex"
    (tmp_path / "configs/common").mkdir(parents=True)
    package.mkdir()
    (tmp_path / "configs/common/train.py").write_text("train = dict(max_iter=1)\n")
    (tmp_path / "configs/common/optim.py").write_text("from .train import train\noptimizer = dict(n=train.max_iter)\n")
    monkeypatch.setattr(dsct_detrex, "__file__", str(package / "__init__.py"))
    return package


def test_a_fresh_object_each_time(folder: Path) -> None:
    first = get_config("common/train.py")
    first.train.max_iter = 5
    assert get_config("common/train.py") == {"train": {"max_iter": 1}}
    assert get_config("common/optim.py").optimizer.n == 1


def test_a_wheel_carries_them_inside(folder: Path) -> None:
    (folder / "configs").mkdir()
    (folder / "configs/only.py").write_text("x = dict()\n")
    assert config_folder() == folder / "configs"
    assert config_names(config_folder()) == ["only.py"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("common/trian.py", "Did you mean `common/train.py`?"),
        ("../secret.py", "Known configs: common/optim.py, common/train.py."),
    ],
)
def test_unknown_names(folder: Path, name: str, hint: str) -> None:
    (folder.parent / "secret.py").write_text("x = dict()\n")
    with pytest.raises(ConfigFileError) as error:
        get_config(name)
    assert str(error.value) == (
        f"get_config(name=) expects a config file below {folder.parent}/configs. Got {name!r}. {hint}"
    )


def test_the_real_folder_lies_beside_the_package() -> None:
    assert config_folder() == Path(dsct_detrex.__file__).parent.parent / "configs"
    assert "common/train.py" in config_names(config_folder())


PROJECTS = Path(__file__).parents[2] / "projects"


@pytest.mark.parametrize("given", ["dino_dsct", "dino_dsct.py", "projects/dino_dsct", "projects/dino_dsct.py"])
def test_a_project_by_its_name_in_any_folder(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert config_file(given) == PROJECTS / "dino_dsct.py"


def test_a_file_of_the_users_own_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dino_dsct").write_text("")
    assert config_file("dino_dsct") == Path("dino_dsct")
    Path("projects").mkdir()
    Path("projects/dino_dsct.py").write_text("")
    assert config_file("projects/dino_dsct.py") == Path("projects/dino_dsct.py")
    assert config_file(str(tmp_path / "dino_dsct")) == tmp_path / "dino_dsct"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("dino_dsc", "dino_dsc is neither. Did you mean `dino_dsct`?"),
        ("projects/dnio_dsct.py", "is neither. Did you mean `dino_dsct`?"),
        ("x", "x is neither. Projects: anchor_detr_dsct, "),
        ("mine/dino_dsct.py", "mine/dino_dsct.py is neither."),
        ("runs/confg.yaml", "is neither. Did you mean `runs/config.yaml`?"),
        ("my_confg.py", "is neither. Did you mean `my_config.py`?"),
        ("runs", "Got the folder runs."),
    ],
)
def test_neither_a_file_nor_a_project(given: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs").mkdir()
    Path("runs/config.yaml").touch()
    Path("my_config.py").touch()
    with pytest.raises(ConfigFileError) as error:
        config_file(given)
    assert said in str(error.value)
