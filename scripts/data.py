#!/usr/bin/env python
"""Look after data sets: ``check`` what is on disk, ``show`` it, ``generate`` a stand-in.

    python scripts/data.py check --format auto --root DIR [--near-duplicates]
    python scripts/data.py show --root DIR --split train --out gallery.png
    python scripts/data.py generate --format emotic --out DIR --train 100 --val 20 --test 40

Exit status: 0 fine, 1 the data needs attention (some pictures or splits cannot be used), 2 the command failed.
"""

import sys

from dsct_detrex.data.command_line import main

if __name__ == "__main__":
    sys.exit(main())
