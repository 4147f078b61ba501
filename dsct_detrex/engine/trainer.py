"""The training loop: fetch, step, and what is due after it: log, evaluate, keep the best, save, stop when asked.

One iteration is one optimizer step. Everything that is due after an iteration ends in one ``Record`` for the loggers.
"""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from dsct_detrex.counting import counted
from dsct_detrex.data import DataReport
from dsct_detrex.engine import ddp
from dsct_detrex.engine.account import Account
from dsct_detrex.engine.checkpoint import RunState, last_path, save_last
from dsct_detrex.engine.contracts import Batch, Scalars
from dsct_detrex.engine.device import peak_memory
from dsct_detrex.engine.evaluate import EvaluationCancelled, skipped_pictures
from dsct_detrex.engine.examine import EMA_PREFIX, Examination, Examiner
from dsct_detrex.engine.files import write_json
from dsct_detrex.engine.history import NonFinite, lost_weight
from dsct_detrex.engine.idle_parameters import announce_idle
from dsct_detrex.engine.interrupt import StopRequest
from dsct_detrex.engine.loggers import Logger, Record
from dsct_detrex.engine.plan import Plan
from dsct_detrex.engine.release import ReleaseWriter
from dsct_detrex.engine.schedule import LearningRate
from dsct_detrex.engine.screen import Console
from dsct_detrex.engine.step import TrainStep
from dsct_detrex.engine.stopwatch import Stopwatch
from dsct_detrex.engine.time_left import TimeLeft
from dsct_detrex.engine.waiting import WaitForData
from dsct_detrex.errors import Interrupted, UserError

_NAMES_SHOWN = 8


