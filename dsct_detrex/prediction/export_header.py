"""What stands in an exported file besides the computation: all that is needed to use it without its release."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from dsct_detrex import __version__
from dsct_detrex.errors import reason_of
from dsct_detrex.structures import Emotions
from dsct_detrex.weights import Provenance
from dsct_detrex.weights.release import emotions_from_plain, plain_emotions

HEADER_KEY: Final = "dsct_detrex"
"""Key of the metadata of an ONNX file, name of the extra file of a program."""
FORMAT_VERSION: Final = 1
_CONTRACT: Final = {
    "input": "images: float32 (batch, 3, height, width), RGB 0-255, resized by 'transforms'",
    "outputs": "boxes (batch, people, 4): xyxy in [0, 1] of the picture; scores (batch, people): confidence that it is "
    "a person; probabilities (batch, people, emotions); logits (batch, people, emotions + 1)",
    "use": "keep people whose score reaches 'threshold', of two that overlap by more than 'nms' (IoU) the surer one; "
    "they show the emotions whose probability reaches 'thresholds' (kind multi_label), or the likeliest (multi_class)",
}


@dataclass(frozen=True)
class ExportHeader:
    """Attributes:
    emotions: the label set.
    thresholds: K least probabilities of a shown emotion.
    transforms: the config block of what evaluation does to a picture.
    threshold: least confidence of a person that is recommended.
    nms: overlap of two people, IoU, likewise.
    provenance: where the weights come from.
    package_version: of the ``dsct_detrex`` that exported.
    """

    emotions: Emotions
    thresholds: tuple[float, ...]
    transforms: Mapping[str, Any]
    threshold: float = 0.3
    nms: float = 0.5
    provenance: Provenance = field(default_factory=Provenance)
    package_version: str = __version__

    def to_json(self) -> str:
        """One JSON object; besides the attributes ``input``, ``outputs`` and ``use`` say in words how to run it."""
        content = {
            "format_version": FORMAT_VERSION,
            "emotions": plain_emotions(self.emotions),
            "temperature": self.emotions.temperature,
            "thresholds": list(self.thresholds),
            "transforms": dict(self.transforms),
            "threshold": self.threshold,
            "nms": self.nms,
            **_CONTRACT,
            "provenance": asdict(self.provenance),
            "package_version": self.package_version,
        }
        return json.dumps(content)

    @classmethod
    def from_json(cls, text: str) -> ExportHeader:
        """Read ``to_json``.

        Raises:
            ValueError: it is damaged, or of a newer version.
        """
        try:
            content = json.loads(text)
            if content["format_version"] > FORMAT_VERSION:
                raise ValueError(f"it has format version {content['format_version']}, this package reads 1")
            return cls(
                emotions_from_plain(content["emotions"], float(content["temperature"])),
                tuple(float(value) for value in content["thresholds"]),
                content["transforms"],
                content["threshold"],
                content["nms"],
                Provenance(**content["provenance"]),
                content["package_version"],
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"its header is damaged ({type(error).__name__}: {reason_of(error)})") from error
