"""torchvision's ResNets as a backbone, under torchvision's names, as Anchor DETR uses them.

Source: He et al., arXiv:1512.03385; keywords of ``detrex.modeling.backbone.TorchvisionResNet``.
"""

from collections.abc import Mapping

import torchvision
from torch import Tensor, nn
from torchvision.ops import FrozenBatchNorm2d

from dsct_detrex.hosts.errors import HostConfigError

STAGES = ("layer1", "layer2", "layer3", "layer4")
TRAINED = STAGES[1:]


class TorchvisionResNet(nn.Module):
    """A ResNet with frozen norms whose stem and first stage are fixed; below ``body`` live torchvision's own parts.

    Args:
        name: of a ResNet in ``torchvision.models``: "resnet50", "wide_resnet50_2", ...
        train_backbone: whether the last three stages are trained.
        return_layers: name of each wanted stage to the name of its map; stages behind the last one are dropped.
        dilation: the last stage keeps stride 16 and widens its convolutions instead ("DC5"); from resnet50 on.

    Raises:
        HostConfigError: no such ResNet, no such stage, or a dilated ResNet-18 or -34.
    """

    def __init__(
        self,
        name: str = "resnet50",
        train_backbone: bool = True,
        return_layers: Mapping[str, str] | None = None,
        dilation: bool = False,
    ) -> None:
        super().__init__()
        self.return_layers = {"layer4": "res5"} if return_layers is None else dict(return_layers)
        _check(name, self.return_layers, dilation)
        net = torchvision.models.get_model(
            name,
            weights=None,
            norm_layer=FrozenBatchNorm2d,
            replace_stride_with_dilation=[False, False, dilation],
        )
        last = max(STAGES.index(stage) for stage in self.return_layers)
        self.body = nn.Sequential()
        for part in ("conv1", "bn1", "relu", "maxpool", *STAGES[: last + 1]):
            self.body.add_module(part, getattr(net, part))
            self.body.get_submodule(part).requires_grad_(train_backbone and part in TRAINED)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """(B, 3, H, W) normalised images to the wanted maps, each (B, channels, H / stride, W / stride)."""
        maps, x = {}, images
        for part, module in self.body.named_children():
            x = module(x)
            if part in self.return_layers:
                maps[self.return_layers[part]] = x
        return maps


def torchvision_channels(name: str) -> int:
    """Channels of the last map of a torchvision ResNet, for an ``in_channels`` in a config.

    Args:
        name: of the ResNet.

    Raises:
        HostConfigError: no such ResNet.
    """
    _check(name, {"layer4": "res5"}, dilation=False)
    return 512 if name in ("resnet18", "resnet34") else 2048


def _check(name: str, return_layers: Mapping[str, str], dilation: bool) -> None:
    known = [model for model in torchvision.models.list_models(torchvision.models) if "resne" in model]
    if name not in known:
        raise HostConfigError(f"TorchvisionResNet(name=) expects one of {', '.join(known)}. Got {name!r}.")
    if not return_layers or not set(return_layers) <= set(STAGES):
        raise HostConfigError(
            f"TorchvisionResNet(return_layers=) expects stages of {STAGES} as keys. Got {dict(return_layers)}."
        )
    if dilation and name in ("resnet18", "resnet34"):
        raise HostConfigError(f"TorchvisionResNet(dilation=True) expects resnet50 or a deeper one. Got {name!r}.")