@dataclass
class Trainer:
    """Trains the model of ``state`` from ``state.iteration`` to the end of the plan.

    Args:
        examiner: None trains without evaluating.
        releases: None writes none, because the config names no emotions.
        keep_best: offer evaluations to ``state.best``; off for ``train.fast_dev_run``, whose numbers mean nothing.
        resumed: ``state`` came from ``last.pth``.
        checkpoints: write ``last.pth`` and numbered releases, not only the releases of the last weights.
    """

    state: RunState
    step: TrainStep
    learning_rate: LearningRate
    plan: Plan
    examiner: Examiner | None
    releases: ReleaseWriter | None
    loggers: Sequence[Logger]
    console: Console
    output_dir: Path
    keep_best: bool = True
    resumed: bool = False
    checkpoints: bool = True
    scalars: Scalars = field(default_factory=dict)
    """The latest value of everything logged."""
    skipped: int = 0
    """How often a training picture could not be read, in all processes; known at the end."""

    def __post_init__(self) -> None:
        self._stopwatch = Stopwatch()
        time_left = TimeLeft(self.plan, evaluates=self.examiner is not None)
        self.account = Account(self.console, self.state.best, self.keep_best, time_left, self.state.measured)
        self._waiting = WaitForData(getattr(self.state.loader, "num_workers", None))
        self._ticking = time.perf_counter()
        self._grad_norm: Tensor | None = None
        self._images: list[str] = []
        self._saved_at = self.state.iteration if self.resumed else 0
        self._started = False
        self._skips = False

    def train(self) -> None:
        """Run to the end of the plan.

        Raises:
            Interrupted: Ctrl-C, SIGTERM or a closed terminal, after saving.
            UserError: a loss or a weight that is not finite, a loader that ends, a disk that is full.
        """
        self._ticking = time.perf_counter()
        batches = iter(self.state.loader)
        self.state.model.train()
        self.console.start(self.state.iteration, self.plan.max_iter)
        self._make_up_for_releases()
        try:
            with StopRequest(self.console.stopping) as stop:
                self._settle(stop)
                while self.state.iteration < self.plan.max_iter and not self.state.best.exhausted():
                    self._iterate(batches)
                    self._settle(stop)
        except Interrupted:
            raise
        except KeyboardInterrupt as hurry:
            raise self._unsaved(hurry) from hurry
        if self.state.iteration < self.plan.max_iter:
            self._stop_early()
        self._tick()
        self.skipped, examples = skipped_pictures(self.state.loader)
        if self.skipped:
            self.console.say(
                f"note: {counted(self.skipped, 'time')} a training picture could not be read and another took its "
                f"place (first: {examples[0]})."
            )

    def _iterate(self, batches: Iterator[Batch]) -> None:
        """One optimizer step."""
        start = time.perf_counter()
        number = self.state.iteration + 1
        self._images = []
        self.learning_rate.set(self.state.iteration)
        for micro in range(self.plan.accumulate):
            batch = self._fetch(batches)
            images = [str(image.get("file_name", "?")) for image in batch]
            self._images += images
            try:
                losses = self.step.backward(batch, last=micro == self.plan.accumulate - 1)
            except FloatingPointError as error:  # the matcher met it before there was a loss
                raise UserError(self._blame(NonFinite(number, images, {"matching cost": math.nan}))) from error
            self.state.history.add(number, images, losses)
        if not self._started:
            self._announce_unreached()
            self._started = True
        norm = self.step.update(measure=self.plan.logs_at(number))
        if norm is not None:
            self._grad_norm = norm
            if not self.step.scaler.is_enabled():  # which skips steps whose gradients overflow
                self.state.history.add(number, self._images, {"grad_norm": norm}, averaged=False)
        if self.state.ema is not None:
            self.state.ema.update(self.state.model)
        self.state.iteration = number
        seconds = time.perf_counter() - start
        self._stopwatch.add(seconds)
        self.account.stepped(number, seconds)

    def _fetch(self, batches: Iterator[Batch]) -> Batch:
        start = time.perf_counter()
        try:
            batch = next(batches, None)
        except Exception:
            self._rescue()
            raise
        if batch is None:
            raise UserError(
                f"The training loader ended in iteration {self.state.iteration + 1}. dataloader.train must be endless."
            )
        self._stopwatch.data += time.perf_counter() - start
        self._announce_skipped()
        return batch

    def _settle(self, stop: StopRequest) -> None:
        """Do whatever is due after the present iteration; nothing before the first."""
        iteration, plan = self.state.iteration, self.plan
        if iteration == 0:
            return
        evaluate = plan.evaluates_at(iteration) and self.state.evaluated_at != iteration and self.examiner is not None
        save = plan.saves_at(iteration) and self._saved_at != iteration
        log = plan.logs_at(iteration) and self._stopwatch.iterations > 0
        alone = ddp.world_size() == 1
        look = alone and (stop.requested or self.step.device.type == "cpu")  # costs nothing there; elsewhere it waits
        if not (evaluate or save or log or look):
            return
        stopping = self._agree(stop, keeps=evaluate or save)
        record = Record(iteration)
        if log:
            self._measure(record)
            self.console.log(record)
        if evaluate and not stopping:
            stopping = not self._examine(record, stop)
        if record.scalars:
            self._log(record)  # before it is saved: a resumed run writes what comes after its checkpoint once more
        if save or (stopping and self.checkpoints and self._saved_at != iteration):
            self._save()
        unfinished = iteration < plan.max_iter or (evaluate and self.state.evaluated_at != iteration)
        if stopping and unfinished:
            saved = str(last_path(self.output_dir)) if self.checkpoints else None
            raise Interrupted(iteration, saved, number=stop.number or signal.SIGINT)

    def _unsaved(self, hurry: KeyboardInterrupt) -> Interrupted:
        """Asked to stop at once: what of the run is kept."""
        kept = self.checkpoints and self._saved_at > 0
        done, number = self.state.iteration, getattr(hurry, "number", signal.SIGINT)
        return Interrupted(done, str(last_path(self.output_dir)) if kept else None, done - self._saved_at, number)

    def _agree(self, stop: StopRequest, keeps: bool) -> bool:
        """Fetch the losses; all ranks learn of what is not finite, and of a request to stop.

        Args:
            keeps: the weights are evaluated or saved next, so look at them too: a gradient that is not finite spoils
                them in the same step whose loss was fine.
        """
        asked = stop.requested
        lost = self._lost() if keeps or asked else None
        reports = ddp.gather((self.state.history.fetch() or lost, asked))
        problems = [problem for problem, _ in reports if problem is not None]
        if problems:
            raise UserError(self._blame(min(problems, key=NonFinite.follows_from_others)))
        return any(requested for _, requested in reports)

    def _lost(self) -> NonFinite | None:
        """A trainable weight that is not finite after the latest step."""
        name = lost_weight(self.state.model)
        return None if name is None else NonFinite(self.state.iteration, self._images, {f"weight {name}": math.nan})

    def _blame(self, problem: NonFinite) -> str:
        """Write ``non_finite.json`` and find the words."""
        path = self.output_dir / "non_finite.json"
        if ddp.is_main():
            losses = {name: str(value) for name, value in problem.losses.items()}
            write_json(path, {"iteration": problem.iteration, "images": problem.images, "losses": losses})
        saved = last_path(self.output_dir)
        good = self.checkpoints and self._saved_at > 0
        kept = f" The last good checkpoint is {saved} (iteration {self._saved_at})." if good else ""
        clip = "train.clip_grad.params.max_norm" if self.step.clip.enabled else "set train.clip_grad.enabled=True"
        return (
            f"Training stopped: {problem.culprit()} in iteration {problem.iteration}, on {', '.join(problem.images)} "
            f"(all losses: {path}).{kept} Look at the boxes of these images, lower optimizer.lr, or {clip}."
        )

    def _measure(self, record: Record) -> None:
        """The numbers of the iterations since the last log; losses are averaged over ranks."""
        shares = ddp.gather(self.state.history.means())
        names = dict.fromkeys(name for share in shares for name in share)
        for name in names:
            values = [share[name] for share in shares if name in share]
            record.scalars[name] = sum(values) / len(values)
        seconds, data_seconds = self._stopwatch.read()
        record.scalars["lr"] = self.learning_rate.highest()
        if self._grad_norm is not None:
            record.scalars["grad_norm"] = float(self._grad_norm)
        record.scalars["time"] = seconds
        record.scalars["data_time"] = data_seconds
        if news := self._waiting.news(seconds, data_seconds):
            self.console.say(news)
        left = self.account.time_left.seconds(self.state.iteration)
        steps_left = self.plan.max_iter - self.state.iteration
        record.scalars["eta_seconds"] = seconds * steps_left if left is None else left
        record.scalars |= peak_memory(self.step.device)
        self._add_epoch(record)

    def _examine(self, record: Record, stop: StopRequest) -> bool:
        """Evaluate into ``record``; False if a request to stop cut it short (a resumed run makes up for it)."""
        assert self.examiner is not None
        self._mend_average()
        try:
            cancel = (lambda: stop.requested) if ddp.world_size() == 1 else None
            examination = self.examiner.examine(self.state.model, self.state.ema, cancel)
            is_best = self.keep_best and self._keep_best(examination)
            self.account.examined(examination, self.state.iteration, is_best)
        except EvaluationCancelled:
            return False
        except Exception:
            self._rescue()
            raise
        record.scalars |= examination.scalars
        record.predictions = examination.predictions
        record.words = examination.words()
        self.state.evaluated_at, self.state.measured = self.state.iteration, dict(examination.scalars)
        return True

    def _keep_best(self, examination: Examination) -> bool:
        """Offer an examination; whether it is the best so far."""
        best = self.state.best
        if not best.offer(examination.scalars, self.state.iteration):
            return False
        if self.releases is not None:
            averaged = best.metric.startswith(EMA_PREFIX) and self.state.ema is not None
            weights = self.state.ema.average if averaged and self.state.ema else self.state.model.state_dict()
            report = examination.report_of(best.metric)
            step = self.state.iteration
            self.releases.write("best", weights, self.plan.epoch(step), examination.scalars, report, step)
        return True

    def _save(self) -> None:
        """``last.pth``, and the releases of the same moment."""
        self._mend_average()
        self._tick()
        if self.checkpoints:
            save_last(self.state, self.output_dir, self.plan.max_iter)
        self._saved_at = self.state.iteration
        self._release()

    def _make_up_for_releases(self) -> None:
        """Those of the checkpoint that a resumed run goes on from, where a kill came between it and them."""
        step = self.state.iteration
        if self.releases is None or not (self.resumed and ddp.is_main()):
            return
        names = ["last", *(["last_ema"] if self.state.ema is not None else []), self.releases.numbered(step)]
        if not all(self.releases.holds(name, step) for name in names if name is not None):
            self._release()

    def _release(self) -> None:
        """The releases of this moment."""
        state, epoch = self.state, self.plan.epoch(self.state.iteration)
        if self.releases is not None:
            weights = state.model.state_dict()
            self.releases.write("last", weights, epoch, iteration=state.iteration)
            if self.checkpoints:
                self.releases.write_numbered(state.iteration, weights, epoch)
            if state.ema is not None:
                self.releases.write("last_ema", state.ema.average, epoch, iteration=state.iteration)

    def _mend_average(self) -> None:
        """What is evaluated and saved of the weight average is finite, as the weights are."""
        lost = [] if self.state.ema is None else self.state.ema.resync(self.state.model)
        if lost:
            self.console.say(f"note: the weight average was no longer finite and restarts for {_short(lost)}.")

    def _tick(self) -> None:
        """Add the time since the last call to that of the run."""
        now = time.perf_counter()
        self.state.seconds += now - self._ticking
        self._ticking = now

    def _rescue(self) -> None:
        """Save before an error that the training did not cause (a picture, the evaluator) goes up.

        Several processes cannot, for those without the error would not take part.
        """
        unsaved = self.checkpoints and self.state.iteration > self._saved_at
        if unsaved and ddp.world_size() == 1 and (self.state.history.fetch() or self._lost()) is None:
            self._save()
            self.console.say(
                f"saved iteration {self.state.iteration} before the error that follows; --resume continues."
            )

    def _log(self, record: Record) -> None:
        self._add_epoch(record)
        self.scalars |= record.scalars
        try:
            for logger in self.loggers:
                logger.log(record)
        except OSError as error:
            raise UserError(
                f"Writing the measured numbers of the run into {self.output_dir} failed ({error}); its checkpoints are "
                "intact. Free some space, then continue with --resume."
            ) from error

    def _add_epoch(self, record: Record) -> None:
        epoch = self.plan.epoch(record.iteration)
        if epoch is not None:
            record.scalars["epoch"] = epoch

    def _announce_unreached(self) -> None:
        note = announce_idle(self.step.model, self.step.without_gradient())
        if note is not None:
            self.console.say(note)

    def _announce_skipped(self) -> None:
        """Say it when the first picture is skipped; how often it happened is said at the end."""
        report = getattr(self.state.loader, "report", None)
        if not self._skips and isinstance(report, DataReport) and report.lost_images:
            self._skips = True
            name = report.examples["unreadable_images"][0]
            self.console.say(f"note: {name} cannot be read; another picture takes its place.")

    def _stop_early(self) -> None:
        best = self.state.best
        self.console.say(
            f"stopped early after iteration {self.state.iteration}: {counted(best.since, 'evaluation')} in a row "
            f"without a better {best.metric} than {best.value} (iteration {best.iteration})."
        )
        if self._saved_at != self.state.iteration:
            self._save()


def _short(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more
