"""Our projects under detrex's own ``tools/train_net.py``: what it reads is there, and it trains and evaluates.

What needs detrex is skipped, by name, where it is not importable.
"""

import ast
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from dsct_detrex.integrations.detrex import locate

from .live import require_detrex

ROOT = Path(__file__).parents[2]
PROJECTS = sorted(ROOT.glob("projects/*_dsct.py"))

# What the script reads without asking whether it is there (tools/train_net.py and detectron2's default_setup).
KEYS = (
    "model",
    "optimizer.params",
    "lr_multiplier",
    "dataloader.train",
    "dataloader.test",
    "dataloader.evaluator",
    *(f"train.{key}" for key in ("output_dir", "init_checkpoint", "max_iter", "eval_period", "log_period", "device")),
    *(f"train.{key}.enabled" for key in ("amp", "clip_grad", "fast_dev_run", "wandb", "model_ema")),
    "train.clip_grad.params",
    "train.checkpointer",
    "train.ddp",
    "train.seed",
    "train.wandb.params.dir",
    "train.model_ema.decay",
    "train.model_ema.device",
    "train.model_ema.use_ema_weights_for_eval_only",
)
SMALL = (
    "train.device=cpu",
    "train.max_iter=4",
    "train.eval_period=2",
    "train.log_period=1",
    "dataloader.train.total_batch_size=2",
    "dataloader.train.num_workers=0",
    "dataloader.train.mapper.transforms.scales=[96]",
    "dataloader.test.num_workers=0",
    "dataloader.test.batch_size=2",
    "dataloader.test.dataset.length=4",
    "dataloader.test.mapper.transforms.size=96",
    "hosts.dino.num_queries=20",
    "hosts.dino.transformer.encoder.num_layers=1",
    "hosts.dino.transformer.decoder.num_layers=2",
)
LIVE = """
from dsct_detrex.integrations.detrex import host_configs

from .dino_dsct import (
    classification,
    data,
    dataloader,
    emotions,
    host,
    lr_multiplier,
    model,
    optimizer,
    subject_training,
    train,
)

hosts = host_configs()
host.provider = "detrex"
"""


@pytest.fixture
def detrex() -> None:
    require_detrex()
    locate()


def _train_net(config: Path, output: Path, *words: str) -> str:
    """Run the script in a process of its own; what it printed."""
    projects = locate().projects
    script = None if projects is None else projects.parent / "tools/train_net.py"
    if script is None or not script.is_file():
        pytest.skip("needs a checkout of detrex, named by DETREX_ROOT: pip does not install tools/train_net.py")
    module = ("-m", "dsct_detrex.integrations.detrex", str(Path(__file__).with_name("stock_train_net.py")))
    command = [sys.executable, *module, str(script), "--config-file", str(config), *words]
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [*command, *SMALL, f"train.output_dir={output}"],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        cwd=output,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-3000:]
    return done.stdout


def _metrics(output: Path) -> dict[str, float]:
    lines = [json.loads(line) for line in (output / "metrics.json").read_text().splitlines()]
    assert len([line for line in lines if "total_loss" in line]) == 4
    return {key: value for line in lines for key, value in line.items()}


@pytest.mark.parametrize("path", sorted(ROOT.glob("projects/*.py")), ids=lambda path: path.stem)
def test_config_files_import_names_one_by_one(path: Path) -> None:
    """detectron2's LazyConfig takes the star of ``from .file import *`` for a name and raises ``KeyError: '*'``."""
    imports = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    assert [node.module for node in imports if node.level and node.names[0].name == "*"] == []


@pytest.mark.usefixtures("detrex")
@pytest.mark.parametrize("path", PROJECTS, ids=lambda path: path.stem)
def test_detectron2_loads_every_project_and_finds_what_the_script_reads(path: Path) -> None:
    from detectron2.config import LazyConfig

    cfg = LazyConfig.load(str(path))
    missing = object()
    assert [key for key in KEYS if OmegaConf.select(cfg, key, default=missing) is missing] == []
    cfg = LazyConfig.apply_overrides(cfg, ["train.max_iter=3", "model.num_subjects=4"])
    assert (cfg.train.max_iter, cfg.model.num_subjects) == (3, 4)


@pytest.mark.usefixtures("detrex")
def test_trains_and_evaluates(tmp_path: Path) -> None:
    _train_net(ROOT / "projects/dino_dsct.py", tmp_path, "hosts.dino.backbone.depth=18")
    metrics = _metrics(tmp_path)
    assert math.isfinite(metrics["total_loss"])
    assert {"loss_class", "loss_bbox", "loss_giou", "loss_class_0", "emotion/mAP", "emotion/acc"} <= metrics.keys()
    assert (tmp_path / "model_final.pth").is_file()


@pytest.mark.usefixtures("detrex")
def test_trains_live_hosts_too(tmp_path: Path) -> None:
    for name in ("deformable_detr_dsct.py", "dino_dsct.py"):
        (tmp_path / name).write_text((ROOT / "projects" / name).read_text())
    (tmp_path / "live_dino_dsct.py").write_text(LIVE)
    printed = _train_net(tmp_path / "live_dino_dsct.py", tmp_path)
    assert math.isfinite(_metrics(tmp_path)["total_loss"])
    assert "(host): DINO(" in printed + (tmp_path / "log.txt").read_text()


@pytest.mark.usefixtures("detrex")
def test_evaluates_alone(tmp_path: Path) -> None:
    printed = _train_net(ROOT / "projects/dino_dsct.py", tmp_path, "--eval-only", "hosts.dino.backbone.depth=18")
    assert "'emotion': {'mAP': " in printed
