"""Which proposals an exported file takes, beside PyTorch's: ``python -m tests.export.proposals [--full] [HOST ...]``.

A two-stage host proposes its best-scored tokens, so rounding may take another token where two score nearly the same.
For every host there is a row: proposals in all pictures, how many of them only one of the two takes, how many both take
but at another rank, how far the scores of the two tokens at such a rank are apart at most (of PyTorch's logits), the
largest difference of any box, score or probability; and that difference once more where both are made to take the same
tokens, whatever these score.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import onnxruntime
import torch
from torch import Tensor

from dsct_detrex.dsct import DSCT
from dsct_detrex.export import PeopleOfPictures, onnx_file, tracing, write_onnx
from dsct_detrex.export.checking import BATCHES, agreement
from dsct_detrex.export.function import OUTPUTS
from dsct_detrex.hosts.deta_transformer import DETATransformer
from dsct_detrex.hosts.multi_scale_transformer import MultiScaleTransformer
from tests.dsct.tiny import HOSTS, tiny_dsct
from tests.export.measure import full_dsct
from tests.export.test_hosts import BATCHES as SMALL_BATCHES
from tests.export.test_hosts import HEADER

EAGER = ((MultiScaleTransformer, "choose"), (DETATransformer, "choose"))
TRACED = ((tracing, "choose_best"), (tracing, "choose_by_level_shares"))


@contextmanager
def recording() -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Within the block, what any host chooses is written down, traced or not: (B, M) tokens, (B, S) their scores."""
    chosen: list[tuple[Tensor, Tensor]] = []
    with ExitStack() as stack:
        for owner, name in EAGER:
            plain = getattr(owner, name)

            def choose(self: Any, logits: Tensor, *rest: Any, plain: Any = plain) -> Tensor:
                tokens: Tensor = plain(self, logits, *rest)
                chosen.append((tokens, self.proposal_scores(logits)))
                return tokens

            stack.enter_context(mock.patch.object(owner, name, choose))
        yield chosen


@contextmanager
def fixed() -> Iterator[None]:
    """Within the block, every host takes its first tokens, whatever they score."""

    def choose(self: Any, logits: Tensor, *_: Any) -> Tensor:
        first = torch.arange(self.two_stage_num_proposals, device=logits.device)
        return torch.zeros_like(logits[:, : self.two_stage_num_proposals, 0], dtype=torch.int64) + first

    with ExitStack() as stack:
        for owner, name in (*EAGER, *TRACED):
            stack.enter_context(mock.patch.object(owner, name, choose))
        yield


class WithProposals(PeopleOfPictures):
    """The exported function, which tells the tokens that it chose, too."""

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        with recording() as chosen:
            outputs = super().forward(images)
        return (*outputs, chosen[-1][0])


class Exported:
    """A file of ``WithProposals`` as a function of pictures; keeps what was chosen."""

    def __init__(self, model: DSCT, path: Path) -> None:
        names = (*OUTPUTS, "chosen")
        with (
            mock.patch.object(onnx_file, "PeopleOfPictures", WithProposals),
            mock.patch.object(onnx_file, "OUTPUTS", names),
            mock.patch.dict(onnx_file._FREE, {"chosen": {0: "batch"}}),
        ):
            write_onnx(model, path, HEADER)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        self._session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
        self.chosen: list[Tensor] = []

    def __call__(self, images: Tensor) -> list[Tensor]:
        *outputs, chosen = self._session.run(None, {"images": images.numpy()})
        self.chosen.append(torch.from_numpy(chosen))
        return [torch.from_numpy(array) for array in outputs]


def row(name: str, model: DSCT, batches: Sequence[tuple[int, int, int]]) -> str:
    """What the module says of one host."""
    with tempfile.TemporaryDirectory() as folder:
        file = Exported(model, Path(folder) / "a.onnx")
        with recording() as ours:
            found = agreement(model, file, batches)
    total = only_one = moved = 0
    gaps = []
    for (tokens, scores), theirs in zip(ours, file.chosen, strict=True):
        for mine, other, of_picture in zip(tokens, theirs, scores):
            total += len(mine)
            common = set(mine.tolist()) & set(other.tolist())
            only_one += len(mine) - len(common)
            elsewhere = mine != other
            moved += int(elsewhere.sum()) - (len(mine) - len(common))
            gaps += (of_picture[mine] - of_picture[other]).abs()[elsewhere].tolist()
    gap = f"{max(gaps):.0e}" if gaps else "-"
    with tempfile.TemporaryDirectory() as folder, fixed():
        same = agreement(model, Exported(model, Path(folder) / "a.onnx"), batches)
    return f"| {name} | {total} | {only_one} | {moved} | {gap} | {found.largest:.0e} | {same.largest:.0e} |"


def main(words: list[str]) -> None:
    """A row for each host that is named, or each two-stage host."""
    full = "--full" in words
    for name in [word for word in words if not word.startswith("--")] or HOSTS:
        torch.manual_seed(0)
        model = (full_dsct if full else tiny_dsct)(name).eval()
        if getattr(getattr(model.host, "transformer", None), "as_two_stage", False):
            print(row(name, model, BATCHES if full else SMALL_BATCHES), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
