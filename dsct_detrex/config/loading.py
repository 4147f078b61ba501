"""Read a config file: Python that is executed afresh in each load, or YAML that runs no code.

Config files import each other by *path* (``from ..common.train import train``) and need no ``__init__.py``, as in
detectron2. Nothing is kept from one load to the next, and nothing is shared: every import gets mappings and lists of
its own. Each file runs with its own ``__import__`` in its builtins; the interpreter's is left alone.
"""

from __future__ import annotations

import builtins
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import yaml
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dsct_detrex.config.aliases import check_aliases
from dsct_detrex.config.copies import as_config, duplicate
from dsct_detrex.config.errors import ConfigError, ConfigFileError, ConfigImportError
from dsct_detrex.errors import reason_of
from dsct_detrex.paths import user_path
from dsct_detrex.suggestions import did_you_mean

_COMPREHENSIONS = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")

_executed: ContextVar[dict[Path, ModuleType] | None] = ContextVar("executed", default=None)


def load_config(path: str | Path, keys: str | tuple[str, ...] | None = None) -> Any:
    """Load a ``.py``, ``.yaml`` or ``.yml`` config file.

    Args:
        path: the file, relative to the working directory or absolute.
        keys: one name, or several: return these values instead of the whole.

    Returns:
        Without ``keys``, a ``DictConfig``. Of a Python file it holds the public names whose value is a mapping or a
        list config; other values are taken for helpers of the file, as in detectron2.

    Raises:
        ConfigFileError: the file does not exist.
        ConfigImportError: it imports a config file or a name that does not exist, or itself.
        ConfigError: its syntax is wrong, a key is missing, or the YAML holds Python objects.
    """
    path = Path(os.path.abspath(user_path(path)))
    if path.suffix not in (".py", ".yaml", ".yml"):
        raise ConfigError(f"load_config(path=) expects a .py, .yaml or .yml file. Got {path}.")
    if not path.is_file():
        raise ConfigFileError(f"load_config: {path} does not exist.{did_you_mean(path.name, _siblings(path))}")
    wanted = (keys,) if isinstance(keys, str) else keys or ()
    with one_load():
        content: Mapping[Any, Any] = (
            vars(_given(_run_file(path, ()), wanted)) if path.suffix == ".py" else _read_yaml(path)
        )
        if keys is None:
            return content if isinstance(content, (DictConfig, ListConfig)) else _public(content)
        values = tuple(_value(content, key, path) for key in wanted)
    return values[0] if isinstance(keys, str) else values


@contextmanager
def one_load() -> Iterator[None]:
    """Loads inside count as one: a file that several of them lead to is executed once, and copied to each."""
    if _executed.get() is not None:
        yield
        return
    token = _executed.set({})
    try:
        yield
    finally:
        _executed.reset(token)


def config_from_yaml(text: str, source: str = "the text") -> Any:
    """Read a config out of YAML text, as ``config_to_yaml`` writes it; no tag can create a Python object.

    Args:
        source: what an error message calls the text.

    Raises:
        ConfigError: not YAML, it holds Python objects, or a few lines that stand for very many.
    """
    try:
        check_aliases(text, source)
        loaded = OmegaConf.load(io.StringIO(text))
    except yaml.constructor.ConstructorError as error:
        raise ConfigError(
            f"config_from_yaml: {source} holds what a config may not ({error.problem}{_line(error)}). "
            f"Save it again with dsct_detrex.config.save_config."
        ) from error
    except (yaml.YAMLError, OSError) as error:
        raise ConfigError(f"config_from_yaml: {source} is not a YAML mapping{_line(error)}.") from error
    except (OmegaConfBaseException, ValueError, TypeError, AttributeError, RecursionError) as error:
        reason = reason_of(error)  # a date with a 13th month, a list as key, ...
        raise ConfigError(f"config_from_yaml: {source} holds what a config may not ({reason}).") from error
    return OmegaConf.create(loaded, flags={"allow_objects": True})


def config_from_values(values: Mapping[Any, Any], source: str = "the mapping") -> DictConfig:
    """A config of the plain values that a file holds.

    Args:
        source: what an error message calls them.

    Raises:
        ConfigError: a key or a value that no config may have, or interpolations without an end.
    """
    try:
        return OmegaConf.create(dict(values), flags={"allow_objects": True})
    except (OmegaConfBaseException, yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError) as error:
        reason = reason_of(error)
        raise ConfigError(f"config_from_values: {source} holds what a config may not ({reason}).") from error


def selected(cfg: Any, key: str) -> Any:
    """A value of somebody's config by its dotted key; None where there is none, or none that can be found."""
    try:
        return OmegaConf.select(cfg, key) if isinstance(cfg, DictConfig) else None
    except OmegaConfBaseException:
        return None


