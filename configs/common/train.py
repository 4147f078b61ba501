"""How a run goes: the keys detrex users know, with the paper's values, and ours beside them (see ``docs/configs``)."""

train = dict(
    output_dir="runs/dsct",
    init_checkpoint="",
    # Length: in epochs (the plan is printed at start-up); max_epoch=null counts iterations, as detrex does.
    max_epoch=50,
    max_iter=90000,
    eval_period=5000,
    eval_epochs=1,
    checkpoint_epochs=1,
    log_period=20,
    accumulate=1,
    rewrites="all",
    seed=0,
    device="auto",
    thresholds=None,
    amp=dict(enabled=False, dtype="bfloat16"),  # enabled="auto": where the machine multiplies bfloat16 itself
    compile=dict(
        enabled=False,
        backend="inductor",
        mode="",
        regions=["host.backbone", "*.ffns.*", "decoder.layers.*.aggregation", "heads.*"],
    ),
    ddp=dict(broadcast_buffers=False, find_unused_parameters=True, fp16_compression=False),
    clip_grad=dict(enabled=True, params=dict(max_norm=0.1, norm_type=2)),
    fast_dev_run=dict(enabled=False, overrides=[]),
    checkpointer=dict(period=5000, max_to_keep=2),
    best=dict(metric=None, mode="max"),  # null: the data set's own, mAP on EMOTIC, accuracy on CAER-S
    early_stop=dict(patience=None),
    model_ema=dict(enabled=False, decay=0.999, device="", use_ema_weights_for_eval_only=False),
    wandb=dict(
        enabled=False,
        # Null: as W&B's environment variables say (WANDB_PROJECT, ...), else dsct_detrex in the folder of the run.
        params=dict(
            project=None, entity=None, dir=None, name=None, mode=None, group=None, job_type=None, tags=[], id=None
        ),
        num_pictures=8,
    ),
    tensorboard=dict(enabled=False),
    report=dict(enabled=True, pictures=6),  # report.html, with so many of the best and of the worst pictures
)
