"""``python -m dsct_detrex COMMAND ...``: the command ``dsct`` where it is not on the path."""

import sys

from dsct_detrex.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
