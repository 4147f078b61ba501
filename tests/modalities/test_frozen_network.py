"""The recipe: which maps come out, which files fill it, and what a mistake is told."""

import copy

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from dsct_detrex.config import get_config, instantiate
from dsct_detrex.errors import UserError
from dsct_detrex.modalities import FrozenNetwork, FrozenTrunk
from tests.modalities.networks import LAYERS, published, saved, scene, semantic


@pytest.fixture(scope="module")
def resnet18():
    torch.manual_seed(1)
    return published("resnet18")


def default_networks():
    config = get_config("common/dsct.py").model.modalities
    return {name: instantiate(config[name]) for name in ("scene", "semantic", "instance")}


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("scene", [(512, 16, 24), (1024, 8, 12), (2048, 4, 6)]),
        ("semantic", [(512, 16, 24), (1024, 16, 24), (2048, 16, 24)]),
        ("instance", [(256, 32, 48), (256, 16, 24), (256, 8, 12), (256, 4, 6), (256, 2, 3)]),
    ],
)
def test_maps_of_the_networks_of_the_config(name, shapes):
    with torch.device("meta"):
        trunk = default_networks()[name].build(name)
        maps = trunk(torch.empty(2, 3, 128, 192))
    assert [tuple(x.shape) for x in maps] == [(2, *shape) for shape in shapes]
    assert trunk.channels == tuple(shape[0] for shape in shapes)


def test_nothing_but_the_trunk_is_kept():
    heads = ("fc.", "classifier.", "rpn.", "roi_heads.")
    with torch.device("meta"):
        for name, network in default_networks().items():
            keys = [key.removeprefix("trunk.") for key in network.build(name).state_dict()]
            assert keys
            assert not any(key.startswith(heads) for key in keys)


def test_a_recipe_builds_nothing(monkeypatch):
    monkeypatch.setattr("dsct_detrex.modalities.frozen_network.get_model_builder", None)
    FrozenNetwork("no such network", ["no such layer"], "no such file")


@pytest.fixture(params=["torchvision", "places365", "safetensors", "backbone"])
def resnet18_file(request, resnet18, tmp_path):
    """The same weights in every container."""
    if request.param == "torchvision":
        return saved(tmp_path / "resnet18.pth", resnet18)
    if request.param == "places365":
        weights = resnet18 | {"fc.weight": torch.rand(365, 512), "fc.bias": torch.rand(365)}
        named = {f"module.{name}": x for name, x in weights.items()}
        content = {"epoch": 90, "arch": "resnet18", "state_dict": named, "best_prec1": torch.tensor(54.65)}
        return saved(tmp_path / "resnet18_places365.pth.tar", content)
    if request.param == "safetensors":
        save_file(resnet18, tmp_path / "resnet18.safetensors")
        return tmp_path / "resnet18.safetensors"
    named = {f"backbone.{name}": x for name, x in resnet18.items() if not name.startswith("fc.")}
    return saved(tmp_path / "detector.pth", named | {"classifier.weight": torch.rand(2, 2)})


def test_every_container_fills_the_trunk(resnet18_file, resnet18):
    trunk = scene(weights=str(resnet18_file)).build("scene")
    assert not trunk.is_random
    for name, tensor in trunk.trunk.state_dict().items():
        assert torch.equal(tensor, resnet18[name]), name
    assert len(trunk.trunk.state_dict()) == len(resnet18) - 2  # without fc


def test_a_segmentation_file_and_the_old_names_of_a_pyramid(tmp_path):
    """torchvision's Mask R-CNN and Faster R-CNN files call the pyramid's convolutions without the last ``.0``."""
    name = "fasterrcnn_mobilenet_v3_large_320_fpn"
    weights = published(name, weights_backbone=None)
    new = {key: x for key, x in weights.items() if key.startswith("backbone.")}
    old = {
        key.replace(".0.weight", ".weight").replace(".0.bias", ".bias") if "_blocks." in key else key: x
        for key, x in new.items()
    }
    assert old.keys() != new.keys()
    file = saved(tmp_path / "frcnn.pth", old | {"roi_heads.box_head.fc6.weight": torch.rand(2, 2)})
    trunk = FrozenNetwork(name, weights=file).build("instance")
    assert all(torch.equal(x, new[f"backbone.{key}"]) for key, x in trunk.trunk.state_dict().items())
    lraspp = published("lraspp_mobilenet_v3_large", weights_backbone=None)
    trunk = FrozenNetwork("lraspp_mobilenet_v3_large", weights=saved(tmp_path / "seg.pth", lraspp)).build("semantic")
    assert all(torch.equal(x, lraspp[f"backbone.{key}"]) for key, x in trunk.trunk.state_dict().items())


def test_norms_that_do_not_count_batches(resnet18, tmp_path):
    """Older files, and those of frozen norms, lack the counters."""
    weights = {name: x for name, x in resnet18.items() if not name.endswith("num_batches_tracked")}
    assert not scene(weights=saved(tmp_path / "old.pth", weights)).build("scene").is_random


def message(network, name="scene"):
    with pytest.raises(UserError) as caught:
        network.build(name)
    return str(caught.value)


