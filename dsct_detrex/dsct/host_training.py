"""Which parameters of a host train under DSCT's losses, and which rest.

Emotion training reaches a host through its decoder layers, queries, encoder and backbone. It does not reach

* class and box heads: contexts are never classified, and their boxes only steer references, detached (DETR's box head
  is read once a layer for the distances of Eq. 6, without gradient);
* the projection in front of a first stage, ``enc_output`` and its norm, for proposals enter the decoder detached;
* the label tables of the host's own denoising, unless the contexts' contents are read from them (DN-DETR);
* the token samplers of PnP-DETR and Focus-DETR, which learn from a loss inside their own ``forward``;
* the map of row and column positions of Anchor-DETR where its attention is an ordinary one, which has no use for it.

These are *dead*: their gradient is None or exactly zero, measured on every host. They are frozen, because a parameter
without gradient stops plain DistributedDataParallel, and one with a zero gradient still shrinks under weight decay. A
table of which only some rows are read (the one-to-many rows of H-Deformable-DETR) trains as a whole: the rest of it has
zero gradients. ``docs/training-hosts.md`` has what follows from all this.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final, Literal, get_args

from torch import nn

from dsct_detrex.errors import UserError

Dead = Literal["freeze", "train"]

_HEADS: Final = r"(^|\.)(class_embed|bbox_embed)\."
_FIRST_STAGE: Final = r"^transformer\.enc_output(_norm)?\."
_DENOISING: Final = r"^(label_enc|denoising_generator)\."
_SAMPLERS: Final = r"^transformer\.(sampler\.score_pred_net\.|enc_mask_predictor\.|alpha$)"
_ROW_AND_COLUMN: Final = r"^transformer\.adapt_pos1d\."


class HostTrainingError(UserError, ValueError):
    """A switch of ``HostTraining`` names nothing that the host has."""


class HostTraining:
    """What of a host trains. A lower rate instead of none is a rule of the optimizer (``configs/common/optim.py``).

    Args:
        frozen: modules or parameters of the host that are frozen besides, by dotted name within it, with ``*`` and
            ``?`` as wildcards; what a name stands above is frozen with it: ``backbone``, ``transformer.encoder``,
            ``transformer.*coder.layers.0``.
        dead: ``freeze`` the parameters that receive no gradient, or let them ``train`` on nothing.

    Raises:
        ValueError: another value of ``dead``, or ``frozen`` is one text instead of a list.
    """

    def __init__(self, frozen: Sequence[str] = (), dead: Dead = "freeze") -> None:
        if dead not in get_args(Dead):
            raise ValueError(f"HostTraining(dead=) expects {' or '.join(get_args(Dead))}. Got {dead!r}.")
        if isinstance(frozen, str):
            raise ValueError(f"HostTraining(frozen=) expects a list of names. Got the text {frozen!r}.")
        self.frozen = tuple(frozen)
        self.dead = dead

    def apply(self, host: nn.Module, alive: Collection[nn.Module] = ()) -> None:
        """Switch off ``requires_grad`` where nothing is to train; nothing is ever switched on.

        Args:
            alive: modules that a loss of their own trains; not dead, whatever they are.

        Raises:
            HostTrainingError: a name of ``frozen`` is found nowhere in the host; the message has those that look alike.
        """
        resting = [parameter for name in self.frozen for parameter in _named(host, name)]
        if self.dead == "freeze":
            spared = {parameter for module in alive for parameter in module.parameters()}
            resting += [parameter for parameter in dead_parameters(host) if parameter not in spared]
        for parameter in resting:
            parameter.requires_grad_(False)


def dead_parameters(host: nn.Module) -> list[nn.Parameter]:
    """Parameters of a host that receive no gradient, or a zero one, from DSCT's losses."""
    patterns = [_HEADS, _FIRST_STAGE, _SAMPLERS]
    # A host that learns or proposes its contents needs its label table for its own denoising only.
    if hasattr(host, "label_enc") or hasattr(host, "tgt_embed"):
        patterns.append(_DENOISING)
    first_layer = next(iter(getattr(getattr(host, "transformer", None), "decoder_layers", ())), None)
    if isinstance(getattr(first_layer, "cross_attn", None), nn.MultiheadAttention):
        patterns.append(_ROW_AND_COLUMN)
    dead = re.compile("|".join(patterns))
    return [parameter for name, parameter in host.named_parameters(remove_duplicate=False) if dead.search(name)]


def _named(host: nn.Module, pattern: str) -> list[nn.Parameter]:
    """The parameters at and below a name."""
    wanted = pattern.removeprefix("host.")  # as the optimizer's rules and the checkpoints call it
    found, places = [], {}
    for name, parameter in host.named_parameters(remove_duplicate=False):
        above = list(_prefixes(name))
        places.update(dict.fromkeys(above))
        if any(fnmatchcase(place, wanted) for place in above):
            found.append(parameter)
    if not found:
        hint = _alike(wanted, list(places))
        raise HostTrainingError(
            f"HostTraining(frozen=) expects names of modules or parameters of the host {type(host).__name__}. "
            f"Got {pattern!r}, which it does not have.{hint}"
        )
    return found


def _prefixes(name: str) -> Iterator[str]:
    """``a.b.c`` -> ``a``, ``a.b``, ``a.b.c``."""
    parts = name.split(".")
    return (".".join(parts[: length + 1]) for length in range(len(parts)))


def _alike(name: str, places: list[str]) -> str:
    same_end = [place for place in places if place.endswith(f".{name.rpartition('.')[2]}")]
    alike = dict.fromkeys([*get_close_matches(name, places, n=3, cutoff=0.7), *sorted(same_end, key=len)])
    top = dict.fromkeys(place.split(".")[0] for place in places)
    if not alike:
        return f" Its parts are {', '.join(top)}."
    return f" Did you mean {' or '.join(repr(place) for place in list(alike)[:3])}?"
