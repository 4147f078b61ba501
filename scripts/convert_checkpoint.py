#!/usr/bin/env python
"""Rename a checkpoint to detrex's names or to this package's: ``convert_checkpoint.py SOURCE OUTPUT [options]``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that a checkout works without installing

from dsct_detrex.weights.command_line import main

if __name__ == "__main__":
    sys.exit(main())
