"""Table 13: features of frozen networks (scene, semantic segmentation, instances) beside the host's own."""

from dsct_detrex.modalities.frozen_network import FrozenNetwork
from dsct_detrex.modalities.frozen_trunk import FrozenTrunk
from dsct_detrex.modalities.memory import ModalityMemory

__all__ = ["FrozenNetwork", "FrozenTrunk", "ModalityMemory"]
