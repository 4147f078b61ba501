"""Pictures lie in the folders of their data set: neither a name with ``..`` nor a link leads out of them.

An annotation file from elsewhere may name any file of this disk, and an archive may hold links to any; what is read as
a picture ends up in galleries, reports and dashboards. So a picture must really lie in a folder of its data set. The
folders themselves may be links, as the root and those that a layout names (``mscoco``, ``train``) often are: whoever
links a whole folder means what is in it. Pictures that are links one by one (DVC, git-annex, Hugging Face's cache) are
read where the environment says ``DSCT_FOLLOW_LINKS=1``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from dsct_detrex.data.checks import DataReport, OnError
from dsct_detrex.data.dataset import Record
from dsct_detrex.data.images import SKIP_IN_PYTHON, ImageError

FOLLOW_LINKS: Final = "DSCT_FOLLOW_LINKS"
"""The environment variable that, set to 1, lets pictures lie anywhere."""


def without_images_outside(
    records: Sequence[Record], places: Iterable[Path], source: Path, report: DataReport, on_error: OnError
) -> list[Record]:
    """Leave out the records whose picture lies outside of the data set; every folder is looked at once.

    Args:
        records: of pictures that are there.
        places: the folders of the data set, with all that is below them.
        source: the annotation file, for the message.
        report: what is left out is counted here.
        on_error: what to do about such pictures.

    Raises:
        ImageError: there are some and ``on_error`` is ``"raise"``; says how many, and names the first.
    """
    if os.environ.get(FOLLOW_LINKS) == "1":
        return list(records)
    real_places = tuple(os.path.join(os.path.realpath(place), "") for place in places)
    folders = {os.path.dirname(record["file_name"]) for record in records}
    outside = {folder for folder in folders if not _real(folder).startswith(real_places)}
    links = {
        os.path.join(folder, entry.name)
        for folder in folders - outside
        for entry in os.scandir(folder or ".")
        if entry.is_symlink()
    }

    def leads_out(record: Record) -> bool:
        name = record["file_name"]
        return os.path.dirname(name) in outside or (name in links and not _real(name).startswith(real_places))

    refused = [record["file_name"] for record in records if leads_out(record)]
    if refused and on_error == "raise":
        raise ImageError(
            f"{len(refused)} of the {len(records)} images that {source} names lie outside of the data set, the first "
            f"is {refused[0]}, really {os.path.realpath(refused[0])}. Copy them into its folder, link a whole folder "
            f"instead of single pictures, or set {FOLLOW_LINKS}=1 where you trust the file.",
            SKIP_IN_PYTHON,
        )
    for name in refused:
        report.count("outside_images", name)
    return [record for record in records if not leads_out(record)] if refused else list(records)


def _real(path: str) -> str:
    """Where links lead, with a separator at the end, so that ``data2`` is not below ``data``."""
    return os.path.join(os.path.realpath(path), "")
