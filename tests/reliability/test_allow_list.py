"""What a config out of a file of weights can build: every entry of the list reviewed, and the worst of them tried."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
import yaml
from torch import nn

from dsct_detrex.cli.evaluate import parse
from dsct_detrex.config import trust
from dsct_detrex.config.building import instantiate
from dsct_detrex.config.errors import ConfigError
from dsct_detrex.config.trust import LIVE_TARGETS, TRUSTED_TARGETS, check_trusted, instantiate_trusted
from dsct_detrex.engine.compose import compose
from dsct_detrex.errors import UserError
from dsct_detrex.structures import get_emotions
from dsct_detrex.weights import save_release
from tests.reliability.watched import deeds_of

PLACES = [entry.rstrip(".") for entry in TRUSTED_TARGETS if entry.endswith(".")]
FUNCTIONS = [entry for entry in TRUSTED_TARGETS if not entry.endswith(".")]


def modules_of(name: str) -> Iterator[ModuleType]:
    module = importlib.import_module(name)
    yield module
    for found in pkgutil.walk_packages(getattr(module, "__path__", []), f"{name}."):
        try:
            yield importlib.import_module(found.name)
        except Exception:  # an optional part of torch that is not installed
            continue


def called_below(place: str) -> dict[str, Any]:
    """Everything that can be called below a place, methods too, each by one of the names it would be asked for."""
    found: dict[int, tuple[str, Any]] = {}
    for module in modules_of(place):
        for name, value in vars(module).items():
            if not callable(value) or not name.isidentifier():
                continue
            found.setdefault(id(value), (f"{module.__name__}.{name}", value))
            for inner in vars(value) if isinstance(value, type) else ():
                method = getattr(value, inner, None)
                if callable(method) and inner.isidentifier():
                    _kept.append(method)
                    found.setdefault(id(method), (f"{module.__name__}.{name}.{inner}", method))
    return dict(found.values())


_kept: list[Any] = []
"""Bound methods, so that none takes the number of another."""


def allowed_below(place: str) -> list[Any]:
    allowed = []
    for name, value in called_below(place).items():
        try:
            trust._check_found(value, name, {}, TRUSTED_TARGETS)
        except UserError:
            continue
        allowed.append(value)
    return allowed


_ACTS = re.compile(
    r"(?<![.\w])(open|exec|eval|compile)\(|\b(__import__|import_module|system|popen|Popen|urlopen|load_state_dict_from_url|torch\.load"
    r"|read_text|read_bytes|write_text|write_bytes|unlink|mkdir|rmtree|read_checkpoint|torch\.save|np\.load|savefig)\("
)


@pytest.mark.parametrize("place", PLACES)
def test_below_a_place_only_classes_are_called_and_none_of_them_acts(place: str) -> None:
    """The review, done again for whatever torch and torchvision are installed."""
    allowed = allowed_below(place)
    assert len(allowed) >= 2, "the walk found nothing"
    for what in allowed:
        name = f"{what.__module__}.{what.__qualname__}"
        if name in FUNCTIONS:
            continue
        assert isinstance(what, type), name
        if not place.startswith("dsct_detrex"):
            assert issubclass(what, nn.Module), name
        built = [
            vars(kind)[method]
            for kind in what.__mro__
            if kind.__module__.startswith(place)
            for method in ("__init__", "__new__", "__post_init__")
            if inspect.isfunction(vars(kind).get(method))
        ]
        for function in built:
            try:
                source = re.sub(r'"""[\s\S]*?"""|#.*', "", inspect.getsource(function))
            except OSError:  # written by dataclasses, which only assign
                continue
            acts = _ACTS.search(source)
            assert acts is None, f"{name} is built by {acts[0] if acts else ''}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_on_the_list_do_not_act(name: str) -> None:
    from dsct_detrex.config.targets import locate

    function = locate(name)
    assert f"{function.__module__}.{function.__qualname__}" == name, "the list has the name where it lives"
    source = re.sub(r'"""[\s\S]*?"""|#.*', "", inspect.getsource(function))
    assert _ACTS.search(source) is None


def write_pickle(path: Path, marker: Path) -> None:
    import os
    import pickle

    class Trap:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {marker}",)

    path.write_bytes(pickle.dumps(Trap()))


def worst(folder: Path) -> dict[str, Any]:
    """What was on the list once, or is beside it: configs that act when they are built."""
    trap, marker = folder / "trap.pth", folder / "marker"
    write_pickle(trap, marker)
    weights = {"_target_": "torchvision.models._api.Weights", "url": trap.as_uri(), "transforms": None, "meta": {}}
    module = {"_target_": "torch.nn.Identity"}
    named = "dsct_detrex.config.named"
    return {
        "torchvision fetches a pickle from any address": {
            "_target_": "torchvision.models._api.WeightsEnum.get_state_dict",
            "self": weights,
            "progress": False,
        },
        "torchvision fetches by itself": {"_target_": "torchvision.models.resnet18", "weights": "DEFAULT"},
        "torchvision by name": {"_target_": "torchvision.models.get_model", "name": "resnet18", "weights": "DEFAULT"},
        "weights of an enumeration": {"_target_": "torchvision.models.ResNet18_Weights.DEFAULT.get_state_dict"},
        "torchvision's maker of code": {
            "_target_": "torchvision.models.feature_extraction.create_feature_extractor",
            "model": module,
            "return_nodes": ["x"],
        },
        "compiled code": {"_target_": "torch.nn.Module.compile", "self": module},
        "a hook in every module of the process": {
            "_target_": "torch.nn.modules.module.register_module_forward_hook",
            "hook": {"_target_": named, "name": "torch.nn.functional.relu"},
        },
        "a frozen network reads a file": {
            "_target_": "dsct_detrex.modalities.FrozenNetwork",
            "architecture": "resnet18",
            "weights": str(trap),
        },
        "a frozen network, in keywords": {
            "_target_": named,
            "name": "dsct_detrex.modalities.FrozenNetwork",
            "keywords": {"weights": str(trap)},
        },
        "boxes of a file": {"_target_": "dsct_detrex.baselines.DetectedBoxes", "file": str(trap)},
        "a name that names anything": {
            "_target_": named,
            "name": named,
            "keywords": {"name": "os.system", "keywords": {"command": f"touch {marker}"}},
        },
        "a registration": {"_target_": "dsct_detrex.dsct.register_reweighting"},
        "an attribute of a class": {"_target_": "torch.nn.Module.__setattr__", "self": module, "name": "x", "value": 1},
        "globals of a function": {"_target_": "torch.nn.Linear.forward.__globals__.get", "key": "os"},
        "an object without a name": {"_target_": "torch.nn.modules.module._global_forward_hooks.clear"},
        "a loader of torch": {"_target_": "torch.nn.modules.module.torch.load", "f": str(trap)},
        "a data set": {"_target_": "dsct_detrex.data.EmoticDataset", "root": str(folder), "split": "train"},
    }


with tempfile.TemporaryDirectory() as _folder:
    WORST = list(worst(Path(_folder)))


@pytest.mark.parametrize("which", WORST)
def test_the_worst_is_refused_before_anything_happens(which: str, tmp_path: Path) -> None:
    block = worst(tmp_path)[which]
    deeds, end = deeds_of(lambda: instantiate_trusted(block))
    assert "ConfigError" in end
    assert "instantiate_trusted: " in end
    assert deeds == []
    assert not (tmp_path / "marker").exists()


def test_the_worst_would_work_without_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pickle from any address, fetched and run: what one line of a config did before methods were refused."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    block = worst(tmp_path)["torchvision fetches a pickle from any address"]
    with pytest.raises(Exception, match=r"\w"):  # what comes out is no state dict; by then it has run
        instantiate(block)
    assert (tmp_path / "marker").exists()


def test_what_configs_need_is_built() -> None:
    for target, arguments, kind in (
        ("torch.nn.Linear", {"in_features": 2, "out_features": 2}, nn.Linear),
        ("torchvision.ops.FrozenBatchNorm2d", {"num_features": 2}, nn.Module),
        ("torchvision.ops.misc.FrozenBatchNorm2d", {"num_features": 2}, nn.Module),
        ("dsct_detrex.structures.get_emotions", {"name": "caer_s"}, object),
        ("dsct_detrex.objective.Denoising", {}, object),
    ):
        assert isinstance(instantiate_trusted({"_target_": target, **arguments}), kind)


def test_users_extend_the_list_by_whole_names_and_by_places() -> None:
    block = {"_target_": "tests.config.callables.double", "value": 2}
    with pytest.raises(ConfigError, match=r"which is a function; of a place on the list only classes are called"):
        instantiate_trusted(block, ("tests.config.",))
    assert instantiate_trusted(block, ("tests.config.callables.double",)) == 4
    pair = {"_target_": "tests.config.callables.Pair", "first": 1}
    assert instantiate_trusted(pair, ("tests.config.",)).first == 1


def test_live_detrex_reads_no_weights() -> None:
    """timm and torchvision backbones unpickle or download while they are built: not trusted in live mode either."""
    assert "detrex.modeling." in LIVE_TARGETS
    for place in ("detrex.modeling.backbone.timm_backbone.", "detrex.modeling.backbone.torchvision_backbone."):
        assert place in trust._DOERS
    with pytest.raises(ConfigError, match="reads files, downloads or compiles while it is built"):
        check_trusted({"_target_": "torchvision.models.feature_extraction.DualGraphModule"}, ("torchvision.models.",))


def released(path: Path, changes: str) -> Path:
    """A release whose config also says ``changes``."""
    content = {
        "emotions": {"_target_": "dsct_detrex.structures.get_emotions", "name": "caer_s"},
        "model": {"_target_": "torch.nn.Identity"},
        "train": {"output_dir": "theirs", "device": "cuda", "max_iter": 3},
        "dataloader": {
            "train": {"_target_": "dsct_detrex.data.build_train_loader"},
            "test": {"_target_": "dsct_detrex.data.build_test_loader"},
            "evaluator": {"_target_": "dsct_detrex.evaluation.EmotionEvaluator"},
        },
        "optimizer": {"_target_": "os.system", "command": f"touch {path.parent / 'marker'}"},
        "lr_multiplier": {},
    }
    text = yaml.safe_dump({**content, **yaml.safe_load(changes)})
    save_release(path, {"a": torch.zeros(1)}, get_emotions("caer_s"), text)
    return path


ATTACK = "{_target_: os.system, command: touch MARKER}"


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ("data: {object_classes: ATTACK}", "not on the list"),  # eval built it, whatever it was
        ("data: {x: [{y: ATTACK}]}", "inert"),
        ("x: {_target_: dsct_detrex.config.named, name: os.system}", "inert"),
        ("x: ${oc.env:HOME}", "calls a resolver"),
        ("x: ${nowhere}", "cannot be used"),
        ("t: {cuda: torch.nn.Identity, cpu: os.system}\nmodel: {_target_: '${t.${train.device}}'}", "inert"),
        (
            "t: {cuda: torch.nn.Identity, cpu: os.system}\nmodel: {_target_: '\\${t.\\${train.device}}'}",
            "plain text|expects",
        ),
        ("host: {provider: embedded}\nhosts: {dino: ATTACK}", "inert"),
    ],
)
def test_an_evaluation_builds_nothing_else_of_a_config(changes: str, outcome: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    path = released(tmp_path / "a.safetensors", changes.replace("ATTACK", ATTACK).replace("MARKER", str(marker)))

    def evaluate() -> None:
        cfg = compose(parse([str(path), "--device", "cpu"]))
        for key in list(cfg):
            if key != "dataloader":
                instantiate(cfg[key])

    deeds, end = deeds_of(evaluate, may_read=tmp_path)
    assert not marker.exists()
    assert [deed for deed in deeds if "os.system" in deed] == []
    if outcome == "inert":
        assert end == "done"
    else:
        assert re.search(outcome, end), end


def test_a_release_says_neither_where_to_write_nor_whom_to_tell(tmp_path: Path) -> None:
    path = released(
        tmp_path / "a.safetensors",
        f"train: {{output_dir: {tmp_path}/x, wandb: {{enabled: true, params: {{entity: them, dir: /home, settings: {{}}}}}}}}\n"  # noqa: E501
        "dataloader:\n  test: {_target_: dsct_detrex.data.build_test_loader, dataset: {_target_: "
        "dsct_detrex.evaluation.EmotionEvaluator, output_dir: /home}}\n"
        "  evaluator: {_target_: dsct_detrex.evaluation.EmotionEvaluator, output_dir: /home}",
    )
    cfg = compose(parse([str(path)]))
    assert cfg.train.output_dir == str(tmp_path)
    assert cfg.dataloader.evaluator.output_dir == cfg.dataloader.test.dataset.output_dir == str(tmp_path)
    assert not cfg.train.wandb.enabled
    assert set(cfg.train.wandb.params.values()) == {None}
