"""``get_config("common/train.py")``: one of the config files that come with this project.

detrex's function of the same name looks into detrex's own ``configs/``; this one looks into ours, in a source
checkout as in an installed wheel.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dsct_detrex.config.errors import ConfigFileError
from dsct_detrex.config.loading import load_config
from dsct_detrex.names import projects
from dsct_detrex.paths import config_folder as config_folder
from dsct_detrex.paths import projects_folder, spoken_path, user_path
from dsct_detrex.suggestions import did_you_mean

_SUFFIXES = (".py", ".yaml", ".yml")


def get_config(name: str) -> Any:
    """Load a config of this project, a fresh object at each call.

    Args:
        name: its path below ``configs/``, with forward slashes: ``"common/train.py"``.

    Raises:
        ConfigFileError: there is none of that name; the message suggests near names.
    """
    folder = config_folder()
    known = config_names(folder)
    if name not in known:
        hint = did_you_mean(name, known) or f" Known configs: {', '.join(known) or 'none'}."
        raise ConfigFileError(f"get_config(name=) expects a config file below {folder}. Got {name!r}.{hint}")
    return load_config(folder / name)


def config_file(given: str) -> Path:
    """The config file that a user names: a file, or a project of this package by its name.

    Args:
        given: a path; or ``dino_dsct``, with or without ``.py`` and a ``projects/`` before it.

    Raises:
        ConfigFileError: there is neither; the message suggests near names.
    """
    path = user_path(given)
    if path.is_file():
        return path
    outer, _, name = given.replace("\\", "/").rpartition("/")
    name = name.removesuffix(".py")
    if outer in ("", "projects") and name in projects():
        return spoken_path(projects_folder() / f"{name}.py")
    if path.is_dir():
        raise ConfigFileError(f"--config expects a config file. Got the folder {path}.")
    beside = sorted(str(path.parent / each.name) for each in path.parent.glob("*") if each.suffix in _SUFFIXES)
    if outer in ("", "projects"):
        hint = did_you_mean(name, projects()) or did_you_mean(str(path), beside)
        known = hint or f" Projects: {', '.join(projects())}."
    else:
        known = did_you_mean(str(path), beside)
    raise ConfigFileError(f"--config expects a file or the name of a project. {given} is neither.{known}")


def config_names(folder: Path) -> list[str]:
    """All names that ``get_config`` takes, sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py"))
