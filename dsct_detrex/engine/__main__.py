"""``python -m dsct_detrex.engine``: what each process of ``--num-gpus`` runs."""

import sys

from dsct_detrex.engine.command_line import main

sys.exit(main())
