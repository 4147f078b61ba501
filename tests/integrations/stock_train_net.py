"""Run detrex's ``tools/train_net.py`` without a GPU: its training step asserts one and uses none.

    python -m dsct_detrex.integrations.detrex stock_train_net.py TRAIN_NET [arguments of TRAIN_NET]

Only the assertion in ``Trainer.run_step`` is answered for it; everything else is told the truth.
"""

import runpy
import sys

import torch

if __name__ == "__main__":
    names = runpy.run_path(sys.argv[1], run_name="stock_train_net")
    truth = torch.cuda.is_available
    torch.cuda.is_available = lambda: sys._getframe(1).f_code.co_name == "run_step" or truth()
    names["main"](names["default_argument_parser"]().parse_args(sys.argv[2:]))
