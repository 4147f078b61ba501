"""``report.html``: what a finished training or evaluation came to, on a page that can be mailed, and as PNG files.

It is the last thing that is done, when weights and numbers are on the disk already. A disk that is full or a picture
that cannot be read therefore costs the page or the picture, said in a sentence, and never the run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from PIL import Image

from dsct_detrex.counting import counted
from dsct_detrex.data import ImageError
from dsct_detrex.engine.environment import describe_environment
from dsct_detrex.engine.examine import EMA_PREFIX, TRAINING_STEM, Examiner
from dsct_detrex.engine.precision import precision_words
from dsct_detrex.engine.session import Session
from dsct_detrex.engine.summary import SUMMARY
from dsct_detrex.errors import UserError
from dsct_detrex.evaluation.files import keep_older

REPORT = "report"


def report_training(session: Session, examiner: Examiner | None, best: Mapping[str, Any] | None) -> None:
    """Write ``report.html`` and ``report/`` from the files of a finished training; on rank 0 only.

    It shows the latest evaluation, of the average of the weights where ``train.best.metric`` is one of its numbers.

    Args:
        best: ``metric``, ``value`` and ``iteration`` of the best evaluation, if evaluations were compared.
    """
    if not session.settings.report.enabled:
        return
    if examiner is None:
        session.console.say("note: no report.html is written, because nothing is evaluated.")
        return
    folder = session.output_dir
    prefix = EMA_PREFIX if best is not None and str(best["metric"]).startswith(EMA_PREFIX) else ""
    measured = _read(folder / f"{TRAINING_STEM}{'_ema' if prefix else ''}.json")
    summary = _read(folder / SUMMARY)
    weights = f"{'last_ema' if prefix else 'last'}.safetensors, after iteration {summary['iterations']}"
    facts = {
        "Weights measured": weights,
        "Best weights": "" if best is None else _best(best),
        "Started from": session.settings.init_checkpoint or "no checkpoint (train.init_checkpoint is empty)",
    }
    notes = []
    if best is not None and examiner.split == "val":
        notes.append("the best weights were chosen on this split, so their score here is a little too high")
    history = [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    _write(session, examiner, folder / f"{REPORT}.html", measured, notes, facts, history, summary, prefix)


def report_evaluation(session: Session, examiner: Examiner, measured: Mapping[str, Any] | None) -> None:
    """Write ``report_<split>.html`` and ``report_<split>/`` beside ``evaluation_<split>.json``; on rank 0 only.

    Args:
        measured: the evaluator's report.
    """
    if not session.settings.report.enabled:
        return
    path = session.output_dir / f"{examiner.stem.replace(TRAINING_STEM, REPORT, 1)}.html"
    facts = {"Weights measured": str(session.settings.init_checkpoint)}
    _write(session, examiner, path, measured or {}, [], facts)


def _write(
    session: Session,
    examiner: Examiner,
    path: Path,
    measured: Mapping[str, Any],
    notes: Sequence[str],
    facts: Mapping[str, str],
    history: Sequence[Mapping[str, Any]] = (),
    summary: Mapping[str, Any] | None = None,
    prefix: str = "",
) -> None:
    say = session.console.say
    if "protocol" not in measured or session.emotions is None:
        say(f"note: no {path.name} is written, because the evaluation is not one of EmotionEvaluator.")
        return
    from dsct_detrex.visualization import RunResult, samples, write_run_report  # it brings what training can do without

    start = time.perf_counter()
    parameters = None if summary is None else int(summary["parameters"]["trainable"])
    seconds = None if summary is None else float(summary["seconds"])
    run = RunResult(_name(session), measured, history, parameters, seconds, prefix)
    with _forgiving(path, say):
        for old in (path, path.with_suffix("")) if path.stem != REPORT else ():
            keep_older(old)
        loader = _PictureLoader(getattr(examiner.loader, "dataset", None))
        galleries = samples.galleries(measured, session.emotions, loader.load, session.settings.report.pictures)
        config = OmegaConf.to_yaml(OmegaConf.create(session.plain))
        notes = [*notes, *loader.lost]
        write_run_report(path, run, galleries, notes, {**_repeat(session), **facts}, config, _title(run.name, measured))
        tell = session.console.detail if path.stem == REPORT else say  # a training ends with a list of what it left
        tell(f"report: {path} ({time.perf_counter() - start:.1f} s)")


def _best(best: Mapping[str, Any]) -> str:
    return f"best.safetensors, after iteration {best['iteration']}: {best['metric']} {best['value']:.4f}"


def _name(session: Session) -> str:
    """How a page calls the model: DSCT with its host, else the name of its class."""
    host = OmegaConf.select(session.cfg, "host.name")
    return f"DSCT ({host})" if host else str(session.plain["model"].get("_target_", "model")).rpartition(".")[2]


def _title(name: str, measured: Mapping[str, Any]) -> str:
    dataset = measured["dataset"]
    split = f", {dataset['split']} split" if dataset.get("split") else ""
    return f"{name} on {dataset['name'] or measured['emotions']['name']}{split}"


def _repeat(session: Session) -> dict[str, str]:
    """Whatever decides the numbers, as text."""
    about = describe_environment(session.device, session.seed)
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items() if version)
    processes = f", {about['processes']} processes" if about["processes"] > 1 else ""
    return {
        "Command": about["command"],
        "In the folder": about["working_directory"],
        "Results": str(session.output_dir),
        "Seed": str(about["seed"]),
        "Device": f"{about['device']}{processes}, {counted(about['threads'], 'thread')}, {about['platform']}",
        "Precision": precision_words(session.settings.amp, session.device),
        "Versions": f"dsct-detrex {about['dsct_detrex']}, Python {about['python']}, {packages}",
    }


class _PictureLoader:
    """Finds the pictures that a report names, and remembers in sentences which cannot be shown."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset if hasattr(dataset, "load_image") else None
        self._places: dict[int, int] | None = None
        self.lost: list[str] = []

    def load(self, facts: Mapping[str, Any]) -> Image.Image | None:
        """In mode RGB and the frame of its boxes; None where it cannot be had."""
        place = None if self._dataset is None else self._place(int(facts["image_id"]))
        if self._dataset is None or place is None:
            return None
        try:
            image: Image.Image = self._dataset.load_image(place)
        except (ImageError, OSError) as error:
            self.lost.append(f"one of the pictures is not shown: {error}")
            return None
        return image

    def _place(self, image_id: int) -> int | None:
        """Most data sets count from 1; the others are looked through once."""
        assert self._dataset is not None
        near = image_id - 1
        if 0 <= near < len(self._dataset) and self._dataset.record(near)["image_id"] == image_id:
            return near
        if self._places is None:
            self._places = {self._dataset.record(i)["image_id"]: i for i in range(len(self._dataset))}
        return self._places.get(image_id)


@contextmanager
def _forgiving(path: Path, say: Any) -> Iterator[None]:
    """What the disk refuses is told and does not end the run; nor does Ctrl-C leave a doubt about what is complete."""
    try:
        yield
    except KeyboardInterrupt:
        say(f"note: {path} is not written, because it was interrupted; weights and numbers of the run are complete.")
        raise
    except (OSError, UserError) as error:
        say(f"note: {path} could not be written ({error}); weights and numbers of the run are complete.")


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return content
