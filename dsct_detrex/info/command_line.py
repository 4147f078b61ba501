"""The work of ``dsct info``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from dsct_detrex.errors import UserError
from dsct_detrex.info.machine import describe_machine
from dsct_detrex.info.screen import file_lines, machine_lines
from dsct_detrex.info.weights_file import describe_file


def info(options: argparse.Namespace, words: Sequence[str]) -> int:
    """Describe files, or this machine; returns the exit status, 1 where some of several files cannot be read.

    Raises:
        UserError: no file can be read.
    """
    if not options.files:
        found, lines = [describe_machine()], []
    else:
        found = _readable(options.files)
        lines = [file_lines(one) for one in found]
    if options.json:
        print(json.dumps(found[0] if len(options.files) < 2 else found, indent=1))
    else:
        print("\n\n".join("\n".join(some) for some in lines or [machine_lines(found[0])]))
    return int(len(found) < len(options.files))


def _readable(files: Sequence[str]) -> list[dict[str, Any]]:
    """The descriptions of those that can be read; of each of the others a sentence on stderr."""
    found, refused = [], []
    for path in files:
        try:
            found.append(describe_file(path))
        except UserError as error:
            refused.append(error)
    for sentence in refused if found else refused[:-1]:
        print(f"error: {sentence}", file=sys.stderr, flush=True)
    if not found:
        raise refused[-1]
    return found
