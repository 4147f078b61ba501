"""DSCT on DINO R50 with four feature levels."""

from .deformable_detr_dsct import (
    classification,
    data,
    dataloader,
    emotions,
    host,
    hosts,
    lr_multiplier,
    model,
    optimizer,
    train,
)

host.name = "dino"
train.output_dir = "runs/dino_dsct"
