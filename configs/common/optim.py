"""AdamW as in the paper's recipe (appendix C; official ``main.py``): 2e-4, a tenth for the backbone and for what moves
sampling points, weight decay 1e-4."""

import torch

from dsct_detrex.config import LazyCall as L
from dsct_detrex.config import LrFactors, get_default_optimizer_params

optimizer = L(torch.optim.AdamW)(
    params=L(get_default_optimizer_params)(
        base_lr="${..lr}",
        weight_decay_norm=None,
        lr_factor_func=L(LrFactors)(
            # The first rule that fits a name decides. The last one is 1, as in the official code; less of it slows the
            # drift of the encoder under proposals and context boxes that keep their COCO weights
            # (docs/training-hosts.md): "optimizer.params.lr_factor_func.rules={host.transformer.encoder: 0.1}".
            rules={
                "backbone": 0.1,
                "reference_points": 0.1,
                "sampling_offsets": 0.1,
                "host.transformer.encoder": 1.0,
            },
        ),
    ),
    lr=2e-4,
    betas=(0.9, 0.999),
    weight_decay=1e-4,
    fused=None,  # null: torch's fused kernel where the device has one
)
