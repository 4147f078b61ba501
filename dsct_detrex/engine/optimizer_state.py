"""The state of an optimizer by the names of weights, so that a resumed run may group them otherwise.

``torch`` restores the settings of the old groups together with the state, and matches weights by their position. Here
the settings stay those of the new config, and each weight finds the state it had under its name.
"""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.optim import Optimizer


def names_of(optimizer: Optimizer, model: nn.Module) -> list[list[str]]:
    """The names of the weights of every group, in order."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return [[names.get(id(parameter), "") for parameter in group["params"]] for group in optimizer.param_groups]


def restore_state(
    optimizer: Optimizer, model: nn.Module, saved: dict[str, Any], saved_names: list[list[str]] | None
) -> list[str]:
    """Give every weight the state it had; groups and their settings stay as they are.

    Args:
        saved: the old optimizer's ``state_dict()``.
        saved_names: ``names_of`` it; None in old checkpoints, whose groups are taken to be the present ones.

    Returns:
        The names of weights that train now and had no state: they start afresh.

    Raises:
        ValueError: without names, other groups than the present ones.
    """
    own = names_of(optimizer, model)
    if saved_names is None:
        sizes = [len(group["params"]) for group in saved["param_groups"]]
        if sizes != [len(names) for names in own]:
            raise ValueError(f"groups of {sizes} weights, not {[len(names) for names in own]}")
        saved_names = own
    places = [place for group in saved["param_groups"] for place in group["params"]]
    flat = [name for names in saved_names for name in names]
    by_name = {name: saved["state"][place] for name, place in zip(flat, places, strict=True) if place in saved["state"]}
    mine = [name for names in own for name in names]
    state = {place: by_name[name] for place, name in enumerate(mine) if name in by_name}
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return [name for name in mine if name not in flat]
