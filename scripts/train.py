"""Train or evaluate: ``python scripts/train.py --config projects/... [flags] [key=value ...]``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that a checkout works without installing

from dsct_detrex.engine import main

if __name__ == "__main__":
    sys.exit(main())
