"""The same sweep for ``wandb sweep``: a grid over cells and seeds, each agent training one run.

A grid multiplies its parameters. Cells that are such a product become one parameter for each key they set, cells below
one block of the config one parameter whose values are mappings, which an override merges; agents then call
``dsct train``. Cells that are neither, or start from different config files, become the values of ``--only``, and
agents call ``dsct sweep``.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from dsct_detrex.cli.invocation import runnable
from dsct_detrex.engine.files import write_text
from dsct_detrex.sweep.description import Cell
from dsct_detrex.sweep.plan import Plan

_RUN_FOLDER = "${oc.env:WANDB_RUN_ID,run}"  # resolved in the run, where the agent has set it
_SWEEP_FOLDER = "${envvar:WANDB_SWEEP_ID}"  # resolved by the agent


def write_grid(path: Path, plan: Plan, options: argparse.Namespace) -> None:
    """Write the file.

    Args:
        plan: of the command line.
        options: the parsed command line itself.
    """
    setting, sweep = plan.setting, plan.setting.sweep
    keys = None if plan.shared is None else grid_parameters(sweep.cells)
    if keys is None:
        command = "sweep"
        parameters: dict[str, Any] = {"only": {"values": [run.short_name for run in plan.runs]}}
        words = [*_again(options, setting.scale), "--output-dir", str(path.parent / "wandb" / _SWEEP_FOLDER)]
        words += ["train.wandb.enabled=True", "${args}"]
    else:
        command = "train"
        parameters = {key: {"values": values} for key, values in keys.items()}
        parameters["train.seed"] = {"values": list(range(setting.seeds))}
        words = [*(plan.shared or []), f"train.output_dir={path.parent / 'wandb' / _RUN_FOLDER}"]
        words += ["train.wandb.enabled=True", f"train.wandb.params.group={sweep.name}"]
        words += [f"train.wandb.params.tags=[{sweep.name},{setting.data},{setting.scale}]", "${args_no_hyphens}"]
    program, start = _program(command)
    content = {
        "name": sweep.name,
        "description": f"{sweep.heading} ({setting.data}, {setting.scale} scale)",
        "program": program,
        "method": "grid",
        "metric": {"name": f"emotion/{setting.metric}", "goal": "maximize"},
        "parameters": parameters,
        "command": ["${env}", "${interpreter}", *start, *words],
    }
    text = f"# wandb sweep {path}\n" + yaml.safe_dump(content, sort_keys=False, width=110)
    write_text(path, text)


def _program(command: str) -> tuple[str, list[str]]:
    """What W&B calls the program, and the words after the interpreter that start a command with it."""
    start = runnable(command)[1:]
    program = next(word for word in start if not word.startswith("-"))
    return program, ["${program}" if word == program else word for word in start]


def _again(options: argparse.Namespace, scale: str) -> list[str]:
    """The command line of ``dsct sweep`` less what a single run of it has no use for."""
    which = ["--table", options.table] if options.config is None else ["--config", str(options.config)]
    root = ["--data-root", options.data_root] if options.data_root else []
    return [*which, "--data", options.data, *root, "--scale", scale, "--seeds", str(options.seeds), *options.overrides]


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
