"""The authors' code of DSCT, where the user has it: imported as it is, with weights that ours can take over.

It is a folder of scripts whose packages are called ``models`` and ``util``, so it goes to the front of ``sys.path``
while it is imported. Three things are put in its way: ImageNet weights are not downloaded, a missing IPython (imported
for debugging) is an empty module, and where its CUDA operator was never compiled its own PyTorch formulation,
``ms_deform_attn_core_pytorch``, computes instead.

Source: github.com/Sampson-Lee/DSCT; nothing of it is copied here. The numbers of ``ARGUMENTS`` are those of its
``main.py`` and of the paper (4.1), as in our ``configs/common/dsct.py``.
"""

from __future__ import annotations

import copy
import importlib
import importlib.util
import math
import sys
import warnings
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.bench.models import SUBJECTS, liven
from dsct_detrex.errors import UserError

CONTEXTS = 300
"""Its number of contexts, a literal in its source."""

LOSS_WEIGHTS = {"loss_ce": 5.0, "loss_bbox": 5.0, "loss_giou": 2.0}

ARGUMENTS: dict[str, Any] = dict(
    detr="deformable_detr_dsct",
    model="deformable_transformer_dsct",
    dataset_file="caer",
    binary_flag=0,
    device="cpu",
    backbone="resnet50",
    dilation=False,
    masks=False,
    frozen_weights=None,
    lr_backbone=2e-5,
    position_embedding="sine",
    num_feature_levels=4,
    hidden_dim=256,
    nheads=8,
    enc_layers=6,
    dec_layers=6,
    dim_feedforward=1024,
    dropout=0.1,
    enc_n_points=4,
    dec_n_points=4,
    dec_n_sp=100,
    dec_n_sm=50,
    num_queries=SUBJECTS,
    two_stage=False,
    with_box_refine=False,
    aux_loss=True,
    set_cost_class=2.0,
    set_cost_bbox=5.0,
    set_cost_giou=2.0,
    cls_loss_coef=LOSS_WEIGHTS["loss_ce"],
    bbox_loss_coef=LOSS_WEIGHTS["loss_bbox"],
    giou_loss_coef=LOSS_WEIGHTS["loss_giou"],
    em_loss_coef=5.0,
    mask_loss_coef=1.0,
    dice_loss_coef=1.0,
    focal_alpha=0.25,
)

_OPERATOR = "MultiScaleDeformableAttention"
_PACKAGES = ("models", "util")
_SEED = 0


CLIP = 0.1
LEARNING_RATE = 2e-4
_SLOW = ("backbone.0", "reference_points", "sampling_offsets")
"""Parts of names of what learns at a tenth of the rate."""

TrainStep = Callable[[Any, Any], Tensor]


class Official:
    """The imported code.

    Attributes:
        note: which operator it computes with.

    Raises:
        UserError: it cannot be imported; says why.
    """

    def __init__(self, folder: Path) -> None:
        with _importable(folder):
            try:
                self._models = importlib.import_module("models")
                self._backbone = importlib.import_module("models.backbone")
                self._attention = importlib.import_module("models.ops.modules.ms_deform_attn")
                self._functions = importlib.import_module("models.ops.functions.ms_deform_attn_func")
                importlib.import_module(f"models.{ARGUMENTS['detr']}")
                self._misc = importlib.import_module("util.misc")
            except ImportError as error:
                raise UserError(f"bench: the official code in {folder} cannot be imported: {error}.") from error
        self.compiled = hasattr(sys.modules[_OPERATOR], "ms_deform_attn_forward")
        if not self.compiled:
            self._attention.MSDeformAttnFunction = _PlainOperator(self._functions)  # type: ignore[attr-defined]
        self._prototype: tuple[nn.Module, nn.Module] | None = None
        self.note = "its compiled operator" if self.compiled else "its own PyTorch operator (not compiled)"

    def build(self, device: torch.device) -> tuple[nn.Module, nn.Module]:
        """Its model and its criterion, always with the same weights."""
        if self._prototype is None:
            self._prototype = self._built(device)
        model, criterion = copy.deepcopy(self._prototype)
        return model.to(device), criterion

    def _built(self, device: torch.device) -> tuple[nn.Module, nn.Module]:
        torch.manual_seed(_SEED)
        self._backbone.is_main_process = lambda: False  # type: ignore[attr-defined]  # else it downloads weights
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is written for an older torchvision
            model, criterion, _ = self._models.build_model(Namespace(**ARGUMENTS | {"device": str(device)}))
        liven(model)
        return model.eval(), criterion

    def nested(self, images: Tensor) -> Any:
        """(B, 3, H, W) normalised images of one size as its model reads them."""
        return self._misc.nested_tensor_from_tensor_list(list(images))

    def train_step(self, model: nn.Module, criterion: nn.Module, optimizer: torch.optim.Optimizer) -> TrainStep:
        """What its ``engine.train_one_epoch`` does with a batch, logging aside."""

        def step(samples: Any, targets: Any) -> Tensor:
            losses = self.loss(model, criterion, samples, targets)
            if not math.isfinite(losses.item()):
                raise UserError("bench: the official code's loss is not finite.")
            optimizer.zero_grad()
            losses.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            return losses.detach()

        return step

    @staticmethod
    def groups(model: nn.Module) -> list[dict[str, Any]]:
        """Parameters for its optimizer."""
        learning = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        slow = [p for name, p in learning if any(part in name for part in _SLOW)]
        usual = [p for name, p in learning if not any(part in name for part in _SLOW)]
        return [{"params": usual}, {"params": slow, "lr": 0.1 * LEARNING_RATE}]

    @staticmethod
    def loss(model: nn.Module, criterion: nn.Module, samples: Any, targets: Any) -> Tensor:
        """The weighted sum that it trains on."""
        found = criterion(model(samples), targets)
        weights: Any = criterion.weight_dict
        return torch.stack([found[name] * weights[name] for name in found if name in weights]).sum()

    def operator(self, value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
        """Its operator; arguments and result as in ``ops.multi_scale_deformable_attn``."""
        function = self._attention.MSDeformAttnFunction
        output: Tensor = function.apply(value, shapes, starts, locations, weights, 64)
        return output


@cache
def load_official(folder: Path) -> Official:
    """The code of a folder, imported once."""
    return Official(folder)


class _PlainOperator:
    """Stands where the function of the compiled operator would be called."""

    def __init__(self, functions: ModuleType) -> None:
        self._compute = functions.ms_deform_attn_core_pytorch

    def apply(
        self, value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor, step: int
    ) -> Tensor:
        output: Tensor = self._compute(value, shapes, locations, weights)
        return output


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Its folder first on the path, and what it imports without needing it."""
    taken = [name for name in _PACKAGES if name in sys.modules]
    if taken:
        raise UserError(f"bench: the official code needs the name {taken[0]!r}, which another package has taken.")
    for name in (_OPERATOR, "IPython"):
        if name in sys.modules or importlib.util.find_spec(name):
            continue
        empty = ModuleType(name)
        empty.embed = None  # type: ignore[attr-defined]
        # It stays, for the code imports it in functions too; what others ask of a shell, it answers like a new one.
        empty.version_info, empty.get_ipython = (9, 0), lambda: None  # type: ignore[attr-defined]
        sys.modules[name] = empty
    sys.path.insert(0, str(folder))
    try:
        yield
    except UserError:
        for name in [name for name in sys.modules if name.split(".")[0] in _PACKAGES]:
            del sys.modules[name]
        raise
    finally:
        sys.path.remove(str(folder))
