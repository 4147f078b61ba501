"""``scripts/predict.py``: a checkpoint and pictures in; annotated pictures and one JSON out.

``predictions.json`` is a list with one entry per picture::

    {"file": str, "width": int, "height": int,
     "people": [{"box": [x0, y0, x1, y1],          # pixels of the original picture
                 "score": float,                   # confidence that this is a person
                 "emotions": [str, ...],           # those over their threshold, most probable first
                 "probabilities": {emotion: float}}]}
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from rich.progress import track

from dsct_detrex.data.images import ImageError, read_rgb
from dsct_detrex.engine.arguments import PROVIDERS
from dsct_detrex.engine.command_line import guarded
from dsct_detrex.engine.device import choose_device
from dsct_detrex.errors import UserError
from dsct_detrex.integrations.detrex import locate
from dsct_detrex.paths import expanded
from dsct_detrex.prediction.predictor import Predictor
from dsct_detrex.structures import Instances
from dsct_detrex.visualization import RESPONSIBLE_USE, draw_predictions

SUFFIXES = frozenset(Image.registered_extensions()) - {".pdf"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return the exit status (0; 2 where the user can fix it)."""
    words = list(sys.argv[1:] if argv is None else argv)
    return guarded(lambda: _main(_parser().parse_args(words)), words)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="predict.py", description="Find people and their emotions in pictures.", epilog=" ".join(RESPONSIBLE_USE)
    )
    add = parser.add_argument
    add("checkpoint", type=expanded, help="best.safetensors or last.safetensors of a run")
    add("inputs", nargs="+", metavar="image", help="pictures, or folders of pictures (searched through)")
    add("--out", type=expanded, default="runs/predict", metavar="DIR", help="where results go (default: %(default)s)")
    add("--threshold", type=float, default=0.3, help="least confidence of a person (default: %(default)s)")
    add("--nms", type=float, default=0.5, help="largest overlap of two people, IoU (default: %(default)s)")
    add("--max-emotions", type=int, default=3, help="lines drawn per person (default: %(default)s)")
    add("--batch-size", type=int, default=1, help="pictures at a time (default: %(default)s)")
    add("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    add("--on-error", default="raise", choices=("raise", "skip"), help="what to do about a broken picture")
    add("--hosts-from", default=PROVIDERS[0], choices=PROVIDERS, help="detrex: the model was trained on live hosts")
    add("--no-pictures", action="store_true", help="write the JSON only")
    return parser


def _main(arguments: argparse.Namespace) -> int:
    if arguments.hosts_from == "detrex":
        locate()
    files = find_pictures(arguments.inputs)
    predictor = Predictor.from_checkpoint(
        arguments.checkpoint,
        str(choose_device(arguments.device)),
        score_threshold=arguments.threshold,
        nms_threshold=arguments.nms,
    )
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    entries, skipped = [], 0
    for start in track(
        range(0, len(files), arguments.batch_size), description="predicting", disable=not sys.stderr.isatty()
    ):
        pictures = dict(_read(files[start : start + arguments.batch_size], arguments.on_error))
        skipped += len(files[start : start + arguments.batch_size]) - len(pictures)
        people = predictor.stream(pictures.values(), arguments.batch_size)
        for (file, picture), found in zip(pictures.items(), people, strict=True):
            entries.append(describe(predictor, file, found))
            if not arguments.no_pictures:
                drawn = draw_predictions(picture, found, predictor.emotions, 0.0, arguments.max_emotions)
                drawn.save(picture_path(out, file, files))
    (out / "predictions.json").write_text(json.dumps(entries, indent=1), encoding="utf-8")
    found_people = sum(len(entry["people"]) for entry in entries)
    note = f"; {skipped} skipped because they cannot be read" if skipped else ""
    print(f"{len(entries)} pictures, {found_people} people{note}: {out}")
    return 0


def find_pictures(inputs: Sequence[str]) -> list[Path]:
    """The picture files named, and those inside the folders named, in order, each once.

    Raises:
        UserError: an input is not there, or no picture was found.
    """
    files: dict[Path, None] = {}
    for given in inputs:
        path = Path(given).expanduser()
        if path.is_dir():
            files.update(dict.fromkeys(f for f in sorted(path.rglob("*")) if f.suffix.lower() in SUFFIXES))
        elif path.is_file():
            files[path] = None
        else:
            raise UserError(f"predict: {given} is neither a file nor a folder; check the path.")
    if not files:
        raise UserError(f"predict: no picture in {', '.join(inputs)}; looked for {', '.join(sorted(SUFFIXES))}.")
    return list(files)


def describe(predictor: Predictor, file: Path, people: Instances) -> dict[str, Any]:
    """The JSON entry of one picture, see the module docstring."""
    names = predictor.emotions.names
    height, width = people.image_size
    return {
        "file": str(file),
        "width": width,
        "height": height,
        "people": [
            {
                "box": [round(value, 2) for value in people.pred_boxes.tensor[row].tolist()],
                "score": round(float(people.scores[row]), 4),
                "emotions": [names[index] for index in predictor.shown_emotions(people, row)],
                "probabilities": {
                    n: round(p, 4) for n, p in zip(names, people.emotion_probs[row].tolist(), strict=True)
                },
            }
            for row in range(len(people))
        ],
    }


def picture_path(out: Path, file: Path, files: Sequence[Path]) -> Path:
    """Where the drawn copy of ``file`` goes: its name as PNG, with its folders where two files share a name."""
    alone = sum(other.stem == file.stem for other in files) == 1
    return out / f"{file.stem if alone else '_'.join(p.strip('/.') for p in file.with_suffix('').parts[-3:])}.png"


def _read(files: Sequence[Path], on_error: str) -> Iterator[tuple[Path, Image.Image]]:
    for file in files:
        try:
            yield file, read_rgb(str(file))
        except ImageError:
            if on_error == "raise":
                raise