def _read_yaml(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"load_config: {path} cannot be read ({reason}).") from error
    return config_from_yaml(text, str(path))


def _line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return "" if mark is None else f", line {mark.line + 1}"


def _run_file(path: Path, importers: tuple[Path, ...]) -> ModuleType:
    """Execute one Python config file, or give what it became earlier in this load, which belongs to nobody: copy it.

    A file with functions or classes of its own is executed each time, because they hold on to its variables.

    Args:
        importers: the files whose imports led here, outermost first.
    """
    if path in importers:
        circle = " -> ".join(str(file) for file in (*importers[importers.index(path) :], path))
        raise ConfigImportError(f"load_config: config files import each other in a circle: {circle}.")
    executed = _executed.get()
    if executed is not None and path in executed:
        return executed[path]
    module = ModuleType(f"config_file.{path.stem}")
    module.__file__ = str(path)
    vars(module)["__builtins__"] = {**vars(builtins), "__import__": _Importer(path, (*importers, path))}
    try:
        # dont_inherit: otherwise this file's own __future__ import would hold in the config too.
        code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise ConfigError(f"load_config: {path}, line {error.lineno}: {error.msg}.") from error
    exec(code, vars(module))
    if executed is not None and not _defines_something(code):
        executed[path] = module
    return module


def _defines_something(code: CodeType) -> bool:
    """Whether there is a function, a lambda or a class; comprehensions, code of their own too, do not last."""
    inner = [one for one in code.co_consts if isinstance(one, CodeType)]
    return any(one.co_name not in _COMPREHENSIONS or _defines_something(one) for one in inner)


def _given(module: ModuleType, names: Iterable[str]) -> ModuleType:
    """The module as one import may have it: with its own copies of the values it asks for."""
    if module not in (_executed.get() or {}).values():
        return module
    own = ModuleType(module.__name__)
    vars(own).update(vars(module))
    copies: dict[int, Any] = {}
    for name in names:
        if name in vars(module):
            setattr(own, name, duplicate(vars(module)[name], copies))
    return own


class _Importer:
    """The ``__import__`` that one config file sees: relative imports by path, all others as ever."""

    def __init__(self, path: Path, importers: tuple[Path, ...]) -> None:
        self._path = path
        self._importers = importers

    def __call__(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if level == 0:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        statement = f"`from {'.' * level}{name} import {', '.join(fromlist or ())}`"
        module = _run_file(self._find(name, level, statement), self._importers)
        names = [n for n in vars(module) if not n.startswith("_")] if fromlist == ("*",) else fromlist or ()
        for imported in names:
            if imported not in vars(module):
                known = [n for n in vars(module) if not n.startswith("_")]
                raise ConfigImportError(
                    f"load_config: {self._path}: {statement} asks for `{imported}`, which {module.__file__} does not "
                    f"define.{did_you_mean(imported, known)}"
                )
        given = _given(module, names)
        for imported in names:
            setattr(given, imported, _cast(vars(given)[imported]))
        return given

    def _find(self, name: str, level: int, statement: str) -> Path:
        folder = Path(os.path.normpath(self._path.parent.joinpath(*[".."] * (level - 1))))
        if not name:
            raise ConfigImportError(
                f"load_config: {self._path}: {statement} names a folder. Between config files, write "
                f"`from .file import name`."
            )
        target = folder.joinpath(*name.split(".")).with_suffix(".py")
        if target.is_file():
            return target
        if target.with_suffix("").is_dir():
            raise ConfigImportError(
                f"load_config: {self._path}: {statement} names the folder {target.with_suffix('')}. Between config "
                f"files, import from a file inside it."
            )
        raise ConfigImportError(
            f"load_config: {self._path}: {statement} expects the config file {target}, which does not exist."
            f"{did_you_mean(target.name, _siblings(target))}"
        )


def _public(content: Mapping[str, Any]) -> DictConfig:
    return as_config(
        {
            name: value
            for name, value in content.items()
            if not name.startswith("_") and isinstance(value, (DictConfig, ListConfig, dict))
        }
    )


def _value(content: Mapping[Any, Any], key: str, path: Path) -> Any:
    if key not in content:
        known = [str(name) for name in content if not str(name).startswith("_")]
        raise ConfigError(f"load_config: {path} does not define `{key}`.{did_you_mean(key, known)}")
    return _cast(content[key])


def _cast(value: Any) -> Any:
    return as_config(value) if isinstance(value, dict) else value


def _siblings(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir()) if path.parent.is_dir() else []
