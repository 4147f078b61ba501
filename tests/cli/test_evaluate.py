"""``dsct eval``: weights and a config, or a release, which has both."""

from pathlib import Path

import pytest

from dsct_detrex.cli.evaluate import parse
from dsct_detrex.cli.train import Arguments
from dsct_detrex.errors import UserError


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("best.safetensors", Arguments("best.safetensors", eval_only=True, weights="best.safetensors")),
        ("--weights a.safetensors", Arguments("a.safetensors", eval_only=True, weights="a.safetensors")),
        ("-c dino_dsct last.pth", Arguments("dino_dsct", eval_only=True, weights="last.pth")),
        (
            "data.on_error=skip a.safetensors --split test --data emotic --root d --out o --device cuda:1",
            Arguments(
                "a.safetensors",
                ("data.on_error=skip",),
                data="emotic",
                data_root="d",
                split="test",
                weights="a.safetensors",
                out="o",
                eval_only=True,
                device="cuda:1",
            ),
        ),
    ],
)
def test_what_is_understood(line: str, arguments: Arguments) -> None:
    assert parse(line.split()) == arguments


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "eval expects one file of weights. Got none."),
        ("a.safetensors b.safetensors", "eval expects one file of weights. Got a.safetensors, b.safetensors."),
        ("a.safetensors --weights b.safetensors", "Got a.safetensors, b.safetensors."),
        ("nowhere/last.pth", "of a run. nowhere/last.pth is not there: check the path."),
        (".", "eval expects a file of weights, e.g. best.safetensors of a run. . is a folder: name a release in it."),
        ("last.pth", "eval: last.pth is no release (*.safetensors), which has its config inside: name the config"),
        ("a.safetensors --split tset", "--split expects one of train, val, test. Got 'tset'. Did you mean `test`?"),
        ("a.safetensors --resume", "eval: unknown flag --resume."),
        ("a.safetensors --epochs 3", "eval: unknown flag --epochs."),
    ],
)
def test_what_is_not_understood(line: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "last.pth").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        parse(line.split())
    assert message in str(caught.value)
