"""ResNets: equal to torchvision's under detectron2's names; which depths, widths, stages and frozen parts exist."""

import pytest
import torch
import torchvision
from torch import nn
from torchvision.ops import FrozenBatchNorm2d

from dsct_detrex.hosts import HostConfigError, ResNet, resnet_shapes, torchvision_to_detectron2

STAGES = {"res2": "layer1", "res3": "layer2", "res4": "layer3", "res5": "layer4"}


def random_torchvision(name):
    """A torchvision net with weights, scales and statistics that no identity could hide behind, made without its own
    slow initialisation."""
    with torch.device("meta"):
        model = getattr(torchvision.models, name)(weights=None)
    model = model.to_empty(device="cpu").eval()
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight.data, module.running_var):
                tensor.uniform_(0.5, 1.0)
            for tensor in (module.bias.data, module.running_mean):
                tensor.normal_(0, 0.2)
            module.num_batches_tracked.zero_()
    return model


@torch.no_grad()
def stage_maps(model, images):
    x = model.maxpool(model.relu(model.bn1(model.conv1(images))))
    maps = {"stem": x}
    for ours, theirs in STAGES.items():
        maps[ours] = x = getattr(model, theirs)(x)
    return maps


@pytest.mark.parametrize(
    ("name", "depth", "width", "norm"),
    [
        ("resnet18", 18, 64, "BN"),
        ("resnet18", 18, 64, "FrozenBN"),
        ("resnet50", 50, 64, "FrozenBN"),
        ("wide_resnet50_2", 50, 128, "FrozenBN"),
    ],
)
@torch.no_grad()
def test_equals_torchvision(name, depth, width, norm):
    theirs = random_torchvision(name)
    images = torch.randn(2, 3, 40, 33)
    with torch.device("meta"):
        ours = ResNet(depth, width, out_features=("stem", *STAGES), norm=norm, freeze_at=0).eval()
    ours.load_state_dict(torchvision_to_detectron2(theirs.state_dict()), assign=True)
    maps, expected = ours(images), stage_maps(theirs, images)
    for key, value in expected.items():
        # frozen norms fold their numbers before they touch the map: rounding only
        scale = value.abs().max().item()
        torch.testing.assert_close(maps[key], value, atol=1e-5 * scale if norm == "FrozenBN" else 0, rtol=0)


@torch.no_grad()
def test_equals_torchvision_bit_for_bit_with_frozen_norms():
    theirs = torchvision.models.resnet18(weights=None, norm_layer=FrozenBatchNorm2d)
    ours = ResNet(18, out_features=tuple(STAGES))
    ours.load_state_dict(torchvision_to_detectron2(theirs.state_dict()))
    images = torch.randn(1, 3, 64, 64)
    expected = stage_maps(theirs.eval(), images)
    for key, value in ours(images).items():
        torch.testing.assert_close(value, expected[key], atol=0, rtol=0)


@pytest.mark.parametrize(
    ("depth", "width", "blocks", "channels", "parameters"),
    [
        (18, 64, (2, 2, 2, 2), 512, "resnet18"),
        (34, 64, (3, 4, 6, 3), 512, "resnet34"),
        (50, 64, (3, 4, 6, 3), 2048, "resnet50"),
        (101, 64, (3, 4, 23, 3), 2048, "resnet101"),
        (152, 64, (3, 8, 36, 3), 2048, "resnet152"),
        (50, 128, (3, 4, 6, 3), 2048, "wide_resnet50_2"),
        (101, 128, (3, 4, 23, 3), 2048, "wide_resnet101_2"),
    ],
)
def test_table_of_depths_and_widths(depth, width, blocks, channels, parameters):
    with torch.device("meta"):
        ours = ResNet(depth, width, out_features=("res5",), norm="BN", freeze_at=0)
        theirs = getattr(torchvision.models, parameters)(weights=None)
    assert tuple(len(ours.get_submodule(name)) for name in STAGES) == blocks
    assert ours.channels == {"res5": channels}
    without_classifier = {k: v.shape for k, v in torchvision_to_detectron2(theirs.state_dict()).items()}
    assert {k: v.shape for k, v in ours.state_dict().items()} == without_classifier


@pytest.mark.parametrize(("last", "built"), [("stem", ()), ("res2", ("res2",)), ("res4", ("res2", "res3", "res4"))])
def test_later_stages_are_not_built(last, built):
    net = ResNet(18, out_features=(last,))
    assert net.stage_names == built
    assert set(net(torch.zeros(1, 3, 32, 32))) == {last}
    assert not hasattr(net, "res5")


def test_shapes_are_announced_as_they_come():
    net = ResNet(18, out_features=("stem", "res2", "res3", "res5"))
    for name, value in net(torch.zeros(1, 3, 64, 96)).items():
        assert value.shape[1] == net.channels[name] == net.output_shape()[name].channels
        assert 64 // value.shape[2] == 96 // value.shape[3] == net.strides[name] == net.output_shape()[name].stride


@pytest.mark.parametrize("depth", [34, 50])
def test_shapes_are_known_before_the_net_is_built(depth):
    names = ("stem", "res2", "res4")
    assert resnet_shapes(depth, names) == ResNet(depth, out_features=names).output_shape()
    with pytest.raises(HostConfigError, match="out_features"):
        resnet_shapes(depth, ("res7",))


@pytest.mark.parametrize(("freeze_at", "fixed"), [(0, set()), (1, {"stem"}), (3, {"stem", "res2", "res3"})])
def test_freezing_fixes_weights_and_norms(freeze_at, fixed):
    net = ResNet(18, out_features=("res5",), norm="BN", freeze_at=freeze_at)
    frozen = {name.split(".")[0] for name, p in net.named_parameters() if not p.requires_grad}
    statistics = {name.split(".")[0] for name, m in net.named_modules() if isinstance(m, FrozenBatchNorm2d)}
    assert frozen == statistics == fixed


def test_frozen_norm_stores_exactly_four_buffers():
    norm = ResNet(18, out_features=("stem",)).stem.conv1.norm
    assert set(norm.state_dict()) == {"weight", "bias", "running_mean", "running_var"}
    assert list(norm.parameters()) == []
    assert norm.eps == 1e-5


def test_fresh_net_keeps_the_size_of_its_signal():
    maps = ResNet(50, norm="BN", freeze_at=0).train()(torch.randn(2, 3, 64, 64))
    assert 0.1 < maps["res5"].std() < 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"depth": 42}, r"ResNet\(depth=\) expects one of \(18, 34, 50, 101, 152\)\. Got 42\."),
        ({"depth": 18, "width_per_group": 128}, r"ResNet\(width_per_group=\) expects 64 at depth 18.* Got 128\."),
        ({"out_features": ("res6",)}, r"ResNet\(out_features=\) expects names of .* Got \('res6',\)\."),
        ({"out_features": ()}, r"ResNet\(out_features=\) expects names of .* Got \(\)\."),
        ({"norm": "GN"}, r"ResNet\(norm=\) expects one of \('FrozenBN', 'BN'\)\. Got 'GN'\."),
    ],
)
def test_impossible_nets_are_refused(arguments, message):
    with pytest.raises(HostConfigError, match=f"^{message}$"):
        ResNet(**arguments)


def test_rename_refuses_foreign_weights():
    with pytest.raises(ValueError, match=r"expects entries of a torchvision ResNet\. Got 'features\.0\.weight'\.$"):
        torchvision_to_detectron2({"features.0.weight": torch.zeros(1)})
