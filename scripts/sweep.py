"""A table of the paper as one command: ``python scripts/sweep.py --table 10 [flags] [key=value ...]``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that a checkout works without installing

from dsct_detrex.sweep.command_line import main

if __name__ == "__main__":
    sys.exit(main())
