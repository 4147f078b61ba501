#!/usr/bin/env python
"""``dsct web`` out of a checkout, installed or not; ``--help`` has the flags."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that a checkout works without installing

from dsct_detrex.cli.running import run_command

if __name__ == "__main__":
    sys.exit(run_command("web", sys.argv[1:]))
