"""A wrong value behind a right key: exit status 2 and one line that names the key, through the real door."""

from pathlib import Path

import pytest

from tests.commands import train as main

FOLDER = Path(__file__).parents[2] / "projects"
SMALL = (
    "hosts.deformable_detr.backbone.depth=18",
    "hosts.deformable_detr.transformer.encoder.num_layers=1",
    "hosts.deformable_detr.transformer.decoder.num_layers=2",
)
HOST = "hosts.deformable_detr"

# override, telling words: the key first, then what is expected or near
WRONG = [
    ("optimizer.lr=fast", "optimizer.lr='fast'", "expects float or null, got str"),
    ("optimizer.lr=-1", "optimizer.lr=-1", "Invalid learning rate"),
    ("optimizer.lr=nan", "optimizer.lr=nan", "finite"),
    ("optimizer.lr=inf", "optimizer.lr=inf", "finite"),
    ("optimizer.betas=[0.9]", "optimizer.betas=[0.9]", "a list of 2"),
    ("optimizer.betas=[0.9,1.5]", "optimizer.betas=[0.9, 1.5]", "Invalid beta parameter"),
    ("optimizer.weight_decay=lots", "optimizer.weight_decay='lots'", "expects float"),
    ("optimizer._target_=torch.optim.Adamm", "optimizer._target_", "Did you mean `Adam`?"),
    ("optimizer=null", "optimizer", "expects a block of keys"),
    ("optimizer.params.lr_factor_func.rules.backbone=-1", "optimizer.params.lr_factor_func.rules", "factors >= 0"),
    ("model.fusion_layers=[7]", "model.fusion_layers=[7]", "indices in [0, 2)"),
    ("model.fusion_layers=[-1]", "model.fusion_layers=[-1]", "indices in [0, 2)"),
    ("model.fusion_layers=[1.5]", "model.fusion_layers=[1.5]", "a list of int or null, got a list of float"),
    ("model.num_subjects=-1", "model.num_subjects=-1", "expects an int >= 0"),
    ("model.num_subjects=2.5", "model.num_subjects=2.5", "expects int, got float"),
    ("model.use_contexts=no", "model.use_contexts='no'", "expects bool, got str"),
    ("model.aggregation.formula=offical", "model.aggregation.formula: ", "Did you mean `official`?"),
    ("model.aggregation.gather=selfs", "model.aggregation.gather='selfs'", "Did you mean `self`?"),
    ("model.aggregation.formula=multi_head model.aggregation.num_heads=7", "model.aggregation.num_heads=7", "divisor"),
    ("model.aggregation.k_spatial=many", "model.aggregation.k_spatial='many'", "expects int"),
    ("model.criterion.weight_class=nan", "model.criterion.weight_class=nan", "finite"),
    ("model.pixel_mean=[1,2]", "model.pixel_mean=[1, 2]", "expects three numbers"),
    ("model.pixel_std=[0,1,1]", "model.pixel_std=[0, 1, 1]", "three positive numbers"),
    ("model.modalities.use=scene", "model.modalities.use='scene'", "expects a list of str, got str"),
    ("model.modalities.use=[scenes]", "model.modalities.use", "Got 'scenes'. Did you mean"),
    ("model.host=null", "model.host", "no mapping any more"),
    (f"{HOST}.embed_dim=255", f"{HOST}.embed_dim=255", "divisible"),
    (f"{HOST}.embed_dim=128", f"{HOST}.embed_dim", "twice the position_embedding's num_pos_feats"),
    (f"{HOST}.backbone.depth=51", f"{HOST}.backbone.depth", "expects one of"),
    (f"{HOST}.backbone.freeze_at=9", f"{HOST}.backbone.freeze_at", "expects 0 to 5"),
    (f"{HOST}.transformer.encoder.num_heads=0", f"{HOST}.transformer.encoder.num_heads=0", "zero"),
    (f"{HOST}.transformer.encoder.attn_dropout=1.5", f"{HOST}.transformer.encoder.attn_dropout=1.5", "between 0 and 1"),
    (f"{HOST}.transformer.decoder.num_layers=0", f"{HOST}.transformer.decoder.num_layers=0", "expects an int >= 1"),
    (f"{HOST}.position_embedding.temperature=-1", f"{HOST}.position_embedding.temperature=-1", "positive"),
    ("host.name=dinoo", "hosts.dinoo", "Did you mean `hosts.dino`?"),
    ("emotions.name=fer2013", "emotions.name='fer2013'", "expects one of emotic, caer_s"),
    ("classification.gamma=high", "classification.gamma='high'", "expects float"),
    ("dataloader.train=null", "dataloader.train", "expects a block of keys"),
    ("dataloader.train.total_batch_size=0", "dataloader.train.total_batch_size", "positive multiple"),
    ("dataloader.train.total_batch_size=many", "dataloader.train.total_batch_size='many'", "expects int"),
    ("dataloader.train.num_workers=-1", "dataloader.train.num_workers", "expects 0 (read here) or more"),
    ("dataloader.train.dataset.split=training", "dataloader.train.dataset.split", "expects one of train, val, test"),
    ("dataloader.train.mapper.transforms.scales=[]", "dataloader.train.mapper.transforms.scales", "one or more"),
    ("dataloader.train.mapper.transforms.crop_probability=2", "transforms.crop_probability", "in [0, 1]"),
    ("dataloader.evaluator.protocol=coco", "dataloader.evaluator", "expects one of"),
    ("lr_multiplier.scheduler.milestones=[50,40]", "lr_multiplier.scheduler.milestones", "ascend"),
    ("lr_multiplier.scheduler.values=[]", "lr_multiplier.scheduler.values", "one factor or more"),
    ("lr_multiplier.warmup_length=2", "lr_multiplier.warmup_length", "not a number of steps"),
    ("train=null", "train", "no mapping any more"),
    ("train.seed=null", "train.seed", "expects int. Got null"),
    ("train.seed=1.5", "train.seed", "expects int"),
    ("train.max_epoch=inf", "train.max_epoch", "finite"),
    ("train.log_period=0", "train.log_period", "at least 1"),
    ("train.device=cuda:x", "train.device", "needs a GPU"),
    ("train.amp.enabled=True train.amp.dtype=fp16", "train.amp.dtype", "bfloat16, float16"),
    ("train.clip_grad.params.max_norm=abc", "train.clip_grad.params.max_norm", "positive number"),
    ("+train.clip_grad.params.maxnorm=1", "train.clip_grad.params.maxnorm", "Did you mean `max_norm`?"),
    ("train.early_stop.patience=soon", "train.early_stop.patience", "int or null"),
    ("emotions.name=emotic train.thresholds={Joy:0.4}", "train.thresholds", "expects names"),
    ("emotions.name=emotic train.thresholds=high", "train.thresholds", "numbers in [0, 1]"),
    ("train.fast_dev_run.enabled=True train.fast_dev_run.overrides=3", "train.fast_dev_run.overrides", "a list of str"),
]


@pytest.mark.parametrize(("override", "key", "words"), WRONG, ids=[case[0] for case in WRONG])
def test_one_sentence_names_the_key(override, key, words, capsys):
    arguments = ["--config", str(FOLDER / "deformable_detr_dsct.py"), "--dry-run", *SMALL, *override.split(" ")]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert key in said
    assert words in said
    assert "Traceback" not in said


def test_the_cause_is_shown_when_debugging(capsys, monkeypatch):
    monkeypatch.setenv("DSCT_DEBUG", "1")
    assert main(["--config", str(FOLDER / "deformable_detr_dsct.py"), "--dry-run", *SMALL, "optimizer.lr=-1"]) == 2
    assert 'raise ValueError(f"Invalid learning rate' in capsys.readouterr().err
