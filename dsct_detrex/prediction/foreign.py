"""Checkpoints that cannot predict alone: whose they are, what they lack, and the command that gets there."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dsct_detrex.cli.invocation import spoken
from dsct_detrex.errors import UserError
from dsct_detrex.weights import CheckpointFile, convert, likely_host
from dsct_detrex.weights.formats import FORMATS
from dsct_detrex.weights.signatures import HOSTS

_HOSTS: Final = ("detrex", "detr_official", "deformable_detr_official")
_BACKBONES: Final = ("detectron2_resnet", "torchvision_resnet")


def foreign(file: Path, checkpoint: CheckpointFile) -> UserError:
    """The sentence for weights without label set and config.

    Args:
        checkpoint: neither a release nor a training checkpoint of ours.
    """
    kind = checkpoint.kind
    if kind in _HOSTS:
        host = likely_host(convert(checkpoint.state_dict).state_dict)
        whose = FORMATS[kind] + (f" ({HOSTS[host]})" if host else "")
        lack, how = "finds objects and no emotions", f"train DSCT from it: {train_from(host, file)}"
    elif kind in _BACKBONES:
        whose, lack, how = FORMATS[kind], "finds nobody", f"train DSCT from it: {train_from('dino', file)}"
    elif kind in ("dsct", "dsct_official"):
        whose, lack = FORMATS[kind], "holds weights without their label set and config"
        host = likely_host(convert(checkpoint.state_dict).state_dict)
        how = f"start a training from it, which leaves a file that has all: {train_from(host, file)}"
    else:
        whose, lack, how = FORMATS["unknown"], "says nothing here", "give the best.safetensors of a run"
    return UserError(f"checkpoint: {file} is of {whose} and {lack}; {how}")


def train_from(host: str | None, file: Path) -> str:
    """The command that starts from ``file``; its project is that of the host, or of the host's kind."""
    host = host or "deformable_detr"
    kind = host.removesuffix("_two_stage").removesuffix("_box_refine")
    choice = [] if kind == host else [f"host.name={host}"]
    return spoken("train", ["--config", f"{kind}_dsct", *choice, f"train.init_checkpoint={file}"])
