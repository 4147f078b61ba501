"""Config files: relative imports by path, nothing cached, public mappings only, clear errors; YAML runs no code."""

import builtins
import os
from pathlib import Path

import pytest
from omegaconf import DictConfig, ListConfig

from dsct_detrex.config.errors import ConfigError, ConfigFileError, ConfigImportError
from dsct_detrex.config.lazy import LazyConfig
from dsct_detrex.config.loading import config_from_yaml, load_config, one_load


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_keeps_public_mappings_and_lists_only(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.py": "import os\nfrom omegaconf import ListConfig\n"
            "train = dict(x=1, y=dict(z=2))\n_hidden = dict(x=1)\nsteps = 3\nname = 'x'\nrows = ListConfig([1])\n"
            "def helper(): pass\nclass Thing: pass\n"
        },
    )
    cfg = load_config(tmp_path / "a.py")
    assert cfg == {"train": {"x": 1, "y": {"z": 2}}, "rows": [1]}
    assert isinstance(cfg, DictConfig)
    assert isinstance(cfg.train, DictConfig)
    assert isinstance(cfg.rows, ListConfig)


def test_objects_are_allowed_everywhere(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "import math\nx = dict(y=dict(f=math.sqrt))\n"})
    cfg = load_config(str(tmp_path / "a.py"))
    assert cfg.x.y.f(4) == 2
    cfg.x.y.g = max
    cfg.z = {"h": max}
    assert cfg.x.y.g is cfg.z.h is max


def test_keys_choose_values_of_any_type(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "x = dict(a=1)\nn = 3\n"})
    assert load_config(tmp_path / "a.py", "n") == 3
    x, n = load_config(tmp_path / "a.py", ("x", "n"))
    assert isinstance(x, DictConfig)
    assert (x, n) == ({"a": 1}, 3)


def test_relative_imports_go_by_path_and_cast_mappings(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "projects/x/main.py": "from ...common.train import train, steps\nfrom .near import model\n"
            "from .deep.er import er as other\ntrain.max_iter = steps\n",
            "projects/x/near.py": "from ..shared import base\nmodel = dict(base=base, n=1)\n",
            "projects/x/deep/er.py": "er = dict(a=1)\n",
            "projects/shared.py": "base = dict(b=2)\n",
            "common/train.py": "train = dict(max_iter=1)\nsteps = 7\n",
        },
    )
    cfg = load_config(tmp_path / "projects/x/main.py")
    assert cfg == {"train": {"max_iter": 7}, "model": {"base": {"b": 2}, "n": 1}, "other": {"a": 1}}


def test_a_path_with_dots_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a/main.py": "from ..b.x import x\n", "b/x.py": "x = dict(y=1)\n", "c/d/e.py": "z = {}\n"})
    monkeypatch.chdir(tmp_path / "c/d")
    assert load_config("../../a/./main.py") == {"x": {"y": 1}}


def test_a_config_knows_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a.py": "x = dict(file=__file__)\n"})
    monkeypatch.chdir(tmp_path)
    assert load_config("a.py").x.file == str(tmp_path / "a.py")


def test_star_imports_take_public_names(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "from .b import *\nx.n = 2\n", "b.py": "x = dict(n=1)\n_y = dict(n=1)\n"})
    assert load_config(tmp_path / "a.py") == {"x": {"n": 2}}


def test_nothing_is_cached_or_shared(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "base.py": "x = dict(n=1)\n",
            "left.py": "from .base import x\nx.n += 1\nleft = x\n",
            "main.py": "from .left import left\nfrom .base import x\n",
        },
    )
    first = load_config(tmp_path / "main.py")
    assert first == {"left": {"n": 2}, "x": {"n": 1}}
    first.x.n = 5
    assert load_config(tmp_path / "main.py").x.n == 1
    (tmp_path / "base.py").write_text("x = dict(n=10)\n")
    assert load_config(tmp_path / "main.py").left.n == 11


COUNTING = "import os\nos.environ['RUNS'] = str(int(os.environ['RUNS']) + 1)\n"


