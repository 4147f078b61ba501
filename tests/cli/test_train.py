"""Flags and overrides in any order; what is not understood is an error with a suggestion."""

import pytest

from dsct_detrex.cli.train import parse
from dsct_detrex.errors import UserError


@pytest.mark.parametrize(
    "line",
    [
        "--config a.py --resume train.max_iter=3 +x.y=1",
        "train.max_iter=3 --config a.py +x.y=1 --resume",
        "--resume train.max_iter=3 +x.y=1 -c a.py",
        "--config-file=a.py train.max_iter=3 --resume +x.y=1",
    ],
)
def test_overrides_stand_anywhere(line: str) -> None:
    arguments = parse(line.split())
    assert arguments.config == "a.py"
    assert arguments.resume
    assert arguments.overrides == ("train.max_iter=3", "+x.y=1")


def test_values_with_equals_and_spaces_survive() -> None:
    arguments = parse(["-c", "a=b.py", "train.output_dir=runs/x y=z", "name='a=b'", "~model.host"])
    assert arguments.config == "a=b.py"
    assert arguments.overrides == ("train.output_dir=runs/x y=z", "name='a=b'", "~model.host")


@pytest.mark.parametrize(
    ("words", "mode", "overrides"),
    [
        (["--wandb", "train.max_iter=3"], "", ("train.max_iter=3",)),
        (["--wandb=offline", "a=1"], "offline", ("a=1",)),
        (["--wandb", "disabled"], "disabled", ()),
        (["a=1"], None, ("a=1",)),
    ],
)
def test_wandb_takes_its_mode_but_no_override(words: list[str], mode: str | None, overrides: tuple[str, ...]) -> None:
    arguments = parse(["-c", "a.py", *words])
    assert arguments.wandb == mode
    assert arguments.overrides == overrides


def test_all_flags() -> None:
    line = "-c a.py --data emotic --data-root d --resume --dry-run --num-gpus 2 --device cpu --epochs 1.5 --amp"
    line += " --hosts-from detrex --weights w.pth --out o --seed 3 --opts train.max_iter=2 model.x=1"
    arguments = parse(line.split())
    assert (arguments.data, arguments.data_root, arguments.num_gpus, arguments.device) == ("emotic", "d", 2, "cpu")
    assert (arguments.resume, arguments.dry_run, arguments.epochs, arguments.amp) == (True, True, 1.5, True)
    assert arguments.hosts_from == "detrex"
    assert (arguments.weights, arguments.out, arguments.seed) == ("w.pth", "o", 3)
    assert arguments.overrides == ("train.max_iter=2", "model.x=1")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-c a.py --resum", "unknown flag --resum. Did you mean `--resume`"),
        ("-c a.py --epoch=3", "unknown flag --epoch=3. Did you mean `--epochs`"),
        ("-c a.py resume", "'resume' is neither a flag nor an override of the form key=value."),
        ("dino_dsct --dry-run", "of the form key=value. Did you mean `--config dino_dsct`?"),
        ("projects/mine.py", "of the form key=value. Did you mean `--config projects/mine.py`?"),
        ("--resume", "--config FILE is missing."),
        ("-c a.py --device tpu", "--device expects auto, cpu, cuda, cuda:N or mps. Got tpu."),
        ("-c a.py --hosts-from mmdet", "--hosts-from expects one of embedded, detrex. Got 'mmdet'."),
        ("-c a.py --num-gpus two", "--num-gpus expects a whole number of at least 0. Got two"),
        ("-c", "--config/--config-file/-c expected one argument"),
    ],
)
def test_what_is_not_understood(line: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(line.split())
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("flag", ["--resume", "--dry-run", "--epochs=2", "--amp", "--seed=0"])
def test_an_evaluation_trains_nothing(flag: str) -> None:
    name = flag.split("=")[0]
    with pytest.raises(UserError, match=f"{name} has no effect with --eval-only, which trains nothing: "):
        parse(["--config", "x.py", flag, "--eval-only"])
    assert parse(["--config", "x.py", "--eval-only"]).eval_only
