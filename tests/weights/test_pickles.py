"""Harmless things beside the weights do not stop them from loading; what could run code still does."""

import argparse
import collections
import datetime
import decimal
import fractions
import os
import pathlib
import pickle
import sys
import types
import uuid
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import pytest
import torch

from dsct_detrex.errors import UserError
from dsct_detrex.weights import read_checkpoint
from dsct_detrex.weights.pickles import Placeholder

WEIGHTS = {"heads.class_embed.bias": torch.arange(27.0)}
ARRAYS = {"stem.conv1.weight": np.ones((2, 3), np.float32)}
CONTAINERS = ("zip", "zip 5", "legacy", "pickle 2", "pickle 4", "pickle 5")


def filled(kind: Any, value: Any) -> Any:
    kind[value] = value
    return kind


HARMLESS: list[tuple[Any, Any]] = [  # what is saved, what is read
    (np.float32(0.25), np.float32(0.25)),
    (np.int64(7), np.int64(7)),
    (np.bool_(True), np.bool_(True)),
    (np.str_("a"), np.str_("a")),
    (np.dtype("float64"), np.dtype("float64")),
    (np.float32, np.float32),
    ([np.float64(1.5), {"best": np.float64(2.5)}], [1.5, {"best": 2.5}]),
    (Path("runs/a"), PurePosixPath("runs/a")),
    (PurePosixPath("/data/x"), PurePosixPath("/data/x")),
    (PureWindowsPath("C:\\data\\x"), PureWindowsPath("C:\\data\\x")),
    (collections.defaultdict(list, {"a": [1]}), {"a": [1]}),
    (collections.defaultdict(int), {}),
    (collections.defaultdict(dict, {"a": collections.defaultdict(list)}), {"a": {}}),
    (collections.OrderedDict(a=1), {"a": 1}),
    (collections.Counter("aab"), {"a": 2, "b": 1}),
    (collections.deque([1, 2], maxlen=2), [1, 2]),
    ({1, 2}, {1, 2}),
    (frozenset((1, 2)), frozenset((1, 2))),
    (slice(1, 2), slice(1, 2)),
    (range(3), range(3)),
    (1 + 2j, 1 + 2j),
    (bytearray(b"a"), bytearray(b"a")),
    (b"\xff\x00", b"\xff\x00"),
    (datetime.datetime(2026, 1, 2, 3, 4), datetime.datetime(2026, 1, 2, 3, 4)),
    (datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc), None),
    (datetime.date(2026, 1, 2), datetime.date(2026, 1, 2)),
    (datetime.timedelta(seconds=5), datetime.timedelta(seconds=5)),
    (decimal.Decimal("1.5"), decimal.Decimal("1.5")),
    (fractions.Fraction(1, 3), fractions.Fraction(1, 3)),
    (uuid.UUID(int=5), uuid.UUID(int=5)),
    (argparse.Namespace(lr=1, out=Path("a")), argparse.Namespace(lr=1, out=PurePosixPath("a"))),
    (types.SimpleNamespace(lr=1), types.SimpleNamespace(lr=1)),
    (torch.Size([1, 2]), torch.Size([1, 2])),
    (torch.float32, torch.float32),
    (float("inf"), float("inf")),
]


def saved(path: Path, content: Any, container: str) -> Path:
    kind, _, protocol = container.partition(" ")
    if kind == "pickle":
        path.write_bytes(pickle.dumps(content, protocol=int(protocol)))
    else:
        options = {"pickle_protocol": int(protocol)} if protocol else {}
        torch.save(content, path, _use_new_zipfile_serialization=kind == "zip", **options)
    return path