@pytest.mark.parametrize(
    ("base", "runs"),
    [
        ("x = dict(n=1)\n", 1),
        ("x = {name: 1 for name in ['n']}\n", 1),
        # What a function reads must be what its importer has changed, not what another one has.
        ("x = dict(n=1)\ndef f():\n    return x\n", 3),
        ("x = dict(n=1)\ng = [lambda: x for _ in '1']\n", 3),
        ("x = dict(n=1)\nclass C:\n    pass\n", 3),
    ],
)
def test_a_file_of_mere_data_is_executed_once_a_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: str, runs: int
) -> None:
    monkeypatch.setenv("RUNS", "0")
    write(
        tmp_path,
        {
            "base.py": COUNTING + base,
            "left.py": "from .base import x\nx.n += 1\nleft = x\n",
            "main.py": "from dsct_detrex.config import load_config\nfrom .left import left\nfrom .base import x\n"
            "whole = load_config(__file__.replace('main', 'base'))\n",
        },
    )
    for _ in range(2):
        monkeypatch.setenv("RUNS", "0")
        loaded = load_config(tmp_path / "main.py")
        assert loaded == {"left": {"n": 2}, "x": {"n": 1}, "whole": {"x": {"n": 1}}}
        assert int(os.environ["RUNS"]) == runs


def test_several_loads_may_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNS", "0")
    path = write(tmp_path, {"base.py": COUNTING + "x = dict(n=1)\n"}) / "base.py"
    with one_load():
        load_config(path).x.n = 5
        load_config(path, "x").n = 6
        assert load_config(path, ("x", "x"))[1].n == 1
    assert os.environ["RUNS"] == "1"
    load_config(path)
    assert os.environ["RUNS"] == "2"


def test_one_statement_gets_nodes_as_they_hang_together(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "base.py": "from dsct_detrex.config import LazyCall as L\nmodel = L(dict)(host=L(dict)(n=1))\n"
            "host = model.host\nagain = model\n",
            "other.py": "from .base import host\nhost.n = 7\n",
            "main.py": "from .other import host as theirs\nfrom .base import host, model, again\nhost.n = 2\n"
            "again.m = 3\nfrom .base import model as fresh\n",
        },
    )
    loaded = load_config(tmp_path / "main.py")
    assert (loaded.model.host.n, loaded.model.m, loaded.theirs.n) == (2, 3, 7)
    assert (loaded.fresh.host.n, "m" in loaded.fresh) == (1, False)


def test_ordinary_imports_are_untouched(tmp_path: Path) -> None:
    before = builtins.__import__
    write(
        tmp_path,
        {"a.py": "import os.path as p\nfrom omegaconf.errors import MissingMandatoryValue as M\nx = dict(p=p.sep)\n"},
    )
    assert load_config(tmp_path / "a.py").x.p == os.path.sep
    assert builtins.__import__ is before


def test_imports_inside_functions_stay_relative_to_their_file(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "main.py": "from .sub.tool import make\nx = make()\n",
            "sub/tool.py": "def make():\n    from .part import part\n    return part\n",
            "sub/part.py": "part = dict(n=1)\n",
        },
    )
    assert load_config(tmp_path / "main.py").x == {"n": 1}


def test_the_loaders_own_future_imports_do_not_leak(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(x: int): ...\nx = dict(t=f.__annotations__['x'] is int)\n"})
    assert load_config(tmp_path / "a.py").x.t is True


def test_load_rel_starts_at_the_calling_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        tmp_path,
        {
            "sub/a.py": "from dsct_detrex.config.lazy import LazyConfig\nx = LazyConfig.load_rel('../b c.py', 'y')\n",
            "b c.py": "y = dict(n=1)\n",
        },
    )
    monkeypatch.chdir(Path(__file__).parent)
    assert LazyConfig.load(str(tmp_path / "sub/a.py")) == {"x": {"n": 1}}


