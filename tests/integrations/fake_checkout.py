"""Folders laid out like checkouts of detrex and detectron2, a few lines each, for what needs neither.

``detrex`` decides as the real one does whether its deformable attention exists: by importing its operator.
"""

from pathlib import Path
from textwrap import dedent

from dsct_detrex.integrations.detrex import live_hosts

LAYER = """
    try:
        from detrex import _C
    except ImportError:
        MultiScaleDeformableAttention = None
    else:
        MultiScaleDeformableAttention = _C
"""
COMPILED = """
    compiled = True
    def ms_deform_attn_forward(*arguments): return arguments[0]
    def ms_deform_attn_backward(*arguments): return arguments[:3]
"""
CONFIG = """
    from dsct_detrex.config.building import instantiate
    from dsct_detrex.config.lazy import LazyCall, LazyConfig
"""
SHAPES = """
    from dataclasses import dataclass
    @dataclass
    class ShapeSpec:
        channels: int
"""
MODELING = """
    from torch import nn
    class Host(nn.Module):
        def __init__(self, **arguments):
            super().__init__()
            self.arguments = arguments
"""
MODEL = """
    from detectron2.config import LazyCall as L
    from detectron2.layers import ShapeSpec
    from projects.detr.modeling import Host
    model = L(Host)(
        num_queries=900,
        num_classes=80,
        with_box_refine=False,
        as_two_stage=False,
        transformer=dict(attention_type="RCDA", decoder=dict(group_nums=11)),
        neck=L(dict)(input_shapes={"res3": ShapeSpec(channels=512), "res4": ShapeSpec(channels=1024)}),
        criterion=L(Host)(num_classes="${..num_classes}"),
        device="cuda",
    )
"""


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text))


def detrex_checkout(root: Path, compiled: bool = False, projects: bool = True) -> Path:
    """A checkout with the folders ``detrex`` and ``projects`` and an unfetched submodule ``detectron2``."""
    write(root / "detrex/__init__.py", "from detrex import layers")
    write(root / "detrex/layers/__init__.py", "from detrex.layers import multi_scale_deform_attn")
    write(root / "detrex/layers/multi_scale_deform_attn.py", LAYER)
    (root / "detectron2").mkdir()
    if compiled:
        write(root / "detrex/_C.py", COMPILED)
    if projects:
        write(root / "projects/detr/modeling/__init__.py", MODELING)
        for source in live_hosts().values():
            project, file = source.config.split("/")
            write(root / f"projects/{project}/configs/models/{file}.py", MODEL)
    return root


def detectron2_checkout(root: Path) -> Path:
    write(root / "detectron2/__init__.py")
    write(root / "detectron2/config.py", CONFIG)
    write(root / "detectron2/layers.py", SHAPES)
    return root
