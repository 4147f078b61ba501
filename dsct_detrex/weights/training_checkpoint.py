"""What the entries of this package's training checkpoints (``last.pth``, see ``engine/checkpoint.py``) are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from dsct_detrex.errors import UserError
from dsct_detrex.weights.kinds import NOTHING, wrong_kind

FORMAT: Final = "dsct_detrex.resume.1"

_ENTRIES: Final[dict[str, tuple[type, ...]]] = {
    "iteration": (int,),
    "max_iter": (int,),
    "evaluated_at": (int,),
    "model": (Mapping,),
    "optimizer": (Mapping,),
    "optimizer_names": (list,),
    "scaler": (Mapping,),
    "ema": (Mapping, NOTHING),
    "best": (Mapping,),
    "rng": (list,),
    "loader": (list,),
    "losses": (list,),
    "wandb_run_id": (str, NOTHING),
    "config": (Mapping,),
    "seconds": (float, int),
    "measured": (Mapping,),
    "teacher": (str, NOTHING),
}
_BEST: Final[dict[str, tuple[type, ...]]] = {"metric": (str,), "value": (float, int, NOTHING), "iteration": (int,)}
_CONFIG: Final = dict.fromkeys(("model", "train", "dataloader", "optimizer", "emotions"), (Mapping, NOTHING))


def check_entries(content: Mapping[Any, Any], path: Path) -> None:
    """Of the entries that are there, each is what it should be.

    Args:
        content: of a file whose ``format`` is ``FORMAT``.

    Raises:
        UserError: names the first that is something else.
    """
    wrong = wrong_kind(content, _ENTRIES)
    for name, kinds in (("best", _BEST), ("config", _CONFIG)):
        wrong = wrong or wrong_kind(content.get(name, {}), kinds)
    if wrong is not None:
        raise UserError(
            f"The training checkpoint {path} is damaged: {wrong}. Take last.prev.pth beside it, or copy it again."
        )
