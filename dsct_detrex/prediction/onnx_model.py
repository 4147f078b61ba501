"""An exported ONNX file as a model that a ``Predictor`` can call; onnxruntime computes, torch only carries the tensors.

Shapes: B pictures, N subjects, K emotions.
"""

from __future__ import annotations

import mmap
import re
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from dsct_detrex.errors import UserError, reason_of
from dsct_detrex.prediction.export_header import HEADER_KEY, ExportHeader
from dsct_detrex.structures import Instances, predicted_people

SUFFIX: Final = ".onnx"
_OTHER_FILE: Final = re.compile(rb"(?:\x0a|\x8a\x80*\x00)(?:\x08|\x88\x80*\x00)location")
"""How protobuf writes the key of a tensor that stands in another file: field 1, 8 bytes, both in any of their forms."""
_PROVIDERS: Final = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class OnnxModel(nn.Module):
    """Called as DSCT is in evaluation: ``[{"image", "height", "width"}]`` to ``[{"instances"}]``.

    Pictures of one size go together. Those of other sizes go by themselves, never padded, so that each gets what it
    gets alone.

    Args:
        file: written by ``dsct export``.

    Raises:
        UserError: onnxruntime is not installed, or the file is damaged, somebody else's, or takes weights from other
            files.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        _check_whole(file)
        self._open("cpu")
        text = self._session.get_modelmeta().custom_metadata_map.get(HEADER_KEY)
        if text is None:
            raise UserError(
                f"checkpoint: {file} is an ONNX file without label set and thresholds inside, so it was not written by "
                "dsct export; export the release again."
            )
        try:
            self.header = ExportHeader.from_json(text)
        except ValueError as error:
            raise UserError(f"checkpoint: {file} cannot be used: {error}; export the release again.") from error

    def to(self, device: torch.device | str) -> OnnxModel:  # type: ignore[override]
        """Compute on another device: ``cpu``, or ``cuda`` where onnxruntime was built for it.

        Raises:
            UserError: it was not.
        """
        if str(device) != str(self._device):
            self._open(str(device))
        return self

    def forward(self, batched_inputs: list[dict[str, Any]]) -> list[dict[str, Instances]]:
        """People of each picture, as ``DSCT`` describes them.

        Args:
            batched_inputs: per picture ``image`` (3, H, W) RGB 0-255, and ``height`` and ``width`` of the original.

        Raises:
            MemoryError: there is not enough.
            UserError: the model cannot read pictures of that size.
        """
        of_size = defaultdict(list)
        for number, entry in enumerate(batched_inputs):
            of_size[tuple(entry["image"].shape)].append(number)
        found: dict[int, Instances] = {}
        for numbers in of_size.values():
            boxes, logits = self._run(torch.stack([batched_inputs[number]["image"] for number in numbers]))
            for number, corners, of_picture in zip(numbers, boxes, logits):
                height, width = batched_inputs[number]["height"], batched_inputs[number]["width"]
                pixels = corners * corners.new_tensor([width, height, width, height])
                found[number] = predicted_people((height, width), pixels, of_picture, self.header.emotions)
        return [{"instances": found[number]} for number in range(len(batched_inputs))]

    def _run(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) -> (B, N, 4) xyxy in [0, 1] and (B, N, K + 1) logits, on the CPU."""
        try:
            boxes, logits = self._session.run(["boxes", "logits"], {"images": images.cpu().float().numpy()})
        except Exception as error:
            reason = " ".join(str(error).split())
            if not type(error).__module__.startswith("onnxruntime"):
                raise
            if "alloc" in reason.lower():
                raise MemoryError(reason) from error
            height, width = images.shape[-2:]
            raise UserError(
                f"checkpoint: {self.file} cannot read pictures of {width} x {height} pixels (onnxruntime: {reason}). A "
                "two-stage host needs more cells than it makes proposals: take larger pictures."
            ) from error
        return torch.from_numpy(boxes), torch.from_numpy(logits)

    def _open(self, device: str) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise UserError(
                f"checkpoint: {self.file} needs onnxruntime, which is not installed: pip install onnxruntime"
            ) from error
        kind, _, index = device.partition(":")
        provider = _PROVIDERS.get(kind)
        if provider not in onnxruntime.get_available_providers():
            raise UserError(
                f"onnxruntime here cannot compute on {device}; say --device cpu"
                f"{', or pip install onnxruntime-gpu in its place' if kind == 'cuda' else ''}."
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors; they are raised besides
        settings = {"device_id": index} if index else {}
        try:
            self._session = onnxruntime.InferenceSession(str(self.file), options, [(provider, settings)])
        except Exception as error:
            if not type(error).__module__.startswith("onnxruntime"):
                raise
            reason = " ".join(str(error).split())
            raise UserError(f"checkpoint: {self.file} is damaged or no ONNX file ({reason}).") from error
        self._device = device


def _check_whole(file: Path) -> None:
    """Refuse tensors in other files: the model may come from anywhere, and would name files of this disk.

    Raises:
        UserError: there are such, or the file cannot be read.
    """
    try:
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            found = _OTHER_FILE.search(content)
    except (OSError, ValueError) as error:  # an empty file cannot be mapped
        raise UserError(f"checkpoint: {file} is damaged or no ONNX file ({reason_of(error)}).") from error
    if found:
        raise UserError(
            f"checkpoint: {file} takes its weights from other files, which is not done here: dsct export writes all "
            "into one; export the release again."
        )
