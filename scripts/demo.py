"""The demo: ``make demo``, or ``python scripts/demo.py [--out DIR] [key=value ...]``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that a checkout works without installing

from dsct_detrex.demo.command_line import main

if __name__ == "__main__":
    sys.exit(main())
