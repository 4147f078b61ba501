"""The W&B dashboard as code: ``python scripts/dashboard.py --entity NAME [--sweep table_10] [--push]``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that a checkout works without installing

from dsct_detrex.dashboard.command_line import main

if __name__ == "__main__":
    sys.exit(main())
