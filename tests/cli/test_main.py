"""``dsct``: its commands, its help, and that it answers without loading what it will not use."""

import inspect
import json
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from dsct_detrex.cli import invocation
from dsct_detrex.cli.commands import COMMANDS
from dsct_detrex.cli.main import main
from dsct_detrex.cli.parser import Parser

ROOT = Path(__file__).parents[2]
SUBCOMMANDS = [("data", "check"), ("data", "show"), ("data", "generate"), ("data", "boxes")]
HELPS = [(name,) for name in COMMANDS] + SUBCOMMANDS


def build_parser(name: str) -> Parser:
    parser = import_module(f"dsct_detrex.cli.{COMMANDS[name].parser}").build_parser()
    assert isinstance(parser, Parser)
    return parser


def test_every_parser_is_there_without_what_is_slow() -> None:
    """Torch alone takes two seconds; a parser that needs it cannot answer --help at once."""
    code = """
import json, sys
from dsct_detrex.cli.commands import COMMANDS
import dsct_detrex.cli.main
from importlib import import_module
for command in COMMANDS.values():
    import_module(f"dsct_detrex.cli.{command.parser}").build_parser()
slow = {"torch", "numpy", "omegaconf", "PIL", "rich", "scipy", "matplotlib"}
print(json.dumps(sorted(slow & {name.split(".")[0] for name in sys.modules})))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_work(name: str) -> None:
    assert list(inspect.signature(COMMANDS[name].load_work()).parameters)[1] == "words"
    assert COMMANDS[name].script == "" or (ROOT / "scripts" / COMMANDS[name].script).is_file()


@pytest.mark.parametrize("words", HELPS, ids=" ".join)
def test_help_fits_a_terminal_and_has_examples(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["dsct"])
    with pytest.raises(SystemExit) as end:
        main([*words, "--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: dsct {' '.join(words)} ")
    assert f"\nexamples:\n  dsct {' '.join(words)}" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("words", HELPS, ids=" ".join)
def test_every_flag_says_what_it_does_and_its_default(words: tuple[str, ...]) -> None:
    parser = build_parser(words[0])
    for word in words[1:]:
        parser = next(action.choices[word] for action in parser._actions if action.dest == "action")  # type: ignore[index]
    for action in (one for one in parser._actions if one.dest != "action"):
        assert action.help, action.option_strings
        if action.default not in (None, False, [], "==SUPPRESS==") and action.dest != "splits":
            assert "default" in action.help, action.option_strings


def test_one_name_one_meaning() -> None:
    """A flag that several commands have takes as many words in each, and has the same other names."""
    parsers = [build_parser(name) for name in COMMANDS]
    parsers += [
        import_module("dsct_detrex.cli.data").build_parser()._actions[-1].choices[name] for _, name in SUBCOMMANDS
    ]
    aliases: dict[str, set[tuple[str, ...]]] = {}
    for parser in parsers:
        for action in parser._actions:
            for flag in action.option_strings:
                aliases.setdefault(flag, set()).add(tuple(action.option_strings))
    several = {flag: found for flag, found in aliases.items() if len(found) > 1}
    assert set(several) <= {"--out", "--data", "--format"}, (
        "a sweep's --out was --output-dir, a folder's --data is --format"
    )
    # A sweep's --out was --output-dir, a folder's --data is --format, and that of a prediction is of its results.
    assert set(several) <= {"--out", "--data", "--format"}


def test_overview(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["--help"], ["-h"], ["help"]):
        assert main(words) == 0
        text = capsys.readouterr().out
        assert all(f"  {name} " in text for name in COMMANDS)
        assert max(map(len, text.splitlines())) <= 80
    for words in (["--version"], ["-V"], ["version"]):
        assert main(words) == 0
        assert capsys.readouterr().out.startswith("dsct 0.")


@pytest.mark.parametrize("words", HELPS, ids=" ".join)
def test_examples_are_lines_that_are_understood(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["dsct"])
    with pytest.raises(SystemExit):
        main(["help", *words])
    examples = capsys.readouterr().out.split("\nexamples:\n")[1].split("\n\n")[0].splitlines()
    for line in examples:
        _, name, *rest = shlex.split(line)
        assert COMMANDS[name].parse(rest) is not None


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tarin"], "error: dsct: there is no command 'tarin'. Did you mean `train`?\n"),
        (["x"], "error: dsct: there is no command 'x'. Its commands: train, eval, predict,"),
        (["--train"], "error: dsct: there is no command '--train'. Did you mean `train`?\n"),
        (
            ["data", "chekc"],
            "error: data: check | show | generate | boxes expects one of check, show, generate, boxes. Got 'chekc'.",
        ),
        (["data"], "error: data: the following arguments are required: check | show | generate | boxes."),
        (
            ["data", "check", "--root", ".", "--format", "emotc"],
            "error: data check: --format/--data expects one of auto,",
        ),
        (["train", "--config", "x.py", "--hosts-from", "detrx"], "Did you mean `detrex`?"),
        (
            ["sweep", "--table", "10", "--seeds", "0"],
            "error: sweep: --seeds expects a whole number of at least 1. Got 0.",
        ),
        (["sweep", "--tabel", "10"], "error: sweep: unknown flag --tabel. Did you mean `--table`?"),
        (["demo", "--outt", "x"], "error: demo: unknown flag --outt. Did you mean `--out`?"),
        (["dashboard", "--swep", "x"], "error: dashboard: unknown flag --swep. Did you mean `--sweep`?"),
        (["convert", "a", "b", "--forse"], "error: convert: unknown flag --forse. Did you mean `--force`?"),
        (
            ["data", "show", "--root", ".", "--out", "x", "--ovewrite"],
            "unknown flag --ovewrite. Did you mean `--overwrite`?",
        ),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


@pytest.fixture
def script() -> str:
    return str(ROOT / "scripts" / "sweep.py")


@pytest.mark.parametrize(
    ("started", "found", "said"),
    [
        ("/usr/bin/dsct", None, "dsct train --resume"),
        ("SCRIPT", None, "python scripts/train.py --resume"),
        ("/site-packages/dsct_detrex/__main__.py", "BESIDE", "dsct train --resume"),
        ("/site-packages/dsct_detrex/__main__.py", "/another/bin/dsct", "python -m dsct_detrex train --resume"),
        ("/somewhere/pytest", "BESIDE", "dsct train --resume"),
        ("-c", None, "python -m dsct_detrex train --resume"),
    ],
)
def test_what_is_printed_is_what_this_user_can_type(
    started: str, found: str | None, said: str, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [script if started == "SCRIPT" else started])
    beside = str(Path(sys.executable).with_name("dsct"))
    found = beside if found == "BESIDE" else found
    monkeypatch.setattr(invocation.shutil, "which", lambda name: sys.executable if name == "python" else found)
    monkeypatch.chdir(ROOT)
    assert invocation.spoken("train", ["--resume"]) == said


@pytest.mark.parametrize(
    ("found", "said"), [(None, "venv/bin/dsct"), ("other", "venv/bin/dsct"), ("link", "dsct")], ids=str
)
def test_a_command_that_no_shell_finds_is_named_by_its_path(
    found: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "venv/bin/dsct"
    started.parent.mkdir(parents=True)
    started.touch()
    (tmp_path / "other").touch()
    (tmp_path / "link").symlink_to(started)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(started), "sweep"])
    monkeypatch.setattr(invocation.shutil, "which", lambda name: found and str(tmp_path / found))
    assert invocation.spoken("train", ["--resume"]) == f"{said} train --resume"
    assert invocation.this_command() == f"{said} sweep"


def test_another_interpreter_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["-c"])
    monkeypatch.setattr(invocation.shutil, "which", lambda name: None)
    monkeypatch.setattr(sys, "executable", str(Path.cwd() / "venv/bin/python"))
    assert invocation.spoken("train") == "venv/bin/python -m dsct_detrex train"


def test_processes_start_as_this_one_did(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [script])
    assert invocation.runnable("train") == [sys.executable, str(ROOT / "scripts" / "train.py")]
    assert invocation.this_command().endswith("sweep.py")
    monkeypatch.setattr(sys, "argv", ["/usr/bin/dsct", "sweep", "a b"])
    assert invocation.runnable("train") == [sys.executable, "-m", "dsct_detrex", "train"]
    assert invocation.this_command() == "dsct sweep 'a b'"