MAIN = "{folder}/main.py"


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (
            "from .bas import x",
            ConfigImportError,
            "load_config: {folder}/main.py: `from .bas import x` expects the config file {folder}/bas.py, which does "
            "not exist. Did you mean `base.py`?",
        ),
        (
            "from ..nowhere.base import x, y",
            ConfigImportError,
            "load_config: {folder}/main.py: `from ..nowhere.base import x, y` expects the config file "
            "{parent}/nowhere/base.py, which does not exist.",
        ),
        (
            "from .base import trian",
            ConfigImportError,
            "load_config: {folder}/main.py: `from .base import trian` asks for `trian`, which {folder}/base.py does "
            "not define. Did you mean `train`?",
        ),
        (
            "from . import base",
            ConfigImportError,
            "load_config: {folder}/main.py: `from . import base` names a folder. Between config files, write `from "
            ".file "
            "import name`.",
        ),
        (
            "from .sub import x",
            ConfigImportError,
            "load_config: {folder}/main.py: `from .sub import x` names the folder {folder}/sub. Between config files, "
            "import from a file inside it.",
        ),
        (
            "from .main import x",
            ConfigImportError,
            "load_config: config files import each other in a circle: {folder}/main.py -> {folder}/main.py.",
        ),
        ("x = dict(\n", ConfigError, "load_config: {folder}/main.py, line 1: '(' was never closed."),
    ],
)
def test_messages(tmp_path: Path, text: str, error: type[Exception], message: str) -> None:
    folder = tmp_path / "f"
    write(folder, {"main.py": text, "base.py": "train = dict(a=1)\n", "sub/x.py": "x = dict()\n"})
    with pytest.raises(error) as caught:
        load_config(folder / "main.py")
    assert str(caught.value) == message.format(folder=folder, parent=tmp_path)


def test_missing_files_and_keys(tmp_path: Path) -> None:
    write(tmp_path, {"train.py": "train = dict()\n_x = 1\n", "notes.txt": ""})
    with pytest.raises(ConfigFileError) as missing:
        load_config(tmp_path / "trian.py")
    assert str(missing.value) == f"load_config: {tmp_path}/trian.py does not exist. Did you mean `train.py`?"
    with pytest.raises(ConfigError) as key:
        load_config(tmp_path / "train.py", "trains")
    assert str(key.value) == f"load_config: {tmp_path}/train.py does not define `trains`. Did you mean `train`?"
    with pytest.raises(ConfigError) as suffix:
        load_config(tmp_path / "notes.txt")
    assert str(suffix.value) == f"load_config(path=) expects a .py, .yaml or .yml file. Got {tmp_path}/notes.txt."


def test_errors_of_the_file_itself_pass_through(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "import no_such_module_at_all\n"})
    with pytest.raises(ModuleNotFoundError, match="no_such_module_at_all"):
        load_config(tmp_path / "a.py")


def test_yaml_reads_numbers_as_people_mean_them(tmp_path: Path) -> None:
    write(tmp_path, {"a.yml": "lr: 1e-4\ndate: 2026-11-22\nx: ${lr}\nl: [1, two]\n"})
    cfg = load_config(tmp_path / "a.yml")
    assert cfg == {"lr": 1e-4, "date": "2026-11-22", "x": 1e-4, "l": [1, "two"]}
    cfg.f = max
    assert load_config(tmp_path / "a.yml", "lr") == 1e-4


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system [ls]", "!!python/name:os.system", "!!python/tuple [1]"]
)
def test_yaml_tags_create_nothing(tmp_path: Path, tag: str) -> None:
    write(tmp_path, {"a.yaml": f"ok: 1\nx: {tag}\n"})
    with pytest.raises(ConfigError) as error:
        load_config(tmp_path / "a.yaml")
    name = tag.split()[0].removeprefix("!!")
    assert str(error.value) == (
        f"config_from_yaml: {tmp_path}/a.yaml holds what a config may not (could not determine a constructor for the "
        f"tag "
        f"'tag:yaml.org,2002:{name}', line 2). Save it again with dsct_detrex.config.save_config."
    )


@pytest.mark.parametrize(("text", "line"), [("a: [1\n", ", line 2"), ("3", "")])
def test_yaml_that_is_none(text: str, line: str) -> None:
    with pytest.raises(ConfigError) as error:
        config_from_yaml(text)
    assert str(error.value) == f"config_from_yaml: the text is not a YAML mapping{line}."
