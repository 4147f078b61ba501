"""``python -m dsct_detrex.reference [FILE]``: write the page of all config keys, ``docs/config.md`` by default."""

import sys
from pathlib import Path

from dsct_detrex.reference import config_page

if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "docs/config.md"
    target.write_text(config_page(), encoding="utf-8")
    print(f"wrote {target}")
