"""The entry point: a command line in, an exit status out, and every user's mistake as one sentence.

Exit status: 0 done; 2 the user can fix it (one sentence on stderr; ``DSCT_DEBUG=1`` adds the traceback); 130
interrupted after saving; 141 whoever read the output left. Anything else is a bug and shows its traceback.
"""

from __future__ import annotations

import os
import shlex
import sys
import traceback
from collections.abc import Callable, Sequence

from omegaconf.errors import OmegaConfBaseException

from dsct_detrex.engine import ddp
from dsct_detrex.engine.arguments import parse_arguments
from dsct_detrex.engine.compose import compose
from dsct_detrex.engine.interrupt import Interrupted
from dsct_detrex.engine.launch import launch, processes_wanted
from dsct_detrex.engine.train_run import run
from dsct_detrex.errors import UserError

USER_ERROR = 2
INTERRUPTED = 130
CLOSED_PIPE = 141  # as a shell reports it: 128 + SIGPIPE
_MODULE = ("-m", "dsct_detrex.engine")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line.

    Args:
        argv: without the program's name; None takes the process's own.

    Returns:
        The exit status.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    return guarded(lambda: _main(words), words)


def guarded(work: Callable[[], int], words: Sequence[str]) -> int:
    """Run ``work``; turn what a user can understand into a sentence and an exit status."""
    try:
        return work()
    except Interrupted as stop:
        resume = words if "--resume" in words else [*words, "--resume"]
        command = shlex.join(["python", sys.argv[0], *resume])
        _complain(f"Interrupted after iteration {stop.iteration}; saved {stop.checkpoint}. Continue with: {command}")
        return INTERRUPTED
    except KeyboardInterrupt:
        _complain("Interrupted; nothing was saved since the last checkpoint.")
        return INTERRUPTED
    except BrokenPipeError:  # who reads the output, `head` for one, has enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except (UserError, OmegaConfBaseException) as error:
        if os.environ.get("DSCT_DEBUG") == "1":
            traceback.print_exc()
        _complain(f"error: {error}" if isinstance(error, UserError) else f"error: config: {error}")
        return USER_ERROR


def _main(words: Sequence[str]) -> int:
    arguments = parse_arguments(words)
    processes = processes_wanted(arguments)
    if processes > 1:
        return launch([*_MODULE, *words], processes)
    cfg = compose(arguments, _note)
    run(cfg, resume=arguments.resume, eval_only=arguments.eval_only, dry_run=arguments.dry_run)
    return 0


def _note(sentence: str) -> None:
    """To stdout, like all that a run tells; once for all processes."""
    if not ddp.under_torchrun() or os.environ.get("RANK", "0") == "0":
        print(sentence, flush=True)


def _complain(sentence: str) -> None:
    """To stderr; other ranks than 0 say who they are, because most of what goes wrong goes wrong on all of them."""
    rank = int(os.environ.get("RANK", "0")) if ddp.under_torchrun() else 0
    print(f"[rank {rank}] {sentence}" if rank else sentence, file=sys.stderr, flush=True)
