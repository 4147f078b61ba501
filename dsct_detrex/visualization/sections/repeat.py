"""How to repeat what a page shows."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version

from dsct_detrex import __version__
from dsct_detrex.responsible_use import RESPONSIBLE_USE
from dsct_detrex.visualization.blocks import Block, Details, Note, Section, Table

_PACKAGES = ("torch", "torchvision", "numpy", "scikit-learn")


def repeat(facts: Mapping[str, str], config: str = "") -> Section:
    """Command, config, seed, machine.

    Args:
        facts: name -> text; empty texts are left out.
        config: the resolved config as YAML, folded up.
    """
    blocks: list[Block] = [Table(("What", "Value"), [row for row in facts.items() if row[1]], text=True)]
    if config:
        blocks.append(Details("The resolved config", config))
    return Section("settings", "How to repeat it", blocks)


def versions() -> str:
    """Of this package, Python and what the numbers depend on."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return f"dsct-detrex {__version__}, Python {platform.python_version()}, {packages}"


def responsible_use() -> Section:
    return Section("use", "Responsible use", [Note(RESPONSIBLE_USE)])
