"""Embedded hosts: detrex's detection transformers, rebuilt under its names, without detrex or detectron2."""

from dsct_detrex.hosts.anchor_detr import AnchorDETR
from dsct_detrex.hosts.anchor_detr_transformer import AnchorDETRTransformer
from dsct_detrex.hosts.conditional_detr import ConditionalDETR
from dsct_detrex.hosts.conditional_detr_transformer import (
    ConditionalDetrTransformer,
    ConditionalDetrTransformerDecoder,
    ConditionalDetrTransformerEncoder,
)
from dsct_detrex.hosts.dab_deformable_detr import DabDeformableDETR
from dsct_detrex.hosts.dab_deformable_transformer import (
    DabDeformableDetrTransformer,
    DabDeformableDetrTransformerDecoder,
    DabDeformableDetrTransformerEncoder,
)
from dsct_detrex.hosts.dab_detr import DABDETR
from dsct_detrex.hosts.dab_detr_transformer import (
    DabDetrTransformer,
    DabDetrTransformerDecoder,
    DabDetrTransformerEncoder,
)
from dsct_detrex.hosts.deformable_decoder import DeformableDetrTransformerDecoder
from dsct_detrex.hosts.deformable_detr import DeformableDETR
from dsct_detrex.hosts.deformable_encoder import DeformableDetrTransformerEncoder
from dsct_detrex.hosts.deformable_transformer import DeformableDetrTransformer
from dsct_detrex.hosts.deta import DETA
from dsct_detrex.hosts.deta_transformer import DETATransformer
from dsct_detrex.hosts.detr import DETR
from dsct_detrex.hosts.detr_transformer import DetrTransformer, DetrTransformerDecoder, DetrTransformerEncoder
from dsct_detrex.hosts.dino import DINO
from dsct_detrex.hosts.dino_transformer import DINOTransformer, DINOTransformerDecoder, DINOTransformerEncoder
from dsct_detrex.hosts.dn_detr import DNDETR
from dsct_detrex.hosts.dn_detr_transformer import (
    DNDetrTransformer,
    DNDetrTransformerDecoder,
    DNDetrTransformerEncoder,
)
from dsct_detrex.hosts.errors import HostConfigError
from dsct_detrex.hosts.h_deformable_detr import HDeformableDETR
from dsct_detrex.hosts.h_deformable_transformer import (
    HDeformableDetrTransformer,
    HDeformableDetrTransformerDecoder,
    HDeformableDetrTransformerEncoder,
)
from dsct_detrex.hosts.host import FeatureMaps, Host
from dsct_detrex.hosts.resnet import ResNet, resnet_channels, resnet_shapes
from dsct_detrex.hosts.torchvision_names import torchvision_to_detectron2
from dsct_detrex.hosts.torchvision_resnet import TorchvisionResNet, torchvision_channels

__all__ = [
    "DABDETR",
    "DETA",
    "DETR",
    "DINO",
    "DNDETR",
    "AnchorDETR",
    "AnchorDETRTransformer",
    "ConditionalDETR",
    "ConditionalDetrTransformer",
    "ConditionalDetrTransformerDecoder",
    "ConditionalDetrTransformerEncoder",
    "DETATransformer",
    "DINOTransformer",
    "DINOTransformerDecoder",
    "DINOTransformerEncoder",
    "DNDetrTransformer",
    "DNDetrTransformerDecoder",
    "DNDetrTransformerEncoder",
    "DabDeformableDETR",
    "DabDeformableDetrTransformer",
    "DabDeformableDetrTransformerDecoder",
    "DabDeformableDetrTransformerEncoder",
    "DabDetrTransformer",
    "DabDetrTransformerDecoder",
    "DabDetrTransformerEncoder",
    "DeformableDETR",
    "DeformableDetrTransformer",
    "DeformableDetrTransformerDecoder",
    "DeformableDetrTransformerEncoder",
    "DetrTransformer",
    "DetrTransformerDecoder",
    "DetrTransformerEncoder",
    "FeatureMaps",
    "HDeformableDETR",
    "HDeformableDetrTransformer",
    "HDeformableDetrTransformerDecoder",
    "HDeformableDetrTransformerEncoder",
    "Host",
    "HostConfigError",
    "ResNet",
    "TorchvisionResNet",
    "resnet_channels",
    "resnet_shapes",
    "torchvision_channels",
    "torchvision_to_detectron2",
]
