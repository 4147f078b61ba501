"""Channels last under trained batch norms: the same maps, statistics and gradients, in the other layout."""

import copy

import torch
from torch import nn

from dsct_detrex.hosts import ResNet
from dsct_detrex.rewrites import rewrite


def backbone(norm: str = "BN") -> ResNet:
    torch.manual_seed(0)
    return ResNet(18, out_features=("res2", "res3"), freeze_at=0, norm=norm).train()


def test_a_training_step_is_the_same():
    plain = backbone()
    turned, images = copy.deepcopy(plain), torch.randn(2, 3, 40, 56)
    assert rewrite(turned, "batch_norm").counts == {"batch_norm": 10}
    maps = [model(images) for model in (plain, turned)]
    assert maps[1]["res3"].is_contiguous(memory_format=torch.channels_last)
    for name, expected in maps[0].items():
        torch.testing.assert_close(maps[1][name], expected, rtol=1e-5, atol=5e-5)
    for found in maps:
        sum(x.square().mean() for x in found.values()).backward()
    for mine, theirs in zip(turned.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-3, atol=1e-4)
        assert mine.is_contiguous()
    for mine, theirs in zip(turned.buffers(), plain.buffers(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6)


def test_in_evaluation_the_layout_is_left_alone():
    model = backbone().eval()
    rewrite(model, "batch_norm")
    assert model(torch.randn(1, 3, 40, 56))["res3"].is_contiguous()


def test_only_convolutions_with_a_trained_norm_below_them():
    assert not rewrite(backbone("FrozenBN"), "batch_norm").counts
    assert not rewrite(nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)), "batch_norm").counts
