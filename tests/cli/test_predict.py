"""Every flag has a range, and a sentence that names the flag, the range and the value."""

import pytest

from dsct_detrex.cli.predict import build_parser
from dsct_detrex.errors import UserError

COUNT = "a whole number of at least 1"
SHARE = "a number from 0 to 1"


@pytest.mark.parametrize(
    ("flag", "value", "expected"),
    [
        *(("--batch-size", value, COUNT) for value in ("0", "-1", "1.5", "two", "", "nan", "1e3")),
        *(("--max-emotions", value, COUNT) for value in ("0", "-1", "all")),
        *(("--threshold", value, SHARE) for value in ("30", "nan", "-0.1", "1.01", "inf", "0,5", "30%", "")),
        *(("--nms", value, SHARE) for value in ("50", "nan", "-1", "none")),
    ],
)
def test_a_value_out_of_range_is_one_sentence(flag: str, value: str, expected: str) -> None:
    for words in ([flag, value], [f"{flag}={value}"]):
        with pytest.raises(UserError) as error:
            build_parser().read(["x.safetensors", "a.jpg", *words])
        assert str(error.value) == f"predict: {flag} expects {expected}. Got {value}. Run with --help for all flags."


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--treshold", "0.5"], r"unknown flag --treshold\. Did you mean `--threshold`\?"),
        (["--batchsize=2"], r"unknown flag --batchsize=2\. Did you mean `--batch-size`\?"),
        (["--thresh", "0.5"], r"unknown flag --thresh"),
        (["--on-error", "ignore"], r"--on-error expects one of report, skip, raise\. Got .ignore."),
        (["--threshold"], r"--threshold: expected one argument|--threshold expected one argument"),
    ],
)
def test_an_unknown_flag_or_word_is_one_sentence(words: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        build_parser().read(["x.safetensors", "a.jpg", *words])


@pytest.mark.parametrize("words", [[], ["x.safetensors"], ["--out", "o"]])
def test_what_is_missing_is_one_sentence(words: list[str]) -> None:
    with pytest.raises(UserError, match=r"predict: the following arguments are required: .*picture"):
        build_parser().read(words)


def test_the_ends_of_the_ranges_are_inside() -> None:
    words = ["--threshold", "0", "--nms", "1", "--batch-size", "1", "--max-emotions", "26"]
    flags = build_parser().read(["x.safetensors", "a.jpg", *words])
    assert (flags.threshold, flags.nms, flags.batch_size, flags.max_emotions) == (0.0, 1.0, 1, 26)


def test_flags_and_pictures_stand_in_any_order() -> None:
    flags = build_parser().read(["--nms", "0.4", "x.safetensors", "a.jpg", "--out", "o", "b.jpg", "--no-pictures", "c"])
    assert flags.checkpoint == "x.safetensors"
    assert flags.inputs == ["a.jpg", "b.jpg", "c"]
    assert (flags.out, flags.nms, flags.no_pictures) == ("o", 0.4, True)


def test_a_picture_that_begins_with_a_dash_stands_behind_two() -> None:
    assert build_parser().read(["x.safetensors", "--", "-a.jpg"]).inputs == ["-a.jpg"]
