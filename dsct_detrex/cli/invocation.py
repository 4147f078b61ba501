"""The commands that this user can type: as the program was started, so is another of its commands.

Whoever typed ``dsct`` has ``dsct``, whoever ran a script of a checkout may have nothing but its scripts.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import dsct_detrex
from dsct_detrex.cli.commands import COMMANDS
from dsct_detrex.paths import spoken_path

PROGRAM = "dsct"


def spoken(command: str, words: Sequence[str] = ()) -> str:
    """A command line to print, ready to be pasted into a shell: ``dsct train --resume``."""
    return shlex.join([*_prefix(command), *words])


def this_command() -> str:
    """The command line of this process, likewise."""
    started = Path(sys.argv[0])
    module = started.stem == "__main__" and started.parent.name == "dsct_detrex"
    if started.stem == PROGRAM or (module and _beside(PROGRAM)):
        return shlex.join([_program(), *sys.argv[1:]])
    return shlex.join([_python(), *(["-m", "dsct_detrex", *sys.argv[1:]] if module else sys.argv)])


def recorded(command: str, words: Sequence[str]) -> str:
    """A command line as results keep it, for other machines: of folders elsewhere on this disk only the last name."""
    return shlex.join([PROGRAM, command, *(Path(word).name if Path(word).is_absolute() else word for word in words)])


def runnable(command: str) -> list[str]:
    """The words that start a command as a process of its own, in any folder: interpreter, program, command."""
    script = _script(command)
    return [sys.executable, *([str(script.resolve())] if script else ["-m", "dsct_detrex", command])]


def _prefix(command: str) -> list[str]:
    script = _script(command)
    if script:
        return [_python(), str(spoken_path(script))]
    if Path(sys.argv[0]).stem == PROGRAM or _beside(PROGRAM):
        return [_program(), command]
    return [_python(), "-m", "dsct_detrex", command]


def _program() -> str:
    """``dsct`` where a shell finds by that name what was started, else its path: an environment need not be active."""
    started = Path(sys.argv[0])
    found = shutil.which(PROGRAM)
    if started.stem != PROGRAM or _beside(PROGRAM) or not started.is_file():
        return PROGRAM
    return PROGRAM if found and Path(found).samefile(started) else str(spoken_path(started))


def _script(command: str) -> Path | None:
    """The script of a command, where a script of the same checkout was started and there is one."""
    name = COMMANDS[command].script
    folder = Path(dsct_detrex.__file__).parents[1] / "scripts"
    started = Path(sys.argv[0]).resolve()
    return folder / name if name and started.parent == folder and started.suffix == ".py" else None


def _python() -> str:
    """``python`` where that is this interpreter, else its path, relative where it lies below the working directory."""
    own = Path(sys.executable)
    if _beside("python"):
        return "python"
    return str(own.relative_to(Path.cwd()) if own.is_relative_to(Path.cwd()) else own)


def _beside(name: str) -> bool:
    """Whether what a shell finds under a name is of this interpreter's environment."""
    found = shutil.which(name)
    return found is not None and Path(found).absolute().parent == Path(sys.executable).absolute().parent
