"""The one main of every command: an exit status out, and every user's mistake as one sentence.

Exit status: 0 done; 2 the user can fix it (one sentence on stderr; ``DSCT_DEBUG=1`` adds the traceback); 130, 143 or
129 stopped by Ctrl-C, SIGTERM or a closed terminal; 141 whoever read the output left. Anything else is a bug and shows
its traceback. A command may return others, which its ``--help`` tells.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence

from dsct_detrex.cli.commands import COMMANDS
from dsct_detrex.cli.invocation import spoken
from dsct_detrex.cli.stopping import exit_status, interrupting
from dsct_detrex.errors import Interrupted, UserError

USER_ERROR = 2
CLOSED_PIPE = 141  # as a shell reports it: 128 + SIGPIPE

_NEEDED = {
    "torch": "torch",
    "torchvision": "torchvision",
    "numpy": "numpy",
    "scipy": "scipy",
    "omegaconf": "omegaconf",
    "yaml": "pyyaml",
    "PIL": "pillow",
    "rich": "rich",
    "safetensors": "safetensors",
    "sklearn": "scikit-learn",
    "jinja2": "jinja2",
    "pycocotools": "pycocotools",
    "matplotlib": "matplotlib",
}
"""Module -> package, of what the package depends on: a checkout can be run without having been installed."""


def run_command(name: str, words: Sequence[str]) -> int:
    """Carry out one command; returns its exit status."""
    words = list(words)

    def carry_out() -> int:
        options = COMMANDS[name].parse(words)
        return COMMANDS[name].load_work(getattr(options, "action", ""))(options, words)

    again = lambda: spoken(name, words if "--resume" in words else [*words, "--resume"])  # noqa: E731
    return guarded(carry_out, again, COMMANDS[name].stopped)


def guarded(work: Callable[[], int], again: Callable[[], str] = str, stopped: str = "nothing was written") -> int:
    """Run ``work``; turn what a user can understand into a sentence and an exit status.

    Args:
        again: the command that continues after an interrupted training.
        stopped: what is true where the work was stopped and says no more of it.
    """
    try:
        try:
            with interrupting():
                return work()
        finally:
            sys.stdout.flush()  # here, where it is known what to do when nobody reads
    except KeyboardInterrupt as stop:
        _complain(_of_training(stop, again) if isinstance(stop, Interrupted) else f"Interrupted; {stopped}.")
        return exit_status(stop)
    except BrokenPipeError:  # who reads the output, `head` for one, has enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # rich, which then has nobody to tell either
            return CLOSED_PIPE
        raise
    except Exception as error:
        sentence = _sentence(error)
        if not sentence:
            raise
        if os.environ.get("DSCT_DEBUG") == "1":
            traceback.print_exc()
        _complain(f"error: {sentence}")
        return USER_ERROR


def under_torchrun() -> bool:
    """Whether this process is one of several that torchrun, or ``--num-gpus``, has started."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def _of_training(stop: Interrupted, again: Callable[[], str]) -> str:
    """What is kept of a training."""
    after = f"Interrupted after iteration {stop.iteration}"
    if stop.checkpoint is None:
        none = "no checkpoint had been saved yet" if stop.lost else "this run keeps no checkpoint to go on from"
        return f"{after}; {none}."
    lost = f" as of iteration {stop.iteration - stop.lost}, for it was asked twice" if stop.lost else ""
    return f"{after}; saved {stop.checkpoint}{lost}. Continue with: {again()}"


def _sentence(error: Exception) -> str:
    """What to say of a user's mistake; empty for a bug."""
    if isinstance(error, UserError):
        return str(error)
    config_errors = getattr(sys.modules.get("omegaconf.errors"), "OmegaConfBaseException", ())
    if isinstance(error, config_errors):
        return f"config: {error}"
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] in _NEEDED:
        return (
            f"the package {_NEEDED[(error.name or '').split('.')[0]]} is not installed for {sys.executable}: run `make "
            "setup` in the checkout and use .venv/bin/python, or `pip install -e .` there."
        )
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}."
    return ""


def _complain(sentence: str) -> None:
    """To stderr; other ranks than 0 say who they are, because most of what goes wrong goes wrong on all of them."""
    rank = int(os.environ["RANK"]) if under_torchrun() else 0
    print(f"[rank {rank}] {sentence}" if rank else sentence, file=sys.stderr, flush=True)
