"""A traced program as one ONNX file: pure operators, any batch and size, and its header in the file's metadata."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch
from torch.export import ExportedProgram

from dsct_detrex import __version__
from dsct_detrex.errors import UserError
from dsct_detrex.export.function import INPUT, OUTPUTS
from dsct_detrex.prediction.export_header import HEADER_KEY, ExportHeader
from dsct_detrex.responsible_use import RESPONSIBLE_USE
from dsct_detrex.weights.writing import replacing

OPSET: Final = 18
"""The newest that the exporter writes without converting back from a newer one; it has GridSample (16)."""
_FREE: Final = {0: "batch", 2: "height", 3: "width"}


def write_onnx(program: ExportedProgram, path: Path, header: ExportHeader) -> None:
    """Write ``*.onnx``; an interrupted call leaves the old file, or none.

    Args:
        program: of ``program_of``.

    Raises:
        UserError: the packages are not installed, or an operation has no counterpart in ONNX; says which.
    """
    check_installed()
    with _quiet():
        try:
            exported = torch.onnx.export(
                program,
                input_names=[INPUT],
                output_names=list(OUTPUTS),
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
        except Exception as error:  # the exporter raises what it likes
            raise UserError(f"export: ONNX has no counterpart of an operation of this model ({error}).") from error
    assert exported is not None
    _describe(exported.model, header)
    with replacing(path) as unfinished:
        exported.save(str(unfinished))


def _describe(model: Any, header: ExportHeader) -> None:
    """Name the free axes and put the header in."""
    images = model.graph.inputs[0]
    images.shape = type(images.shape)([_FREE.get(axis, size) for axis, size in enumerate(images.shape)])
    model.producer_name, model.producer_version = "dsct_detrex", __version__
    model.doc_string = "\n\n".join(RESPONSIBLE_USE)
    model.metadata_props[HEADER_KEY] = header.to_json()


def check_installed() -> None:
    """Raise a ``UserError`` unless what writes and checks an ONNX file is there."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"export: {error.name} is not installed, and ONNX files are made with it: pip install onnx onnxscript "
            "onnxruntime (the extra `export`)."
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter's own talk, about versions of torch's packages and rewrites of the graph, stays inside."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels):
            logger.setLevel(level)
