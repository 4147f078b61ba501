"""Writes synthetic scenes to disk exactly as EMOTIC and CAER-S lie on their users' disks.

So every reader, converter and check can be tried on files that nobody has to ask for::

    EMOTIC                                          CAER-S
      Annotations/Annotations.mat   (body boxes)      {train,test}/{Anger,...}/NNNN.png
      emotic_{train,val,test}_bi.json  (head boxes)   {train,val,test}.txt       (path,label,x1,y1,x2,y2)
      emotic/{mscoco,...}/images/*.jpg                caer_{train,val,test}.json (COCO style)
"""

from __future__ import annotations

from pathlib import Path

from dsct_detrex.errors import UserError

from .write_caer_s import write_caer_s
from .write_emotic import write_emotic

_ANNOTATIONS = {"emotic": ("mat", "json"), "caer_s": ("txt", "json")}


def write_dataset(
    format: str,
    root: str | Path,
    sizes: dict[str, int],
    seed: int = 0,
    annotations: str | None = None,
    size: tuple[int, int] = (712, 400),
) -> None:
    """Draw scenes and write them with their annotations.

    Args:
        format: ``"emotic"`` or ``"caer_s"``.
        root: a folder, made if it is not there; files of the same name are overwritten.
        sizes: number of images per split, e.g. ``{"train": 100, "val": 20, "test": 40}``; splits not named are not
            written.
        seed: of the scenes.
        annotations: only this kind: ``"mat"`` or ``"json"`` (EMOTIC), ``"txt"`` or ``"json"`` (CAER-S). None writes
            both.
        size: (width, height) of the pictures, pixels; CAER-S frames are 712 x 400.

    Raises:
        UserError: an unknown format, kind of annotation or split, or no image at all.
    """
    if format not in _ANNOTATIONS:
        raise UserError(f"write_dataset(format=) expects one of {', '.join(_ANNOTATIONS)}. Got {format!r}.")
    known = _ANNOTATIONS[format]
    if annotations is not None and annotations not in known:
        raise UserError(
            f"write_dataset(annotations=) expects one of {', '.join(known)} for {format}. Got {annotations!r}."
        )
    if not sizes:
        raise UserError("write_dataset(sizes=) expects at least one split, e.g. {'train': 100}. Got none.")
    kinds = known if annotations is None else (annotations,)
    write = write_emotic if format == "emotic" else write_caer_s
    write(Path(root).expanduser(), sizes, seed, kinds, size)
