"""Annotate pictures: ``python scripts/predict.py runs/demo/dsct/best.safetensors photo.jpg folder/``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that a checkout works without installing

from dsct_detrex.prediction.command_line import main

if __name__ == "__main__":
    sys.exit(main())
