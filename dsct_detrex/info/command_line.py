"""The work of ``dsct info``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from dsct_detrex.info.machine import describe_machine
from dsct_detrex.info.screen import file_lines, machine_lines
from dsct_detrex.info.weights_file import describe_file


def info(options: argparse.Namespace, words: Sequence[str]) -> int:
    """Describe files, or this machine; returns the exit status."""
    if not options.files:
        found = [describe_machine()]
        lines = [machine_lines(found[0])]
    else:
        found = [describe_file(path) for path in options.files]
        lines = [file_lines(one) for one in found]
    if options.json:
        print(json.dumps(found[0] if len(found) == 1 else found, indent=1))
    else:
        print("\n\n".join("\n".join(some) for some in lines))
    return 0
