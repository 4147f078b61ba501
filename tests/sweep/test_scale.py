"""Every host of the table becomes small by the same rules."""

import copy

import pytest
import torch
from omegaconf import OmegaConf

from dsct_detrex.config import apply_overrides, get_config, instantiate, load_config
from dsct_detrex.config.project import config_folder
from dsct_detrex.dsct.adapters import adapter_for
from dsct_detrex.sweep.scale import get_scale, host_of

BASE = OmegaConf.create({"hosts": get_config("common/hosts.py").hosts}, flags={"allow_objects": True})
HOSTS = tuple(BASE.hosts)


@pytest.mark.parametrize("host", HOSTS)
def test_the_demo_scale_reaches_every_host(host):
    scale = get_scale("demo")
    words = [word for word in scale.overrides(BASE, host, "emotic") if word not in (*scale.run, *scale.dsct)]
    assert all(word.startswith(f"hosts.{host}.") for word in words)
    cfg = apply_overrides(copy.deepcopy(BASE), words)
    with torch.device("meta"):
        small = instantiate(cfg.hosts[host])
    assert sum(p.numel() for p in small.parameters()) < 22e6  # ResNet-18 has 11 million; at full size 34 to 48
    assert decoder_layers(small) == 3
    dropouts = {m.p for m in small.modules() if isinstance(m, torch.nn.Dropout)}
    assert dropouts <= {0.0}
    assert all(p.requires_grad for p in small.backbone.parameters())


def decoder_layers(host: torch.nn.Module) -> int:
    """Where the host keeps them, as its adapter tells."""
    return len(adapter_for(host).layers)


def test_rules_follow_structure():
    cfg = OmegaConf.create(
        {
            "hosts": {
                "mine": {
                    "backbone": {"depth": 50, "norm": "FrozenBN"},
                    "neck": {"depth": 50},
                    "num_queries_one2many": 1501,
                    "proposals": "${.num_queries_one2many}",
                }
            }
        }
    )
    words = get_scale("demo").overrides(cfg, "mine", "emotic")
    assert words[-3:] == [
        "hosts.mine.backbone.depth=18",
        "hosts.mine.backbone.norm=BN",
        "hosts.mine.num_queries_one2many=301",
    ]


def test_only_drawn_scenes_get_a_size():
    scale = get_scale("demo")
    drawn = scale.overrides(BASE, "deformable_detr", "synthetic")
    assert "dataloader.train.dataset.size=[192,144]" in drawn
    assert not any("dataset.size" in word for word in scale.overrides(BASE, "deformable_detr", "emotic"))


def test_the_paper_scale_leaves_hosts_alone():
    assert get_scale("paper").overrides(BASE, "dino", "synthetic") == list(get_scale("paper").run)


def test_the_host_of_a_cell():
    cfg = OmegaConf.create({"host": {"name": "dino"}})
    assert host_of(cfg, ["model.num_subjects=3"]) == "dino"
    assert host_of(cfg, ["host.name=detr", "host.name=deta"]) == "deta"


def test_the_two_stage_baselines_become_small_too():
    """They have no host: the rules go over the whole model, and what is only for DSCT is left out."""
    cfg = load_config(config_folder().parent / "projects" / "emo_net_r50.py")
    scale = get_scale("demo")
    words = scale.overrides(cfg, host_of(cfg, []), "synthetic")
    assert not set(words) & set(scale.dsct)
    apply_overrides(cfg, words)
    assert (cfg.model.subject_size, cfg.model.context_size) == (64, 112)
    for branch in (cfg.model.subject_backbone, cfg.model.context_backbone):
        assert (branch.depth, branch.norm, branch.freeze_at) == (18, "BN", 0)