def weights_for(container: str) -> dict[str, Any]:
    """Plain pickles hold arrays; tensors in them would need torch's own container."""
    return dict(ARRAYS) if container.startswith("pickle") else dict(WEIGHTS)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(("value", "read"), HARMLESS, ids=[repr(value)[:40] for value, _ in HARMLESS])
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_harmless_things_stand_beside_the_weights(value: Any, read: Any, container: str, tmp_path: Path) -> None:
    weights = weights_for(container)
    path = saved(tmp_path / "a.pth", {"model": weights, "extra": value}, container)
    checkpoint = read_checkpoint(path)
    assert checkpoint.state_dict.keys() == weights.keys()
    assert checkpoint.extras["extra"] == (value if read is None else read)


@pytest.mark.parametrize("container", ["zip", "legacy", "pickle 4"])
def test_arrays_of_every_kind_stand_beside_the_weights(container: str, tmp_path: Path) -> None:
    extra = {
        "scores": np.arange(6.0).reshape(2, 3),
        "fortran": np.asfortranarray(np.ones((2, 3))),
        "mask": np.array([True, False]),
        "names": np.array(["a", "bc"]),
        "days": np.array(["2026-01-02"], "datetime64[D]"),
        "objects": np.array([None, "a", 1], dtype=object),
        "records": np.zeros(2, [("x", "f4"), ("y", "i8")]),
        "empty": np.zeros((0, 4)),
    }
    path = saved(tmp_path / "a.pth", {"model": weights_for(container), "extra": extra}, container)
    for name, array in read_checkpoint(path).extras["extra"].items():
        np.testing.assert_array_equal(array, extra[name])
        assert array.dtype == extra[name].dtype


@pytest.mark.parametrize("container", ["zip", "legacy"])
def test_arrays_and_parameters_are_weights_too(container: str, tmp_path: Path) -> None:
    content = {"model": {"w": np.ones(3, np.float32), "p": torch.nn.Parameter(torch.ones(2))}, "best": np.float64(1)}
    checkpoint = read_checkpoint(saved(tmp_path / "a.pth", content, container))
    assert checkpoint.state_dict.keys() == {"w", "p"}
    torch.testing.assert_close(checkpoint.state_dict["w"], torch.ones(3))


@pytest.mark.parametrize("home", ["pathlib", "pathlib._local"])
@pytest.mark.parametrize(("name", "kind"), [("WindowsPath", PureWindowsPath), ("PosixPath", PurePosixPath)])
def test_paths_of_any_system_and_python(home: str, name: str, kind: type, tmp_path: Path) -> None:
    """What Windows, and Python 3.13, write down."""
    content = saved(tmp_path / "a.pkl", {"model": ARRAYS, "out": pathlib.PurePosixPath("a")}, "pickle 2").read_bytes()
    assert b"pathlib\nPurePosixPath\n" in content
    (tmp_path / "a.pkl").write_bytes(content.replace(b"pathlib\nPurePosixPath\n", f"{home}\n{name}\n".encode()))
    assert read_checkpoint(tmp_path / "a.pkl").extras["out"] == kind("a")


