"""Run a script of detrex's, such as its ``tools/train_net.py``, with detrex on the path and its operator in place.

    python -m dsct_detrex.integrations.detrex SCRIPT [arguments of the script]

Needed where the script imports detrex before any of our code is reached; with a compiled detrex it changes nothing.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from dsct_detrex.errors import UserError
from dsct_detrex.integrations.detrex.installation import locate


def main(words: list[str]) -> int:
    """Run the script named by the first word, in this process, as if Python had been given it."""
    if not words or not Path(words[0]).is_file():
        print("usage: python -m dsct_detrex.integrations.detrex SCRIPT [arguments]", file=sys.stderr)
        return 2
    try:
        locate()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    sys.argv = words
    sys.path.insert(0, str(Path(words[0]).absolute().parent))
    runpy.run_path(words[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
