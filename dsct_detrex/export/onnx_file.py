"""A model as one ONNX file: pure operators, any batch and size, and its header in the file's metadata.

Of torch's two exporters the one that traces (``dynamo=False``) is used: it takes seconds, where the one that goes
through ``torch.export`` takes minutes for the same operators, and it serves every torch that this package runs with.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import torch

from dsct_detrex import __version__
from dsct_detrex.dsct import DSCT
from dsct_detrex.errors import UserError, reason_of
from dsct_detrex.export.function import INPUT, OUTPUTS, PeopleOfPictures
from dsct_detrex.export.tracing import traceable
from dsct_detrex.files import replacing
from dsct_detrex.prediction.export_header import HEADER_KEY, ExportHeader
from dsct_detrex.responsible_use import RESPONSIBLE_USE

OPSET: Final = 18
_TRACED: Final = (2, 3, 256, 320)
"""Shape of what is traced and computed; enough cells for the proposals of any host."""
_FREE: Final = {INPUT: {0: "batch", 2: "height", 3: "width"}, **{name: {0: "batch"} for name in OUTPUTS}}


def write_onnx(model: DSCT, path: Path, header: ExportHeader) -> None:
    """Write ``*.onnx``; an interrupted call leaves the old file, or none. The model stays as it is.

    Raises:
        UserError: the packages are not installed, the host is not one of ours, or an operation has no counterpart in
            ONNX; says which.
    """
    check_installed()
    import onnx

    images, written = torch.zeros(_TRACED, device=model.device), io.BytesIO()
    with traceable(model), torch.no_grad(), _quiet():
        try:
            torch.onnx.export(
                PeopleOfPictures(model),
                (images,),
                written,  # type: ignore[arg-type]
                input_names=[INPUT],
                output_names=list(OUTPUTS),
                dynamic_axes=_FREE,
                opset_version=OPSET,
                dynamo=False,
            )
        except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
            reason = reason_of(error)
            raise UserError(f"export: ONNX has no counterpart of an operation of this model ({reason}).") from error
    described = onnx.load_model_from_string(written.getvalue())
    described.producer_name, described.producer_version = "dsct_detrex", __version__
    described.doc_string = "\n\n".join(RESPONSIBLE_USE)
    onnx.helper.set_model_props(described, {HEADER_KEY: header.to_json()})
    with replacing(path) as unfinished:
        onnx.save_model(described, str(unfinished))


def check_installed() -> None:
    """Raise a ``UserError`` unless what writes and checks an ONNX file is there."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"export: {error.name} is not installed, and ONNX files need it: pip install onnx onnxruntime (the extra "
            "`export`)."
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter's own talk stays inside: that it is the older one, that branches are traced as they go."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