@pytest.fixture
def config_library(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A stand-in for mmengine and its kind: objects with state, dicts and lists with more to them, functions."""
    module = types.ModuleType("mmengine")

    class Plain:
        pass

    class ConfigDict(dict):  # type: ignore[type-arg]
        pass

    class ConfigList(list):  # type: ignore[type-arg]
        pass

    class Calls:
        def __reduce__(self) -> Any:
            return ConfigDict, ({"touched": 1},)

    for kind in (Plain, ConfigDict, ConfigList, Calls):
        kind.__module__, kind.__qualname__ = "mmengine.config", kind.__name__
        setattr(module, kind.__name__, kind)
    monkeypatch.setitem(sys.modules, "mmengine", module)
    monkeypatch.setitem(sys.modules, "mmengine.config", module)
    return module


@pytest.mark.parametrize("container", ["zip", "legacy", "pickle 2", "pickle 4"])
@pytest.mark.parametrize("kind", ["Plain", "ConfigDict", "ConfigList", "Calls"])
def test_objects_of_config_libraries_become_placeholders(
    kind: str, container: str, config_library: Any, tmp_path: Path
) -> None:
    value = getattr(config_library, kind)()
    if kind == "Plain":
        value.lr = 1
    elif kind == "ConfigDict":
        value["lr"] = value.lr = 1
    elif kind == "ConfigList":
        value += [1, 2]
    path = saved(tmp_path / "a.pth", {"cfg": value, "model": weights_for(container)}, container)
    read = read_checkpoint(path).extras["cfg"]
    assert isinstance(read, Placeholder)
    assert repr(read).startswith("<mmengine.config.Config" if kind != "Plain" else "<mmengine.config.Plain")
    if kind in ("Plain", "ConfigDict"):
        assert read["lr"] == 1


def test_a_config_named_model_does_not_hide_the_weights(config_library: Any, tmp_path: Path) -> None:
    for config in (config_library.ConfigDict(depth=50), {"depth": 50}):
        path = saved(tmp_path / "a.pth", {"model": config, "state_dict": WEIGHTS}, "zip")
        assert read_checkpoint(path).state_dict.keys() == WEIGHTS.keys()


class Reduced:
    """Pickled as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


DANGEROUS = [
    (os.system, "system"),
    (eval, "builtins.eval"),
    (exec, "builtins.exec"),
    (getattr, "builtins.getattr"),
    (__import__, "builtins.__import__"),
    (open, "open"),
    (os.popen, "os.popen"),
    (os.remove, "remove"),
    (__import__("subprocess").Popen, "subprocess.Popen"),
    (__import__("functools").partial, "functools.partial"),
    (__import__("operator").attrgetter, "operator.attrgetter"),
    (__import__("importlib").import_module, "importlib.import_module"),
    (torch.load, "torch.serialization.load"),
    (torch.hub.load, "torch.hub.load"),
    (np.load, "numpy.*load"),
    (np.lib.format.open_memmap, "numpy.lib.*open_memmap"),
    (type, "builtins.type"),
    (map, "builtins.map"),
    (setattr, "builtins.setattr"),
]


@pytest.mark.parametrize("container", ["zip", "legacy", "pickle 2", "pickle 4"])
@pytest.mark.parametrize(("function", "name"), DANGEROUS, ids=[name for _, name in DANGEROUS])
def test_what_could_run_code_is_refused_by_name(function: Any, name: str, container: str, tmp_path: Path) -> None:
    """Also behind harmless things, and as what a ``defaultdict`` makes."""
    for extra in (Reduced(function, "x"), [np.float64(1), Path("a"), Reduced(function, "x")], {"factory": function}):
        path = saved(tmp_path / "a.pth", {"model": weights_for(container), "extra": extra}, container)
        with pytest.raises(UserError, match=rf"asks for the Python object \S*{name}\S*, and a file that may do so"):
            read_checkpoint(path)


@pytest.mark.parametrize("owner", [b"cargparse\nNamespace\n", b"ctorch._utils\n_rebuild_tensor\n"])
def test_classes_and_functions_cannot_be_changed(owner: bytes, tmp_path: Path) -> None:
    """State for a class: every later object of it would have it."""
    path = tmp_path / "a.pkl"
    path.write_bytes(b"\x80\x02" + owner + b"N}X\x01\x00\x00\x00xK\x01s\x86b.")
    with pytest.raises(UserError, match=r"asks for the Python object \S+\.__setstate__"):
        read_checkpoint(path)
    assert not hasattr(argparse.Namespace, "x")
    assert not hasattr(torch._utils._rebuild_tensor, "x")


@pytest.mark.parametrize("name", ["omegaconf.x\nsystem", "mmengine\nConfig"])
def test_a_placeholder_imports_nothing(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(b"\x80\x02}(X\x05\x00\x00\x00modelc" + name.encode() + b"\nX\x02\x00\x00\x00id\x85Ru.")
    before = set(sys.modules)
    with pytest.raises(UserError, match="holds no tensors"):
        read_checkpoint(path)
    assert not {module for module in set(sys.modules) - before if module.startswith(("mmengine", "omegaconf.x"))}
