"""``docs/add.md`` as it stands: what its code blocks add is found by whatever looks for it."""

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image

from dsct_detrex.config import get_config, instantiate, project
from dsct_detrex.dsct import DSCT, FORMULAS, REWEIGHTINGS, RelationalAggregation
from dsct_detrex.dsct.choices import Places
from dsct_detrex.integrations.detrex import live_hosts
from dsct_detrex.prediction.sources import discovery, kinds
from dsct_detrex.prediction.sources.contract import Search
from dsct_detrex.structures import CAER_S
from dsct_detrex.sweep import load_sweep
from tests.dsct.tiny import tiny_dsct
from tests.figures.test_kinds import material, painted

ROOT = Path(__file__).parents[1]


def block(section: str) -> str:
    """The first code block of a section."""
    text = (ROOT / "docs/add.md").read_text(encoding="utf-8").split(f"## {section}\n")[1]
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


def test_a_reweighting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsct_detrex.dsct.reweighting.REWEIGHTINGS", known := dict(REWEIGHTINGS))
    file = tmp_path / "mine.py"
    file.write_text(block("A re-weighting"))
    exec(compile(file.read_text(), str(file), "exec"), {"__name__": "mine"})
    assert [*known] == [*REWEIGHTINGS, "nearness"]
    aggregation = RelationalAggregation("paper", 2, 1, reweighting="nearness")
    weights = aggregation(torch.randn(2, 8, 8), Places(torch.rand(2, 8, 2), num_contexts=5)).weights
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3))


def test_a_formula_of_fusion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsct_detrex.dsct.formulas.FORMULAS", known := dict(FORMULAS))
    monkeypatch.setattr("dsct_detrex.dsct.relational_aggregation.FORMULAS", known)
    file = tmp_path / "mine.py"
    file.write_text(block("A formula of fusion"))
    exec(compile(file.read_text(), str(file), "exec"), {"__name__": "mine"})
    assert [*known] == [*FORMULAS, "agreed"]
    aggregation = RelationalAggregation("agreed", 4, 4)
    out = aggregation(torch.randn(2, 8, 8), Places(torch.rand(2, 8, 2), num_contexts=6))
    agreed = out.nearest.mask & out.relevant.mask
    torch.testing.assert_close((out.weights * agreed).sum(-1), torch.ones(2, 2))
    torch.testing.assert_close(out.weights.sum(-1), 1 + (out.nearest.mask ^ out.relevant.mask).any(-1).float())


def test_an_ablation(tmp_path: Path) -> None:
    (tmp_path / "my_ablation.py").write_text(block("An ablation"))
    sweep = load_sweep(tmp_path / "my_ablation.py")
    assert [cell.name for cell in sweep.cells] == ["both", "relevant", "few"]


def test_a_figure() -> None:
    scope: dict[str, Any] = {}
    exec(block("A figure"), scope)
    (drawing,) = scope["draw"](material(tiny_dsct("detr")))
    assert [len(line.get_ydata()) for line in painted(drawing).axes[0].lines] == [2, 2, 2]


@pytest.fixture
def configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the configs to add to."""
    folder = tmp_path / "configs"
    shutil.copytree(ROOT / "configs", folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(project, "config_folder", lambda: folder)
    return folder


def test_a_host_variant(configs: Path) -> None:
    text = block("A host variant")
    path = re.match(r"# configs/(\S+)\n", text)
    assert path is not None
    (configs / path[1]).write_text(text)
    table = get_config("common/hosts.py")
    assert table.hosts.dino_3scale.transformer.num_feature_levels == 3
    assert table.subject_training.dino_3scale == table.subject_training.dino
    assert "dino_3scale" not in live_hosts()
    with torch.device("meta"):
        host = instantiate(OmegaConf.create({"host": table.hosts.dino_3scale}, flags={"allow_objects": True}).host)
        model = DSCT(host, CAER_S, aggregation=RelationalAggregation(), device="meta")
    assert model.decoder.adapter.kind == "dino"
    assert host.transformer.level_embeds.shape == (3, 256)


def test_a_variant_that_detrex_has_too(configs: Path) -> None:
    text = block("A host variant").replace("import host", "import detrex, host")
    changes = {"transformer.num_feature_levels": 3}
    (configs / "common/hosts/dino_3scale.py").write_text(f"{text}detrex.changes = {changes}\n")
    assert live_hosts()["dino_3scale"].config == live_hosts()["dino"].config
    assert live_hosts()["dino_3scale"].changes == changes
    assert not live_hosts()["dino"].changes


def test_a_source_of_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "newest.py").write_text(block("A source of pictures"))
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])
    monkeypatch.setattr(discovery, "kinds", discovery.kinds.__wrapped__)
    for age, name in enumerate(("old.png", "new.png")):
        Image.new("RGB", (4, 4)).save(tmp_path / name)
        os.utime(tmp_path / name, (age, age))
    named = discovery.name_units([f"newest:{tmp_path}"], Search())
    assert [unit.path.name for unit in named.known] == ["new.png"]


def test_a_table_of_results(tmp_path: Path) -> None:
    namespace: dict[str, object] = {"__name__": "names"}
    exec(block("A table of results"), namespace)
    path = tmp_path / f"predictions{namespace['SUFFIX']}"
    writer = namespace["Writer"](path, CAER_S)  # type: ignore[operator]
    for row in ({"file": "a", "people": [{}]}, {"file": "b", "people": []}, {"file": "c", "error": "x"}):
        writer.add(row)
    writer.close()
    assert path.read_text() == "a\n"
