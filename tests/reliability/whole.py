"""Whether files are whole: each is read to its end as what its name says it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml
from PIL import Image
from safetensors import safe_open
from scipy.io import loadmat


def left_behind(folder: Path) -> list[str]:
    """Hidden files, which an unfinished write leaves."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob(".*") if path.is_file())


def results(folder: Path) -> dict[str, bytes]:
    """The files of a folder that are not hidden: relative name -> content."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def torn(folder: Path) -> list[str]:
    """The files of a folder that are not whole, with the reason; hidden ones do not count."""
    wrong = []
    for path in sorted(folder.rglob("*")):
        read = _READERS.get(path.suffix)
        if path.is_file() and not path.name.startswith(".") and read is not None:
            try:
                read(path)
            except Exception as error:
                wrong.append(f"{path.relative_to(folder)}: {error!r}")
    return wrong


def _json_lines(path: Path) -> None:
    for line in path.read_text().splitlines():
        json.loads(line)


def _tensors(path: Path) -> None:
    with safe_open(str(path), framework="pt") as file:
        for name in file.keys():  # noqa: SIM118
            file.get_tensor(name)


def _picture(path: Path) -> None:
    with Image.open(path) as picture:
        picture.load()


def _text(path: Path) -> None:
    if not path.read_text(encoding="utf-8").endswith("\n"):
        raise ValueError("no end")


def _page(path: Path) -> None:
    if "</html>" not in path.read_text(encoding="utf-8")[-20:]:
        raise ValueError("no end")


_READERS: dict[str, Callable[[Path], Any]] = {
    ".json": lambda path: json.loads(path.read_text()),
    ".jsonl": _json_lines,
    ".safetensors": _tensors,
    ".pth": lambda path: torch.load(path, map_location="cpu", weights_only=True),
    ".yaml": lambda path: yaml.safe_load(path.read_text()),
    ".png": _picture,
    ".jpg": _picture,
    ".mat": loadmat,
    ".md": _text,
    ".csv": _text,
    ".txt": _text,
    ".lst": _text,
    ".html": _page,
}
