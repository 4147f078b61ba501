"""No key is silent: whatever leaf of a project an override changes, the run is another one, or the change is refused.

Every project is loaded and each of its leaves is given another value. Leaves that are the same in a project looked at
before are not looked at again.
"""

from __future__ import annotations

import functools
import gc
import inspect
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import omegaconf
import pytest
from omegaconf import DictConfig, OmegaConf

from dsct_detrex.cli.train import Arguments
from dsct_detrex.config import apply_overrides, load_config, locate
from dsct_detrex.engine.unused import check_unused
from dsct_detrex.errors import UserError
from tests.projects.fingerprint import Fingerprints

FOLDER = Path(__file__).parents[2] / "projects"

# Another legal value for texts and nulls, by the end of the key; numbers, switches and lists change by rule.
OTHERS = {
    "architecture": "resnet18",
    "activation": "gelu",
    "annotations": "nowhere.json",
    "attention_type": "nn.MultiheadAttention",
    "base_lr": "3e-4",
    "data.root": "nowhere",
    "dataset_name": "another",
    "dataset.boxes": "body",
    "dataset.format": "emotic",
    "dataset.split": "train",
    "dead": "train",
    "denoising": "{_target_: dsct_detrex.objective.Denoising}",
    "distance_frame": "padded",
    "emotions.name": "emotic",
    "formula": "official",
    "gather": "self",
    "fusion_layers": "[0]",
    "host.name": "detr",
    "matcher": "{_target_: dsct_detrex.objective.IoUAssigner}",
    "metric": "emotion/acc",
    "mode": "min",
    "model.device": "cuda",
    "norm": "FrozenBN",
    "on_error": "skip",
    "one_to_many": "{_target_: dsct_detrex.objective.OneToMany}",
    "output_dir": "elsewhere",
    "patience": "3",
    "placement": "after_ffn",
    "proposal_loss": "{_target_: dsct_detrex.objective.ProposalLoss}",
    "protocol": "official",
    "provider": "detrex",
    "backbone.name": "resnet101",
    "resnet50": "resnet101",
    "reweighting": "spatial",
    "semantic_order": "smallest",
    "shared_heads": "False",
    "spatial_prior": "grid",
    "thresholds": "0.3",
    "token_loss": "{_target_: dsct_detrex.objective.TokenLoss}",
    "train.device": "cpu",
    "dtype": "float16",
    "warmup_method": "constant",
    "weight_decay_norm": "0.0",
    "weights": "nowhere.pth",
    "model_ema.device": "cpu",
    "init_checkpoint": "nowhere.pth",
    "references": "{a: 0.5}",
    "dataset_warnings": "[another]",
}
INSTEAD = {"official": "paper", "FrozenBN": "BN", "relu": "gelu", "paper": "official"}  # where OTHERS is there already

SMALL = ("backbone.depth=18", "transformer.encoder.num_layers=1", "transformer.decoder.num_layers=2")


