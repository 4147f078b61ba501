"""Embedded hosts: detrex's detection transformers, rebuilt under its names, without detrex or detectron2."""

from dsct_detrex.hosts.deformable_decoder import DeformableDetrTransformerDecoder
from dsct_detrex.hosts.deformable_detr import DeformableDETR
from dsct_detrex.hosts.deformable_encoder import DeformableDetrTransformerEncoder
from dsct_detrex.hosts.deformable_transformer import DeformableDetrTransformer
from dsct_detrex.hosts.dino import DINO
from dsct_detrex.hosts.dino_transformer import DINOTransformer, DINOTransformerDecoder, DINOTransformerEncoder
from dsct_detrex.hosts.errors import HostConfigError
from dsct_detrex.hosts.host import FeatureMaps, Host
from dsct_detrex.hosts.resnet import ResNet, resnet_shapes
from dsct_detrex.hosts.torchvision_names import torchvision_to_detectron2

__all__ = [
    "DINO",
    "DINOTransformer",
    "DINOTransformerDecoder",
    "DINOTransformerEncoder",
    "DeformableDETR",
    "DeformableDetrTransformer",
    "DeformableDetrTransformerDecoder",
    "DeformableDetrTransformerEncoder",
    "FeatureMaps",
    "Host",
    "HostConfigError",
    "ResNet",
    "resnet_shapes",
    "torchvision_to_detectron2",
]
