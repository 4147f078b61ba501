"""A model as a program of ``torch.export``: the graph of its operations, for any number of pictures of any one size.

Written as ``*.pt2`` it runs in torch without this package.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch.export import Dim, ExportedProgram
from torch.fx.experimental import _config as symbolic_shapes

from dsct_detrex.dsct import DSCT
from dsct_detrex.errors import UserError
from dsct_detrex.export.function import PeopleOfPictures
from dsct_detrex.export.tracing import traceable
from dsct_detrex.files import replacing
from dsct_detrex.prediction.export_header import HEADER_KEY, ExportHeader

_OBLIVIOUS: Any = symbolic_shapes.patch  # type: ignore[attr-defined]  # put there when torch starts
_TRACED = (2, 3, 608, 800)
"""Shape of what is traced; sizes are symbols, and these numbers only decide what a branch would decide by: a batch of
several, sides that differ, and enough cells for the proposals of any host. Nothing of it is computed."""


def program_of(model: DSCT) -> ExportedProgram:
    """Trace a model; it stays as it is, and its weights are shared.

    Returns:
        a program with the input and the outputs of ``PeopleOfPictures``.

    Raises:
        UserError: the model does what a tracer cannot follow: a host that is not one of ours.
    """
    images = torch.zeros(_TRACED, device=model.device)
    shapes = ({0: Dim.DYNAMIC, 2: Dim.DYNAMIC, 3: Dim.DYNAMIC},)
    # oblivious: that two pictures are traced must not exclude one
    with (
        traceable(model),
        torch.no_grad(),
        _OBLIVIOUS(backed_size_oblivious=True),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # of torch about itself
        try:
            return torch.export.export(PeopleOfPictures(model), (images,), dynamic_shapes=shapes, strict=False)
        except Exception as error:  # whatever a tracer may trip over in code that nobody tried
            raise UserError(
                f"export: torch.export cannot trace this model ({_first_line(error)}); its host is "
                f"{type(model.host).__module__}.{type(model.host).__name__}. docs/export.md says what can be."
            ) from error


def write_program(program: ExportedProgram, path: Path, header: ExportHeader) -> None:
    """Write ``*.pt2`` with its header beside the program; an interrupted call leaves the old file, or none."""
    program._example_inputs = None  # the traced zeros, 12 MB
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        torch.export.save(program, file, extra_files={f"{HEADER_KEY}.json": header.to_json()})


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")
