"""``docs/new-host.md`` as it stands: a host unknown to this project, made known by a module that a config imports."""

import re
import shutil
import sys
from pathlib import Path

import pytest
import torch

from dsct_detrex.config import apply_overrides, instantiate, load_config, save_config
from dsct_detrex.dsct.adapters import registry
from tests.dsct.tiny import images

PROJECT = Path(__file__).parents[2]
FEW_LAYERS = [
    "hosts.deformable_detr.backbone.depth=18",
    "hosts.deformable_detr.transformer.encoder.num_layers=1",
    "hosts.deformable_detr.transformer.decoder.num_layers=1",
]


@pytest.fixture
def config_file(tmp_path, monkeypatch):
    """The page's two files, beside a copy of the projects that the second one imports."""
    shutil.copytree(PROJECT / "projects", tmp_path / "projects", ignore=shutil.ignore_patterns("__pycache__"))
    module, config = re.findall(r"```python\n(.*?)```", (PROJECT / "docs/new-host.md").read_text(), re.DOTALL)
    (tmp_path / "my_host.py").write_text(module)
    (tmp_path / "projects/my_host_dsct.py").write_text(config)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "_ADAPTERS", list(registry._ADAPTERS))
    yield tmp_path / "projects/my_host_dsct.py"
    sys.modules.pop("my_host", None)


def test_a_config_file_brings_its_own_host_and_adapter(config_file, tmp_path):
    cfg = load_config(config_file)
    apply_overrides(cfg, FEW_LAYERS)
    save_config(cfg, tmp_path / "saved.yaml")
    model = instantiate(load_config(tmp_path / "saved.yaml").model).eval()
    assert model.decoder.adapter.kind == "my_host"
    assert any(name.startswith("host.net.transformer.") for name in model.state_dict())
    with torch.no_grad():
        assert model.decode(images())[-1].logits.shape[:2] == (2, 9)
