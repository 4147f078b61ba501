#!/usr/bin/env python
"""Time the backends of deformable attention on this CPU; ``--help`` has the sizes."""

import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that a checkout works without installing

from dsct_detrex.cli.running import guarded

if __name__ == "__main__":
    sys.exit(guarded(lambda: import_module("dsct_detrex.ops.benchmark").main()))
