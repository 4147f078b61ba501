"""An accepted override has an effect, or is an error that says what rules."""

from pathlib import Path

import pytest

from dsct_detrex.cli.train import parse
from dsct_detrex.engine.compose import compose
from dsct_detrex.errors import UserError

PROJECTS = Path(__file__).parents[2] / "projects"
MAX_EPOCH = "while train.max_epoch=50 rules: add train.max_epoch=null"


def notes_of(*words: str, project: str = "deformable_detr_dsct") -> list[str]:
    notes: list[str] = []
    compose(parse(["--config", str(PROJECTS / f"{project}.py"), *words]), notes.append)
    return notes


@pytest.mark.parametrize(
    ("words", "telling"),
    [
        (["train.max_iter=2000"], f"train.max_iter=2000 has no effect {MAX_EPOCH}"),
        (
            ["train.max_iter=2000", "train.checkpointer.period=9"],
            f"train.max_iter=2000 and train.checkpointer.period=9 have no effect {MAX_EPOCH}",
        ),
        (["train={max_iter: 5}"], "has no effect while train.max_epoch=50 rules"),
        (["~train.max_iter"], "~train.max_iter has no effect while train.max_epoch=50"),
        (["--epochs", "3", "train.eval_period=5"], "train.eval_period=5 has no effect while train.max_epoch=3"),
        (["train.max_epoch=null", "train.eval_epochs=2"], "while train.max_epoch=null rules: set train.max_epoch"),
        (["hosts.dino.num_queries=5"], "because host.name=deformable_detr rules: add host.name=dino"),
        (["host.name=dino", "hosts.detr.num_queries=5"], "host.name=dino rules"),
        (["subject_training.dino.denoising.num_groups=5"], "add host.name=dino"),
        (["host.name=deta", "subject_training.default.matcher.cost_class=1"], "deta has its own subject_training.deta"),
        (
            ["subject_training.default.num_subjects.emotic=5"],
            "num_subjects.emotic=5 has no effect, because emotions.name=",
        ),
        (
            ["subject_training.default.num_subjects.emotic=5"],
            "emotions.name=caer_s rules: set subject_training.default.num_subjects.caer_s or model.num_subjects.",
        ),
        (["--data=emotic", "subject_training.default.num_subjects.caer_s=5"], "emotions.name=emotic rules"),
        (["model.num_subjects=3", "subject_training.default.num_subjects.caer_s=5"], "nothing that is built reads it"),
        (["subject_training.default.denoising={num_groups: 3}"], "set model.denoising"),
        (["model.host.num_queries=10", "hosts.deformable_detr.num_queries=20"], "nothing that is built reads it"),
        (["model.use_contexts=False", "model.aggregation.k_spatial=5"], "while model.use_contexts=False rules"),
        (["model.fusion_layers=[]", "model.aggregation.formula=paper"], "while model.fusion_layers=[] rules"),
        (["model.aggregation=null", "model.placement=after_ffn"], "while model.aggregation=null rules"),
        (["model.aggregation.k_semantic=0", "model.aggregation.semantic_order=smallest"], "k_semantic=0 rules"),
        (["model.aggregation.embed_dim=128"], "while model.aggregation.reweighting=semantic rules"),
        (["model.aggregation.num_heads=4"], "while model.aggregation.formula=official rules: only one such as `multi"),
        (
            ["model.aggregation.formula=multi_head", "model.aggregation.project=True"],
            "formula=multi_head rules: its heads",
        ),
        (["model.aggregation.formula=multi_head", "model.aggregation.reweighting=equal"], "formula=multi_head rules"),
        (
            [f"model.aggregation.{word}" for word in ("formula=paper", "reweighting=equal", "scale_products=True")],
            "scale_products=True has no effect while model.aggregation.reweighting=equal rules",
        ),
        (["model.aggregation.k_spatial=0", "model.distance_frame=padded"], "while model.aggregation.k_spatial=0 rules"),
        (["model.modalities.scene.weights=f.pth"], "add it, as in model.modalities.use=[scene]"),
        (["train.wandb.params.project=x"], "add --wandb"),
        (["train.amp.dtype=float16"], "add train.amp.enabled=True or --amp"),
        (["train.model_ema.decay=0.9"], "add train.model_ema.enabled=True"),
        (["train.fast_dev_run.overrides=['train.seed=1']"], "train.fast_dev_run.enabled=False rules"),
        (["train.thresholds=0.3"], "while the kind of emotions, one a person, rules: each has the likeliest one"),
        (["lr_multiplier.warmup_factor=0.1"], "while lr_multiplier.warmup_length=0.0 rules"),
        (["optimizer.params.base_lr=0.1", "optimizer.lr=0.2"], "optimizer.params.base_lr=0.1 rules: set that one"),
        (["+optimizer.params.weight_decay=0.1", "optimizer.weight_decay=0.2"], "params.weight_decay=0.1 rules"),
        (["+dataloader.train.mapper.transforms.crop_min=3"], "crop_probability=0.0 rules"),
        (["+hosts.deformable_detr.aux_loss=False"], "set model.criterion"),
        (["host.name=dino", "+hosts.dino.dn_number=3"], "set model.denoising"),
        (
            ["host.name=dino", "hosts.dino.transformer.decoder.use_checkpoint=True"],
            "set model.activation_checkpointing",
        ),
        (["hosts.deformable_detr.transformer.two_stage_num_proposals=5"], "as_two_stage=False rules"),
        (["model.host.position_embedding={normalize: False, offset: 0.5}"], "normalize=False rules"),
        (["model.device=cuda"], "while train.device=auto rules"),
        (["train.eval_epochs=0", "train.early_stop.patience=3"], "the only evaluation"),
        (["data.root=x"], "the data set of this config (SyntheticScenes) does not read it"),
        (["--data-root", "x"], "--data-root x has no effect"),
        (["+train.max_epochs=3"], "no key of `train` is called so. Did you mean `train.max_epoch`?"),
        (
            ["train.report.enabled=False", "train.report.pictures=2"],
            "while train.report.enabled=False rules",
        ),
        (["+nothing.reads=this"], "nothing that is built reads it"),
    ],
)
def test_what_changes_nothing_is_refused(words: list[str], telling: str) -> None:
    with pytest.raises(UserError) as error:
        notes_of(*words)
    assert telling in str(error.value)


