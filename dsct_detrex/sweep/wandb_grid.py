"""The same sweep for ``wandb sweep``: a grid over the cells and seeds, each agent calling ``scripts/train.py``.

A grid multiplies its parameters. Cells that are such a product become one parameter for each key they set; others
become one parameter whose values are mappings, which an override merges into the config.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from dsct_detrex.engine.files import write_atomically
from dsct_detrex.sweep.description import Cell
from dsct_detrex.sweep.setting import Setting

_RUN_FOLDER = "${oc.env:WANDB_RUN_ID,run}"  # resolved in the run, where the agent has set it


def write_grid(path: Path, setting: Setting, script: Path, shared: Sequence[str]) -> bool:
    """Write the file.

    Args:
        shared: words of ``scripts/train.py`` that all cells have in common, those of all their hosts included.

    Returns:
        False, and no file, where the cells set keys of different blocks of the config and are no product.
    """
    parameters = grid_parameters(setting.sweep.cells)
    if parameters is None:
        return False
    sweep = setting.sweep
    fixed = [
        f"train.output_dir={path.parent / 'wandb' / _RUN_FOLDER}",
        "train.wandb.enabled=True",
        f"train.wandb.params.group={sweep.name}",
        f"train.wandb.params.tags=[{sweep.name},{setting.data},{setting.scale}]",
    ]
    content = {
        "name": sweep.name,
        "description": f"{sweep.paper_table}: {sweep.title} ({setting.data}, {setting.scale} scale)",
        "program": str(script),
        "method": "grid",
        "metric": {"name": f"emotion/{setting.metric}", "goal": "maximize"},
        "parameters": {
            **{key: {"values": values} for key, values in parameters.items()},
            "train.seed": {"values": list(range(setting.seeds))},
        },
        "command": ["${env}", "${interpreter}", "${program}", *shared, *fixed, "${args_no_hyphens}"],
    }
    text = f"# wandb sweep {path}\n" + yaml.safe_dump(content, sort_keys=False, width=110)
    write_atomically(path, lambda temporary: _write(temporary, text))
    return True


def grid_parameters(cells: Sequence[Cell]) -> dict[str, list[str]] | None:
    """Key -> values whose product is exactly these cells; None where there is none."""
    chosen = [dict(override.split("=", 1) for override in cell.overrides) for cell in cells]
    keys = list(dict.fromkeys(key for one in chosen for key in one))
    values = {key: list(dict.fromkeys(one[key] for one in chosen if key in one)) for key in keys}
    product = {tuple(zip(keys, combination)) for combination in itertools.product(*values.values())}
    if {tuple((key, one.get(key)) for key in keys) for one in chosen} == product:
        return values
    root = _common_root(keys)
    if not root:
        return None
    merged = [_mapping({key[len(root) + 1 :]: value for key, value in one.items()}) for one in chosen]
    return {root: merged}


def _common_root(keys: Sequence[str]) -> str:
    """The longest mapping that holds all keys."""
    paths = [key.split(".")[:-1] for key in keys]
    shared = [parts[0] for parts in zip(*paths) if len(set(parts)) == 1]
    alike = list(itertools.takewhile(lambda parts: len(set(parts)) == 1, zip(*paths)))
    return ".".join(shared[: len(alike)])


def _mapping(overrides: Mapping[str, str]) -> str:
    """``{"a.b": "1"}`` -> ``{a: {b: 1}}`` as an override writes it."""
    tree: dict[str, Any] = {}
    for key, value in overrides.items():
        node = tree
        *outer, last = key.split(".")
        for part in outer:
            node = node.setdefault(part, {})
        node[last] = value
    return _text(tree)


def _text(tree: Any) -> str:
    if not isinstance(tree, dict):
        return str(tree)
    return "{" + ", ".join(f"{key}: {_text(value)}" for key, value in tree.items()) + "}"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