def test_a_file_that_lacks_tensors_is_one_sentence(resnet18, tmp_path):
    file = saved(tmp_path / "r18.pth", resnet18)
    assert message(scene(architecture="resnet34", weights=file)) == (
        "FrozenNetwork(weights=) of scene (resnet34) expects a file with all 216 tensors of the trunk. "
        f"{file} lacks layer1.2.conv1.weight and 79 more, or has them in another shape; it holds conv1.weight and so "
        "on. Give a file of this architecture, or name the file's architecture."
    )
    wrong = saved(tmp_path / "wrong.pth", resnet18 | {"layer4.1.bn2.bias": torch.rand(3)})
    assert "lacks layer4.1.bn2.bias, or has them in another shape" in message(scene(weights=wrong))


def test_what_no_map_needs_may_be_absent(resnet18, tmp_path):
    weights = {name: x for name, x in resnet18.items() if not name.startswith("layer4.")}
    file = saved(tmp_path / "short.pth", weights)
    assert scene(layers=["layer2", "layer3"], weights=file).build("scene").channels == (128, 256)
    assert "lacks layer4.0.conv1.weight" in message(scene(weights=file))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"weights": "nowhere.pth"},
            "FrozenNetwork(weights=) of scene (resnet18) expects a file of weights. There is none at nowhere.pth. "
            "Nothing is downloaded: fetch it and give its path, or null where a checkpoint of the whole model brings "
            "the weights.",
        ),
        (
            {"architecture": "resnet5O"},
            "FrozenNetwork(architecture=) of scene expects a name of torchvision.models.list_models(). Got 'resnet5O'. "
            "Did you mean `resnet50`?",
        ),
        (
            {"layers": ["layer2", "layer5"]},
            "FrozenNetwork(layers=) of scene (resnet18) expects names of its submodules. Got 'layer5'. "
            "Did you mean `layer4`, `layer3` or `layer2`?",
        ),
        (
            {"layers": None},
            "FrozenNetwork(architecture=, layers=) of scene (resnet18) expects maps (B, C, H, W) of pictures of any "
            "size. It returns (1, 1000) for a picture of (96, 128) pixels; name layers that make maps, or take another "
            "architecture.",
        ),
    ],
)
def test_mistakes_are_one_sentence(changes, expected):
    assert message(scene(**changes)) == expected


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (FrozenNetwork("swin_t", ["features.3"]), "It returns (1, 12, 16, 192)"),  # channels last
        (FrozenNetwork("vit_b_16", ["encoder"]), "It fails on pictures of"),  # one size of pictures only
        (FrozenNetwork("raft_small"), "It fails on pictures of"),
    ],
)
def test_networks_without_maps_are_refused(network, reason):
    with torch.device("meta"):
        assert reason in message(network)


def test_channels_that_follow_the_size_of_the_picture_are_refused():
    class Unfolding(nn.Module):
        def forward(self, pixels):
            return pixels.repeat(1, pixels.shape[-1], 1, 1)

    with pytest.raises(UserError, match=r"It returns \(1, 384, 96, 128\) for a picture of \(96, 128\) pixels"):
        FrozenTrunk(Unfolding(), "mine", is_random=True)


def test_on_the_meta_device_no_file_is_read():
    """Names and shapes of a model, as ``convert_checkpoint`` wants them, need none of its files."""
    with torch.device("meta"):
        assert scene(weights="nowhere.pth").build("scene").channels == (128, 256, 512)


def test_a_trunk_that_returns_neither_a_map_nor_a_mapping_is_refused():
    with pytest.raises(UserError, match=r"of mine expects maps .* It returns something else; name layers"):
        FrozenTrunk(nn.MaxPool2d(2, return_indices=True), "mine", is_random=True)


def test_frozen_whatever_the_model_around_it_does():
    trunk = semantic().build("semantic")
    around = nn.Sequential(trunk).train()
    assert around.training
    assert not any(module.training for module in trunk.modules())
    assert not any(parameter.requires_grad for parameter in trunk.parameters())
    before = copy.deepcopy(trunk.state_dict())
    (first, *_) = trunk(torch.randn(2, 3, 64, 64, requires_grad=True))
    assert not first.requires_grad
    assert all(torch.equal(x, before[name]) for name, x in trunk.state_dict().items())


def test_a_copy_is_frozen_too_and_gives_the_same():
    trunk = scene().build("scene")
    twin = copy.deepcopy(nn.Sequential(trunk)).train()[0]
    pixels = torch.randn(1, 3, 64, 64)
    assert all(torch.equal(a, b) for a, b in zip(trunk(pixels), twin(pixels), strict=True))


def test_a_complete_state_dict_ends_randomness():
    trunk = scene(layers=["layer1"]).build("scene")
    assert isinstance(trunk, FrozenTrunk)
    assert trunk.is_random
    weights = trunk.state_dict()
    part = dict(list(weights.items())[:-1])
    nn.Sequential(trunk).load_state_dict({f"0.{name}": x for name, x in part.items()}, strict=False)
    assert trunk.is_random
    nn.Sequential(trunk).load_state_dict({f"0.{name}": x for name, x in weights.items()})
    assert not trunk.is_random


def test_the_layers_of_the_config_are_those_of_the_tests():
    assert tuple(default_networks()["scene"].layers) == LAYERS
