"""Emotions of one's own, with names that files and keys choke on, from the config to what a run leaves behind."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from dsct_detrex.cli.train import parse
from dsct_detrex.config import load_config
from dsct_detrex.engine.compose import compose
from dsct_detrex.engine.train_run import run
from dsct_detrex.errors import UserError
from dsct_detrex.prediction import Predictor
from dsct_detrex.structures import MultiClassEmotions
from dsct_detrex.weights import load_release
from tests.data.sets.test_coco_files import content, write

NAMES = ("so, so", 'said "no"', "Doubt/Confusion", "悲しい 😀")
SMALL = (
    "train.fast_dev_run.enabled=True",
    "train.device=cpu",
    "hosts.deformable_detr.num_queries=10",
    "hosts.deformable_detr.embed_dim=64",
    "hosts.deformable_detr.position_embedding.num_pos_feats=32",
    "hosts.deformable_detr.transformer.encoder.num_layers=1",
    "hosts.deformable_detr.transformer.decoder.num_layers=1",
    "+dataloader.train.drop_last=False",
    "dataloader.train.num_workers=0",
    "dataloader.test.num_workers=0",
    "dataloader.train.mapper.transforms.scales=[48]",
    "dataloader.train.mapper.transforms.crop_probability=0.0",
    "dataloader.test.mapper.transforms.size=48",
)


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    categories = [{"id": number, "name": name} for number, name in enumerate(NAMES)]
    people = [{"category_id": number, "bbox": [5 + 10 * number, 6, 9, 30]} for number in range(len(NAMES))]
    for split in ("train", "val"):
        write(tmp_path / "faces", f"{split}.json", f"{split}/a.jpg", content(people, categories))
    return tmp_path / "faces"


def test_names_that_configs_fill_in_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "train.json", "train/a.jpg", content([{"emotion": "calm"}, {"emotion": "a${b}"}]))
    with pytest.raises(UserError, match=r"The emotion 'a\$\{b\}' holds '\$\{', which config files fill in\."):
        compose(parse(["--config", "demo", "--data", "coco", "--data-root", str(tmp_path)]), lambda told: None)


def test_names_reach_everything_that_a_run_leaves(faces: Path, tmp_path: Path) -> None:
    told: list[str] = []
    words = ["--config", "demo", "--data", "coco", "--data-root", str(faces), *SMALL]
    cfg = compose(parse([*words, f"train.output_dir={tmp_path / 'run'}"]), told.append)
    assert "one a person (multi-class), because nobody has two; data.kind says otherwise." in " ".join(told)
    run(cfg)
    expected = MultiClassEmotions("faces", NAMES)
    written = load_config(tmp_path / "run" / "config.yaml")
    assert tuple(written.emotions.names) == NAMES
    (release,) = (tmp_path / "run").glob("last.safetensors")
    assert load_release(release).emotions == expected
    report = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert [row["label"] for row in report["per_class"]] == list(NAMES)
    assert report["dataset"]["name"] == "faces"
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert any(f"emotion/AP-{NAMES[1]}" in row for row in rows)
    for path in (tmp_path / "run").glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            table = list(csv.reader(file))
        assert {len(row) for row in table} == {len(table[0])}, path
    faces.rename(faces.with_name("gone"))  # a release needs no files
    people = Predictor.from_checkpoint(release, threshold=0.0)(Image.new("RGB", (64, 48)))
    assert people.emotion_probs.shape[1] == len(NAMES)
