"""Names that users type: of splits, providers, data sets, hosts, projects, figures and tables of the paper.

What is a file of this project is listed from its folder, so that a new file is known everywhere; nothing is loaded.
"""

from __future__ import annotations

from pathlib import Path

import dsct_detrex
from dsct_detrex.paths import config_folder, projects_folder

SPLITS = ("train", "val", "test")
PROVIDERS = ("embedded", "detrex")
"""Whose hosts: those of this package, or the user's own detrex's."""
SYNTHETIC = "synthetic"
"""The data set that is drawn in memory and never lies on a disk."""


PEOPLE, OBJECTS = "data", "objects"
"""Folders of ``configs/common`` with data sets: what they annotate are people with emotions, or things."""


def data_sets(folder: str = PEOPLE) -> list[str]:
    """Of ``--data``: the files of a folder of ``configs/common``."""
    return _stems(config_folder() / "common" / folder)


def formats() -> list[str]:
    """Data sets that lie on a disk."""
    return [name for name in data_sets() if name != SYNTHETIC]


def hosts() -> list[str]:
    """Of ``host.name``: the files of ``configs/common/hosts``."""
    return _stems(config_folder() / "common" / "hosts")


def projects() -> list[str]:
    """Of ``--config``: the files of ``projects``."""
    return _stems(projects_folder())


def tables() -> list[str]:
    """Of ``--table``: tables by their number, then figures."""
    names = [path.stem for path in (config_folder() / "sweeps").glob("*_[0-9]*.py")]
    return [name.removeprefix("table_") for name in sorted(names, key=_by_number)]


def suites() -> list[str]:
    """Of ``dsct bench``: the files of ``bench/suites``."""
    return _stems(Path(dsct_detrex.__file__).parent / "bench" / "suites")


def figures() -> list[str]:
    """Of ``dsct visualize``: the files of ``figures/kinds``."""
    return _stems(Path(dsct_detrex.__file__).parent / "figures" / "kinds")


def table_formats() -> list[str]:
    """Of ``dsct predict --format``: the files of ``prediction/writers``."""
    return _stems(Path(dsct_detrex.__file__).parent / "prediction" / "writers")


def _stems(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def _by_number(name: str) -> tuple[bool, int]:
    """Tables before figures, 5 before 10."""
    kind, _, number = name.partition("_")
    return kind != "table", int(number)
