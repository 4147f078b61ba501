"""``log.txt``: everything a run told, each thing with its time, without control characters.

What is told before the folder of the run is open waits. An older file is added to: whether a run begins anew in a
folder, and the file of the one before is set aside, is decided where the folder is opened.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TextIO

from dsct_detrex.errors import UserError

LOG = "log.txt"
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f]")
_STAMP = "%Y-%m-%d %H:%M:%S"


class LogFile:
    """Text with times; nothing is written before ``open``, and nothing is lost until then.

    Args:
        speaker: put before everything, for processes that write beside another; such a process writes failures only.
    """

    def __init__(self, speaker: str = "") -> None:
        self.speaker = speaker
        self._waiting: list[str] = []
        self._path: Path | None = None
        self._file: TextIO | None = None

    def open(self, folder: Path) -> None:
        """Write from now on to ``<folder>/log.txt``, first what waited.

        Raises:
            UserError: the folder cannot be written.
        """
        self._path = folder / LOG
        if self.speaker:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            began = self._path.exists() and self._path.stat().st_size > 0
            self._file = self._path.open("a", encoding="utf-8")
            self._file.write("\n" if began else "")
            self._file.write("".join(self._waiting))
            self._file.flush()
        except OSError as error:
            raise UserError(f"train.output_dir={folder} cannot be written ({error}); choose another folder.") from error
        self._waiting = []

    def write(self, text: str) -> None:
        """Add a line or several; the further ones are indented under the first."""
        if self.speaker:
            return
        if self._file is None:
            self._waiting.append(self._stamped(text))
        else:
            self._file.write(self._stamped(text))
            self._file.flush()

    def fail(self, text: str) -> None:
        """Add why the run ends, from any process, where the folder of the run is open."""
        if self.speaker and self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(self._stamped(text))
        elif self._file is not None:
            self.write(text)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _stamped(self, text: str) -> str:
        stamp = datetime.now().strftime(_STAMP)
        first, *more = _CONTROL.sub("", f"{self.speaker}{text}".replace("\r\n", "\n")).rstrip().split("\n")
        indent = " " * len(stamp)
        return "".join(
            f"{line}\n" for line in (f"{stamp}  {first}".rstrip(), *(f"{indent}  {one}".rstrip() for one in more))
        )
