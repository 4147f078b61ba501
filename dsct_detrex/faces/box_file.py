"""The files that a search leaves in its folder, none in the place of another, and each whole or not at all.

``{train,val,test}.txt`` are lines ``path,label,x1,y1,x2,y2`` for ``CaerSDataset``; their first line, a comment, says
what made them, which the reader repeats beside every result. ``boxes.json`` has counts and settings, ``left_out.csv``
the pictures without a line and why, ``boxes.png`` examples; ``faces.jsonl`` is the journal.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dsct_detrex.data.box_lines import MADE_BY
from dsct_detrex.data.dataset import SPLITS
from dsct_detrex.errors import UserError
from dsct_detrex.faces.detector import Face
from dsct_detrex.faces.frames import Frame
from dsct_detrex.files import write_whole

SUMMARY = "boxes.json"
LEFT_OUT = "left_out.csv"
GALLERY = "boxes.png"


_RESULTS = (*(f"{split}.txt" for split in SPLITS), SUMMARY, LEFT_OUT, GALLERY)


def check_free(folder: Path, overwrite: bool) -> None:
    """Refuse before the work begins what would be written over at its end.

    Box files of splits that will not be written are refused too: their pictures may be in another split now.

    Raises:
        UserError: a file is there, or a folder has its name.
    """
    for path in (folder / name for name in _RESULTS):
        if path.is_dir():
            raise UserError(f"data boxes: {path} is a folder, where a file is to be written. Choose another --out.")
        if path.exists() and not overwrite:
            raise UserError(
                f"data boxes: {path} is there already. Choose another folder with --out, or give --overwrite to "
                "replace it."
            )


def box_lines(people: Sequence[tuple[Frame, Face]], detector: str) -> str:
    """The content of a box file.

    Args:
        people: faces with sides in whole pixels.
        detector: what found them.
    """
    text = io.StringIO()
    text.write(f"# {MADE_BY}{detector}\n")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerows([frame.path, frame.label, *map(int, face.box)] for frame, face in people)
    return text.getvalue()


def write(path: Path, content: str | dict[str, Any]) -> None:
    """Text as it is, anything else as JSON; in UTF-8."""
    text = content if isinstance(content, str) else json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_whole(path, text)


def left_out_lines(left_out: dict[str, str]) -> str:
    """``picture,reason`` of every picture without a line."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("picture", "reason"))
    rows.writerows(left_out.items())
    return text.getvalue()
