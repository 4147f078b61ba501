"""torchvision's ResNets as a backbone: same maps, same names, what is fixed, what is refused."""

import pytest
import torch
import torchvision
from torchvision.ops import FrozenBatchNorm2d

from dsct_detrex.hosts import HostConfigError, TorchvisionResNet, torchvision_channels


@torch.no_grad()
def test_equals_torchvision_under_its_names():
    theirs = torchvision.models.resnet18(weights=None, norm_layer=FrozenBatchNorm2d).eval()
    ours = TorchvisionResNet("resnet18", return_layers={"layer3": "res4", "layer4": "res5"}).eval()
    weights = {f"body.{k}": v for k, v in theirs.state_dict().items() if not k.startswith("fc.")}
    ours.load_state_dict(weights)
    theirs.avgpool, theirs.fc = torch.nn.Identity(), torch.nn.Identity()
    images = torch.randn(2, 3, 64, 96)
    maps = ours(images)
    torch.testing.assert_close(maps["res5"].flatten(1), theirs(images), atol=0, rtol=0)
    assert {name: tuple(x.shape) for name, x in maps.items()} == {"res4": (2, 256, 4, 6), "res5": (2, 512, 2, 3)}


def test_the_last_map_of_a_resnet50_has_the_announced_channels():
    for name in ("resnet18", "resnet50", "wide_resnet50_2"):
        with torch.device("meta"):
            maps = TorchvisionResNet(name)(torch.zeros(1, 3, 64, 64))
        assert maps["res5"].shape == (1, torchvision_channels(name), 2, 2)


def test_dilation_keeps_stride_16_and_the_names():
    with torch.device("meta"):
        plain, dilated = TorchvisionResNet("resnet50"), TorchvisionResNet("resnet50", dilation=True)
        assert dilated(torch.zeros(1, 3, 64, 64))["res5"].shape == (1, 2048, 4, 4)
    assert dilated.state_dict().keys() == plain.state_dict().keys()


@pytest.mark.parametrize(("train_backbone", "trained"), [(True, {"layer2", "layer3", "layer4"}), (False, set())])
def test_stem_and_first_stage_are_fixed(train_backbone, trained):
    body = TorchvisionResNet("resnet18", train_backbone).body
    assert {name.split(".")[0] for name, p in body.named_parameters() if p.requires_grad} == trained


def test_later_stages_are_dropped():
    body = TorchvisionResNet("resnet18", return_layers={"layer2": "res3"}).body
    assert [name for name, _ in body.named_children()] == ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"name": "vgg11"},
            r"TorchvisionResNet\(name=\) expects one of resnet101, .*50_2\. Got 'vgg11'\.",
        ),
        (
            {"return_layers": {"layer5": "res6"}},
            r"TorchvisionResNet\(return_layers=\) expects stages of .* Got \{'layer5': 'res6'\}\.",
        ),
        (
            {"name": "resnet34", "dilation": True},
            r"TorchvisionResNet\(dilation=True\) expects resnet50 or a deeper one\. Got 'resnet34'\.",
        ),
    ],
)
def test_impossible_nets_are_refused(arguments, message):
    with pytest.raises(HostConfigError, match=f"^{message}$"):
        TorchvisionResNet(**arguments)
