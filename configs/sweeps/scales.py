"""How large every sweep is trained, stated once: ``demo`` for a laptop and drawn scenes, ``paper`` as in the paper.

``host_set`` and ``host_divide`` fit any host: a rule holds for every key of the host's config that ends in it (of the
whole model's where it has no host, as the two-stage baselines).
``host_own`` is for what structure cannot say. All scales evaluate once, after the last iteration, on the test split:
no number of a table has chosen a checkpoint.
"""

_trainable_backbone = [
    "backbone={_target_: dsct_detrex.hosts.ResNet, depth: 18, out_features: [res5], freeze_at: 0, norm: BN}",
    "in_channels.name=resnet18",
]

scales = dict(
    demo=dict(
        run=[
            "train.max_epoch=null",
            "train.max_iter=480",
            "train.eval_period=0",
            "train.log_period=20",
            "train.checkpointer.period=120",
            "train.checkpointer.max_to_keep=0",
            # Everything learns from scratch: full rate but for what moves sampling points, one cosine down.
            "optimizer.lr=5e-4",
            "optimizer.params.lr_factor_func.rules.backbone=1.0",
            "optimizer.params.lr_factor_func.rules.reference_points=1.0",
            "lr_multiplier.scheduler={_target_: dsct_detrex.config.CosineParamScheduler, "
            "start_value: 1.0, end_value: 0.02}",
            "lr_multiplier.warmup_length=0.02",
            "dataloader.train.total_batch_size=16",
            "dataloader.train.num_workers=1",
            "dataloader.train.mapper.transforms.scales=[144]",
            "dataloader.test.batch_size=16",
            "dataloader.test.num_workers=1",
            "dataloader.test.mapper.transforms.size=144",
            "dataloader.test.dataset.split=test",
        ],
        dsct=[
            # A fifth of the context queries, a fifth of those that are chosen.
            "model.aggregation.k_spatial=20",
            "model.aggregation.k_semantic=10",
        ],
        synthetic=[
            "dataloader.train.dataset.size=[192,144]",
            "dataloader.train.dataset.length=100000",  # as good as endless: no scene is seen twice
            "dataloader.test.dataset.size=[192,144]",
            "dataloader.test.dataset.length=1000",
        ],
        host_set={
            # Ordinary batch norm and nothing frozen, because there are no ImageNet weights to keep.
            "*backbone.depth": 18,
            "*backbone.norm": "BN",
            "*backbone.freeze_at": 0,
            "encoder.num_layers": 1,
            "decoder.num_layers": 3,
            "feedforward_dim": 512,
            "attn_dropout": 0.0,
            "ffn_dropout": 0.0,
            # The same in the words of Anchor-DETR.
            "num_encoder_layers": 1,
            "num_decoder_layers": 3,
            "dim_feedforward": 512,
            "transformer.dropout": 0.0,
            # The baselines' two views, half as large, as the pictures are smaller too.
            "subject_size": 64,
            "context_size": 112,
        },
        # The width stays 256: several hosts have it written into their position embeddings.
        host_divide={"num_queries*": 5, "num_query_position": 5},
        # Anchor-DETR's own backbone has frozen norms and a fixed stem, which only pretrained weights can live with.
        host_own=dict(anchor_detr=_trainable_backbone),
    ),
    paper=dict(
        run=["train.eval_epochs=0", "dataloader.test.dataset.split=test"],
        dsct=[],
        synthetic=[],
        host_set={},
        host_divide={},
        host_own={},
    ),
    # As the config of a cell has it, for projects that are small by themselves, such as the demo.
    project=dict(
        run=["train.eval_period=0", "dataloader.test.dataset.split=test"],
        dsct=[],
        synthetic=[],
        host_set={},
        host_divide={},
        host_own={},
    ),
)
