"""A detector through the ordinary commands: trained, released, evaluated, borrowed from, and refused where people are
meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import yaml

from dsct_detrex.cli.train import parse
from dsct_detrex.config import load_config
from dsct_detrex.engine.compose import compose
from dsct_detrex.engine.exchange import exchange_data
from dsct_detrex.engine.model_card import facts_of
from dsct_detrex.engine.model_card.card import card_text
from dsct_detrex.engine.train_run import TrainResult, run
from dsct_detrex.errors import UserError
from dsct_detrex.info.weights_file import describe_file
from dsct_detrex.paths import projects_folder
from dsct_detrex.prediction import Predictor
from dsct_detrex.structures import ObjectClasses
from dsct_detrex.weights import Provenance, load_release
from tests.data.sets.test_coco_files import content, write
from tests.data.sets.test_coco_objects import SHOWN, TOYS

SMALL = (
    "train.device=cpu",
    "hosts.deformable_detr.num_queries=10",
    "hosts.deformable_detr.embed_dim=64",
    "hosts.deformable_detr.position_embedding.num_pos_feats=32",
    "hosts.deformable_detr.transformer.encoder.num_layers=1",
    "hosts.deformable_detr.transformer.decoder.num_layers=2",
    "dataloader.train.num_workers=0",
    "dataloader.test.num_workers=0",
    "dataloader.train.mapper.transforms.scales=[48]",
    "dataloader.test.mapper.transforms.size=48",
)
SHORT = ("train.fast_dev_run.enabled=True", "model.denoising.max_queries=20", "model.one_to_many.num_queries=10")
DRAWN = (
    "dataloader.train.dataset.size=[64,48]",
    "dataloader.test.dataset.size=[64,48]",
    "dataloader.test.dataset.length=8",
)


def trained(folder: Path, *words: str, dry_run: bool = False) -> TrainResult:
    cfg = compose(parse([*words, *SMALL, f"train.output_dir={folder}"]), lambda told: None)
    return run(cfg, quiet=not dry_run, dry_run=dry_run)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("detector")
    result = trained(folder, "--config", "demo_objects", *SHORT, *DRAWN)
    assert 0 <= result.metrics["bbox/AP"] <= 1
    assert {"loss_class_dn", "loss_class_o2m", "loss_class_tokens"} <= set(result.metrics)
    return folder / "last.safetensors"


def test_what_it_leaves(release: Path) -> None:
    content = load_release(release)
    assert isinstance(content.emotions, ObjectClasses)
    assert content.emotions.name == "drawn_things"
    report = json.loads(release.with_name("evaluation.json").read_text())
    assert report["classes"]["names"] == list(content.emotions.names)
    assert report["counts"]["annotated"] > 0
    card = release.with_suffix(".md").read_text()
    assert "# Detector on Deformable-DETR, ResNet-18: things of drawn scenes\n" in card
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["tags"] == ["detection-transformer", "dsct", "deformable-detr"]
    assert describe_file(release)["emotions"]["kind"] == "classes of things"
    measured = Provenance(metrics={"bbox/AP": 0.4, "bbox/AP50": 0.7, "bbox/AP50-held": 0.65, "bbox/AP-moon": 0.5})
    facts = facts_of("best.safetensors", content.state_dict, content.emotions, content.config, None, measured)
    scores = card_text(facts).split("## Scores")[1].split("## Training")[0]
    assert "Boxes measured on drawn scenes as COCO does, all sizes alike. These weights were chosen among" in scores
    assert "| AP50 | 70.0 % |\n| AP50 of held | 65.0 % |" in scores
    assert "AP of each class: moon 50.0 %." in scores


def test_it_is_evaluated_from_its_release_alone(release: Path, tmp_path: Path) -> None:
    words = ["--config", str(release), "--weights", str(release), "--eval-only"]
    cfg = compose(parse([*words, "dataloader.test.dataset.length=4", f"train.output_dir={tmp_path}"]), lambda _: None)
    result = run(cfg, eval_only=True, quiet=True)
    assert "bbox/AP50-held" in result.metrics
    assert (tmp_path / "evaluation_val.json").is_file()


@pytest.mark.parametrize("num_classes", [44, 80])
def test_dsct_starts_from_it(
    num_classes: int, release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of the host is lent; only class heads of another number of classes, which DSCT never asks, are not."""
    words = ("--config", "demo", f"train.init_checkpoint={release}", f"hosts.deformable_detr.num_classes={num_classes}")
    trained(tmp_path, *words, *DRAWN, dry_run=True)
    host = {name for name in load_release(release).state_dict if name.startswith("host.")}
    misfits = {name for name in host if num_classes == 80 and "class_embed" in name}
    assert f"a release: {len(host) - len(misfits)} of " in capsys.readouterr().out
    assert len(misfits) == (4 if num_classes == 80 else 0)


def test_where_people_are_meant_it_is_refused_in_a_sentence(release: Path) -> None:
    with pytest.raises(
        UserError, match=r"last\.safetensors is a detector of 44 classes of things \(drawn_things\), wh"
    ):
        Predictor.from_checkpoint(release)


def test_ones_own_coco_and_any_host(tmp_path: Path) -> None:
    for split in ("train", "val"):
        write(tmp_path / "toys", f"{split}.json", f"{split}/a.jpg", content(SHOWN, TOYS))
    told: list[str] = []
    words = ["--config", "deformable_detr_objects", "--data", "coco", "--data-root", str(tmp_path / "toys")]
    own = ["+dataloader.train.drop_last=False", "dataloader.train.mapper.transforms.crop_probability=0.0"]
    small = [word for word in SMALL if "hosts." not in word]
    cfg = compose(
        parse([*words, *small, *own, "train.fast_dev_run.enabled=True", f"train.output_dir={tmp_path / 'run'}"]),
        told.append,
    )
    assert any("3 classes of train.json" in sentence for sentence in told)
    assert cfg.model.classes.names == ["person", "kite", "ball"]
    assert cfg.dataloader.evaluator.dataset_name == "toys"
    with torch.device("meta"):
        for host in ("dino", "anchor_detr"):
            cfg.host.name = host
            assert cfg.model.host._target_ is not None


def test_data_without_boxes_of_things_is_refused() -> None:
    cfg = load_config(projects_folder() / "demo_objects.py")
    with pytest.raises(UserError, match=r"--data expects one of coco, synthetic with boxes of things\. Got 'emotic'"):
        exchange_data(cfg, "emotic", lambda told: None)
