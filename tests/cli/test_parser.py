"""The parser of every command: signs that argparse reads itself, and help of subcommands."""

import pytest

from dsct_detrex.cli.parser import Parser
from dsct_detrex.errors import UserError


def test_per_cent_signs_are_text() -> None:
    parser = Parser(command="train", words="100% x", examples=("50% y",), notes=("3 % of it",), description="5 % d")
    text = parser.format_help()
    for part in ("100% x", "50% y", "3 % of it", "5 % d"):
        assert part in text
    assert "%%" not in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--nmae", "x"], "train: unknown flag --nmae. Did you mean `--name`? Run with --help for all flags."),
        (["--name=x", "more"], "train: 'more' is a word too many. Run with --help for all flags."),
        (["--kind", "c"], "train: --kind expects one of a, b. Got 'c'. Run with --help for all flags."),
        (
            ["--mode", "tset"],
            "train: --mode expects one of test, train. Got 'tset'. Did you mean `test`? Run with --help for all flags.",
        ),
        (["--name"], "train: --name expected one argument. Run with --help for all flags."),
        (["--nam", "x"], "train: unknown flag --nam. Did you mean `--name`? Run with --help for all flags."),
    ],
)
def test_mistakes(words: list[str], said: str) -> None:
    parser = Parser(command="train")
    parser.add_argument("--name", help="x")
    parser.add_argument("--mode", choices=("test", "train"), help="x")
    parser.add_argument("--kind", choices=("a", "b"), help="x")
    with pytest.raises(UserError) as error:
        parser.read(words)
    assert str(error.value) == said