def leaves(node: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Dotted key and raw value of every plain value or list below a node; what is interpolated is one leaf."""
    for name, value in node.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from leaves(value, f"{key}.")
        elif name != "_target_" and not callable(value):
            yield key, value


def optional(node: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Dotted key and default of every parameter of a callee below a node that the config leaves out."""
    if "_target_" in node:
        target = locate(node["_target_"]) if isinstance(node["_target_"], str) else node["_target_"]
        for parameter in inspect.signature(target).parameters.values():
            left_out = parameter.name not in node and parameter.name not in LEFT_ALONE
            if left_out and parameter.default is not parameter.empty:
                yield f"{prefix}{parameter.name}", parameter.default
    for name, value in node.items():
        if isinstance(value, dict):
            yield from optional(value, f"{prefix}{name}.")


def another(key: str, value: Any) -> str:
    """A legal value that is not the present one, as an override writes it."""
    by_name = next(
        (OTHERS[end] for end in sorted(OTHERS, key=len, reverse=True) if f".{key}".endswith(f".{end}")), None
    )
    if by_name is not None:
        return by_name if str(value) != by_name else INSTEAD.get(by_name, "resnet50")
    if isinstance(value, bool):
        return str(not value)
    if isinstance(value, int):
        return str(value + 1)
    if isinstance(value, float):
        return str(value / 2 if value else 0.25)
    if isinstance(value, (list, tuple)):
        return str([*value[:-1], value[-1] / 2]) if value and isinstance(value[-1], float) else str(list(value[1:]))
    return "another"


def small(name: str) -> DictConfig:
    """A project at a size that is built quickly, without the hosts that it does not use (one is left)."""
    cfg: DictConfig = pickle.loads(_packed(name))
    return cfg


@functools.cache
def _packed(name: str) -> bytes:
    cfg: DictConfig = load_config(FOLDER / f"{name}.py")
    if "host" in cfg:
        chosen = cfg.host.name
        other = "detr" if chosen != "detr" else "dino"
        for table in (cfg.hosts, cfg.subject_training):
            for host in [host for host in table if host not in (chosen, other, "default")]:
                del table[host]
        fitting = [word for word in SMALL if OmegaConf.select(cfg.hosts[chosen], word.split("=")[0]) is not None]
        apply_overrides(cfg, [f"hosts.{chosen}.{word}" for word in fitting])
    return pickle.dumps(cfg)


JUSTIFIED = {
    "host.provider",  # refused where the table of hosts is chosen: ``engine/compose.py`` and its test
    "dataloader.train.drop_last",  # 4096 scenes are whole batches
    "dataloader.train.draft",  # drawn scenes are no JPEGs
    "dataloader.test.draft",
    "dataloader.train.mapper.transforms.extra",  # no further transforms is what there is
}
LEFT_ALONE = {"rank", "world_size"}  # asked of torch.distributed
Mark = tuple[str, str, bool]


def silent_keys(
    cfg: DictConfig, seen: set[Mark], find: Callable[[Any, str], Iterator[tuple[str, Any]]] = leaves, sign: str = ""
) -> list[str]:
    """The overrides that are accepted and change nothing."""
    base, silent = Fingerprints(cfg), []
    packed = pickle.dumps(cfg)  # five times as quick to unpack as to copy
    for key, raw in find(OmegaConf.to_container(cfg, resolve=False), ""):
        mark = (key, str(raw), key.split(".")[1:2] == [OmegaConf.select(cfg, "host.name")])
        if mark in seen or key in JUSTIFIED:
            continue
        seen.add(mark)
        value = raw if sign else OmegaConf.select(cfg, key)
        if isinstance(value, DictConfig):
            continue  # an interpolation to a block, whose leaves have their turn
        word = f"{sign}{key}={another(key, value)}"
        changed, notes = pickle.loads(packed), list[str]()
        try:
            apply_overrides(changed, [word])
            check_unused(changed, Arguments("", (word,)), {}, notes.append)
            if notes or base.differs(changed):
                continue
        except UserError:
            continue
        silent.append(word)
    return silent


ORDER = sorted((path.stem for path in FOLDER.glob("*.py")), key=lambda name: (name != "deformable_detr_dsct", name))

# Blocks that are off in the projects, on; and the other way round.
SWITCHED = (
    (
        "train.max_epoch=null",
        "train.amp.enabled=True",
        "train.model_ema.enabled=True",
        "lr_multiplier.warmup_length=0.1",
    ),
    ("train.wandb.enabled=True", "train.tensorboard.enabled=True", "train.clip_grad.enabled=False"),
    ("model.use_contexts=False",),
    ("model.aggregation=null",),
    ("model.fusion_layers=[]",),
    ("model.aggregation.k_semantic=0", "model.aggregation.reweighting=attentive"),
    ("model.aggregation.formula=multi_head", "model.aggregation.gather=self"),
    ("model.aggregation.k_spatial=0", "model.modalities.use=[scene]", "model.modalities.scene.architecture=resnet18"),
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Interpolations are parsed once each, and garbage is looked for less often, which halves the time."""
    monkeypatch.setattr("omegaconf.base.parse", functools.lru_cache(None)(omegaconf.base.parse))
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 50)
    yield
    gc.set_threshold(*before)


def test_no_key_of_any_project_is_silent() -> None:
    seen: set[Mark] = set()
    found = {name: silent_keys(small(name), seen) for name in ORDER}
    assert {name: keys for name, keys in found.items() if keys} == {}


def test_no_key_that_can_be_added_is_silent() -> None:
    seen: set[Mark] = set()
    found = {name: silent_keys(small(name), seen, optional, "+") for name in ORDER}
    assert {name: keys for name, keys in found.items() if keys} == {}


@pytest.mark.parametrize("switches", SWITCHED, ids=lambda switches: switches[0])
def test_no_key_is_silent_with_other_switches(switches: tuple[str, ...]) -> None:
    def of_switched(node: Any, prefix: str) -> Iterator[tuple[str, Any]]:
        roots = ("train.", "model.", "lr_multiplier.")
        return ((key, raw) for key, raw in leaves(node, prefix) if key.startswith(roots))

    assert silent_keys(apply_overrides(small("deformable_detr_dsct"), switches), set(), of_switched) == []