@pytest.mark.parametrize(
    "words",
    [
        ["train.max_epoch=null", "train.max_iter=7", "train.eval_period=2"],
        ["model.aggregation.reweighting=attentive", "model.aggregation.embed_dim=256"],
        ["model.aggregation.project=True", "model.aggregation.embed_dim=256", "model.aggregation.gather=self"],
        ["model.aggregation.formula=multi_head", "model.aggregation.num_heads=4", "model.aggregation.embed_dim=256"],
        ["model.aggregation.reweighting=equal", "model.aggregation.scale_products=True"],  # among subjects
        ["model.aggregation.k_spatial=0", "model.aggregation.reweighting=spatial", "model.distance_frame=padded"],
        ["host.name=dino", "hosts.dino.num_queries=5", "subject_training.dino.denoising.num_groups=5"],
        ["subject_training.default.matcher.cost_class=1", "classification.gamma=1"],
        ["model.modalities.use=[scene]", "model.modalities.scene.weights=f.pth"],
        ["--wandb=offline", "train.wandb.params.project=x", "train.wandb.num_pictures=2"],
        ["train.report.pictures=2"],
        ["--amp", "train.amp.dtype=float16"],
        ["--data", "emotic", "--data-root", "x", "data.on_error=skip", "train.thresholds=0.3"],
        ["train.device=cpu", "model.device=cpu"],
        ["model.aggregation.k_spatial=3", "model.aggregation=null", "model.use_contexts=False"],
        ["train.max_epoch=3", "train.eval_period=7", "train.max_epoch=null"],
        ["lr_multiplier.warmup_length=0.1", "lr_multiplier.warmup_factor=0.1"],
        ["+evaluation.protocol=official"],
        ["+lengths.long=3", "train.max_epoch=${lengths.long}"],
        ["hosts={detr: {num_queries: 7}}", "host.name=detr"],
    ],
)
def test_what_changes_something_passes_without_a_word(words: list[str]) -> None:
    assert notes_of(*words) == []


def test_notes_instead_of_errors() -> None:
    (note,) = notes_of("train.ddp.find_unused_parameters=False")
    assert "it counts for several (--num-gpus, torchrun)" in note
    (note,) = notes_of("model.aggregation.scale_products=True", "model.aggregation.gather=self")
    assert "scale_products=True has no effect while model.aggregation.gather=self rules: the control gathers" in note
    (note,) = notes_of("hosts.dino.num_queries=5", "--unused-overrides=note")
    assert note.startswith("note: hosts.dino.num_queries=5 has no effect")


def test_what_has_one_reason_shares_a_sentence() -> None:
    """An agent of a W&B sweep passes the sizes of ten hosts, of which one counts."""
    sizes = ["hosts.dino.num_queries=5", "hosts.dino.transformer.encoder.num_layers=1"]
    (note,) = notes_of(*sizes, "--unused-overrides=note")
    assert note.startswith(f"note: {' and '.join(sizes)} have no effect, because host.name=deformable_detr rules")


def test_a_short_run_names_what_it_replaces() -> None:
    (note,) = notes_of("train.fast_dev_run.enabled=True", "train.max_epoch=3", "train.max_iter=5", "optimizer.lr=0.1")
    assert note == "note: train.fast_dev_run sets its own train.max_epoch and train.max_iter."


def test_a_short_run_says_what_it_does_not_use() -> None:
    short = "train.fast_dev_run.enabled=True"
    (note,) = notes_of(short, "train.best.metric=emotion/acc", "lr_multiplier.warmup_length=0.1", "train.log_period=3")
    assert note == (
        "note: train.fast_dev_run sets its own train.log_period; does not use train.best.metric (no best checkpoint is "
        "kept), lr_multiplier.warmup_length (its learning rate is constant)."
    )
    (note,) = notes_of(
        short, "dataloader.train.total_batch_size=8", "train.eval_epochs=1", "train.early_stop.patience=2"
    )
    assert note == (
        "note: train.fast_dev_run lowers dataloader.train.total_batch_size to 2 or one a process; does not use "
        "train.early_stop.patience (nothing stops it early), train.eval_epochs (it counts iterations)."
    )


def test_evaluation_does_not_mind_training_keys() -> None:
    assert notes_of("--eval-only", "train.max_iter=5", "lr_multiplier.warmup_factor=0.1") == []
    with pytest.raises(UserError, match="use_contexts"):
        notes_of("--eval-only", "model.use_contexts=False", "model.aggregation.k_spatial=5")
