"""The long commands at tiny sizes, stopped at each change of the disk by Ctrl-C, SIGTERM or kill -9, and given again.

Nothing is half-written, what is said of it is one sentence of the status that the signal has, and the same command then
ends as one that was never stopped. ``python -m tests.reliability.commands`` tries every moment of every command.
"""

from __future__ import annotations

import argparse
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from dsct_detrex.cli.running import run_command
from dsct_detrex.data.synthetic.writer import write_dataset
from dsct_detrex.evaluation import protocols
from dsct_detrex.explain.reading import Reading
from tests.prediction.tiny_release import tiny_config, write_release
from tests.reliability.striking import spread, strike
from tests.reliability.whole import left_behind, results, torn

STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -signal.SIGKILL}
GIVEN = "given"
"""The folder of what commands read."""


@dataclass(frozen=True)
class Case:
    """One command.

    Attributes:
        words: the command line; ``{given}`` and ``{out}`` are folders.
        again: what is added to go on, as the command says.
        varies: files whose content has a time in it, so that they are not compared.
        needs_folder: whether the folder of its results has to be there.
    """

    words: str
    again: str = ""
    varies: Sequence[str] = ()
    needs_folder: bool = False

    def line(self, given: Path, out: Path, goes_on: bool) -> list[str]:
        """The words of the command, its name first."""
        words = f"{self.words} {self.again if goes_on else ''}".split()
        return [word.format(given=given, out=out) for word in words]


_DRAWN = "--device cpu dataloader.test.num_workers=0 dataloader.test.dataset.size=[64,48]"
_FOUR = f"{_DRAWN} dataloader.test.dataset.length=4"
_FEW = "--out {out} --train 2 --val 1 --test 1 --size 64 48"
_SEEN = "--images 2 --people 1 --threshold 0 --device cpu --dpi 40 --figure predictions"
CASES = {
    "eval": Case(
        f"eval {{given}}/best.safetensors {_FOUR} train.output_dir={{out}}",
        varies=["log.txt", "report_val.html", "evaluation_val.json"],
    ),
    "predict": Case(
        "predict {given}/best.safetensors {given}/photos --out {out} --device cpu --threshold 0 --batch-size 2 "
        "--format csv,pictures",
        again="--resume",
    ),
    "calibrate": Case(
        f"calibrate {{given}}/best.safetensors {_FOUR} --out {{out}}/calibrated.safetensors",
        again="--overwrite",
        varies=["calibrated.safetensors"],
    ),
    "convert": Case("convert {given}/best.safetensors {out}/host.safetensors --to detrex"),
    "export": Case("export {given}/best.safetensors --out {out}/best.onnx", varies=["best.onnx"]),
    "explain": Case(
        "explain {given}/best.safetensors --scenes 1 --out {out} --device cpu",
        varies=["explanation.json", "explanation.md"],
    ),
    "info --fusion": Case(
        "info --fusion {given}/best.safetensors --images 1 --out {out} --device cpu", varies=["fusion.json"]
    ),
    "visualize": Case(f"visualize {{given}}/best.safetensors --out {{out}} {_SEEN}", varies=["figures.json"]),
    "generate emotic": Case(f"data generate --format emotic {_FEW}", varies=["Annotations/Annotations.mat"]),
    "generate caer_s": Case(f"data generate --format caer_s {_FEW}"),
    "generate expw": Case(f"data generate --format expw {_FEW}"),
    "data check": Case("data check --data-root {given}/caer_s --json {out}/found.json", needs_folder=True),
    "data show": Case("data show --data-root {given}/caer_s --out {out}/gallery.png", needs_folder=True),
    "dashboard": Case("dashboard --entity me --project p --out {out}/board.json"),
}


def prepared(folder: Path) -> Path:
    """What the commands read: a release, photos, a data set."""
    given = folder / GIVEN
    data = tiny_config().dataloader
    data.test.dataset.size = (64, 48)
    write_release(given / "best.safetensors", dataloader=data)
    (given / "photos").mkdir()
    for seed in range(4):
        pixels = np.random.default_rng(seed).integers(0, 255, (48, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(given / "photos" / f"{seed}.png")
    write_dataset("caer_s", given / "caer_s", {"train": 2, "val": 1, "test": 1}, size=(64, 48))
    return given


@dataclass
class Trial:
    """One command, tried at moments.

    Attributes:
        changes: of the disk that it makes when nobody stops it.
        stops: how often it was stopped.
    """

    case: Case
    given: Path
    folder: Path
    stops: int = 0

    def __post_init__(self) -> None:
        undisturbed = strike(self._work(self.folder / "whole", False), self.folder / "whole")
        assert undisturbed.status == 0, undisturbed.said
        self.changes = undisturbed.changes
        self.expected = results(self.folder / "whole")
        assert self.expected, "it writes nothing, so nothing is tried"

    def stop(self, at: int, number: int) -> None:
        """Stop it, look, go on, compare."""
        out = self.folder / f"stopped{at}_{number}"
        where = f"{self.changes[at]} at {at} by {number}"
        stopped = strike(self._work(out, False), out, at, number)
        assert stopped.status == STATUS[signal.Signals(number)], f"{where}: {stopped.said}"
        assert torn(out) == [], where
        if number != signal.SIGKILL:
            assert left_behind_but_ours(out) == [], where
            said = stopped.errors.strip().splitlines()
            assert len(said) == 1, f"{where}: {stopped.errors}"
            assert said[0].startswith("Interrupted"), said[0]
        complete = self._complete(out)
        again = strike(self._work(out, True), out)
        assert again.status == 0 or (again.status == 2 and complete), f"{where}: {again.said}"
        assert self._complete(out), f"{where}: {sorted(results(out))} instead of {sorted(self.expected)}"
        assert left_behind_but_ours(out) == [], where
        self.stops += 1

    def _work(self, out: Path, goes_on: bool) -> Callable[[], int]:
        name, *words = self.case.line(self.given, out, goes_on)
        if self.case.needs_folder:
            out.mkdir(exist_ok=True)
        return lambda: run_command(name, words)

    def _complete(self, out: Path) -> bool:
        """Whether all results are there; with an earlier version beside them, perhaps, that was kept."""
        found = results(out)
        return all(
            name in found and (name in self.case.varies or found[name] == content)
            for name, content in self.expected.items()
        )


def left_behind_but_ours(folder: Path) -> list[str]:
    """Hidden files but those by which ``dsct predict`` and ``dsct data generate`` know their own results."""
    known = (".dsct_predictions", ".dsct_run.json", ".dsct_generating.json")
    return [name for name in left_behind(folder) if Path(name).name not in known]


def anything_is_found() -> None:
    """The models are untrained: whatever they see is somebody."""
    protocols.FOUND_IOU = 0.0
    Reading.speakers = lambda _, picture, people: list(range(len(people)))  # type: ignore[method-assign]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(CASES), help="(default: all)")
    parser.add_argument("--count", type=int, default=1 << 20, help="moments of each command (default: all)")
    arguments = parser.parse_args()
    anything_is_found()
    with tempfile.TemporaryDirectory() as folder:
        given = prepared(Path(folder))
        for name in arguments.cases:
            start = time.perf_counter()
            place = Path(folder) / name.replace(" ", "_")
            place.mkdir()
            trial = Trial(CASES[name], given, place)
            for at in spread(len(trial.changes), arguments.count):
                for number in STATUS:
                    trial.stop(at, number)
            seconds = time.perf_counter() - start
            print(f"{name}: {len(trial.changes)} changes, {trial.stops} stops ({seconds:.0f} s)", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
