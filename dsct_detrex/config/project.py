"""``get_config("common/train.py")``: one of the config files that come with this project.

detrex's function of the same name looks into detrex's own ``configs/``; this one looks into ours, in a source
checkout as in an installed wheel.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dsct_detrex.config.errors import ConfigFileError
from dsct_detrex.config.loading import load_config
from dsct_detrex.paths import config_folder as config_folder
from dsct_detrex.suggestions import did_you_mean


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


def config_names(folder: Path) -> list[str]:
    """All names that ``get_config`` takes, sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py"))
