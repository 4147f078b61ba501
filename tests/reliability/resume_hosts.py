"""DSCT on one host, tiny: a training that goes on from a checkpoint ends, to the last bit, as one that never stopped.

On is whatever a checkpoint has to carry: accumulation, autocast, dropout, denoising, one-to-many queries, the average
of the weights, augmentation, evaluations and the choice of the best. ``python -m tests.reliability.resume_hosts`` takes
all hosts of the table, the tests a few of them.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import torch
from omegaconf import DictConfig, OmegaConf

from dsct_detrex.cli.train import parse
from dsct_detrex.config.copies import duplicate
from dsct_detrex.engine import run
from dsct_detrex.engine.compose import compose
from tests.dsct.tiny import HOSTS, shrink
from tests.reliability.same import assert_same_run

STEPS, PERIOD = 4, 2
WORDS = (
    "train.device=cpu",
    "train.max_epoch=null",
    f"train.max_iter={STEPS}",
    f"train.checkpointer.period={PERIOD}",
    "train.eval_period=3",
    "train.log_period=3",  # neither a checkpoint nor an evaluation falls on a log: the mean goes over the stop
    "train.accumulate=2",
    "train.amp.enabled=True",
    "train.model_ema.enabled=True",
    "train.report.enabled=False",
    "dataloader.train.total_batch_size=2",
    "dataloader.train.num_workers=0",
    "dataloader.test.num_workers=0",
    "dataloader.test.batch_size=2",
    "dataloader.train.dataset.size=[64,48]",
    "dataloader.test.dataset.size=[64,48]",
    "dataloader.test.dataset.length=2",
    "dataloader.train.mapper.transforms.scales=[40,48,56]",
    "dataloader.train.mapper.transforms.crop_probability=0.5",
    "dataloader.test.mapper.transforms.size=48",
)


def config_of(host: str, folder: Path, *words: str) -> DictConfig:
    """A project's training on drawn scenes, with small numbers."""
    given = ["--config", "deformable_detr_dsct", f"host.name={host}", *WORDS, f"train.output_dir={folder}", *words]
    cfg = compose(parse(given), lambda told: None)
    shrink(cfg.hosts[host])
    _drop_out(cfg.hosts[host])
    training = cfg.subject_training
    if cfg.model.denoising is None:
        cfg.model.denoising = duplicate(training.dn_detr.denoising)
    cfg.model.denoising = duplicate(cfg.model.denoising)
    cfg.model.denoising.max_queries = 8
    cfg.model.one_to_many = duplicate(training.h_deformable_detr.one_to_many)
    cfg.model.one_to_many.num_queries = 6
    cfg.model.num_subjects = 3
    cfg.model.aggregation.k_spatial, cfg.model.aggregation.k_semantic = 6, 4
    return cfg


def _drop_out(config: DictConfig) -> None:
    """Every dropout on, so that random numbers are drawn in every step."""
    for key in config:
        if OmegaConf.is_interpolation(config, key):
            continue
        if "dropout" in str(key) and config[key] is not None:
            config[key] = 0.1
        elif OmegaConf.is_dict(config[key]):
            _drop_out(config[key])


def goes_on_exactly(host: str, folder: Path, *words: str) -> None:
    """Train, and once more from the checkpoint in the middle of it; compare."""
    whole, parts = folder / "whole", folder / "parts"
    run(config_of(host, whole, *words), quiet=True)
    parts.mkdir()
    os.link(whole / "last.prev.pth", parts / "last.pth")
    middle = torch.load(parts / "last.pth", weights_only=True)
    assert middle["iteration"] == PERIOD
    assert middle["losses"][0]["total_loss"], "no loss waits for the log, so nothing is tried"
    run(config_of(host, parts, *words), resume=True, quiet=True)
    assert_same_run(parts, whole)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hosts", nargs="*", default=HOSTS, help="(default: all)")
    for host in parser.parse_args().hosts:
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            goes_on_exactly(host, Path(folder))
        print(f"{host}: to the last bit ({time.perf_counter() - start:.0f} s)", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
