"""One table of overrides, read by us and by hydra; every difference is named here and in the module's docstring."""

import math
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ValueType

from dsct_detrex.config.errors import ConfigError
from dsct_detrex.config.override_grammar import parse_override

ERROR = "error"

# override -> (our reading, hydra's reading where it differs on purpose)
SAME: dict[str, Any] = {
    "a=": "",
    "a= ": "",
    "a=1": 1,
    "a= 1 ": 1,
    "a=+1": 1,
    "a=-3": -3,
    "a=1_000": 1000,
    "a=1__0": "1__0",
    "a=007": "007",
    "a=0x1f": "0x1f",
    "a=1.": 1.0,
    "a=.5": 0.5,
    "a=1e-4": 1e-4,
    "a=-1.5E+3": -1500.0,
    "a=inf": math.inf,
    "a=-Inf": -math.inf,
    "a=true": True,
    "a=False": False,
    "a=TrUe": True,
    "a=null": None,
    "a=NULL": None,
    "a=on": "on",
    "a=off": "off",
    "a=yes": "yes",
    "a=none": "none",
    "a=nullable": "nullable",
    "a=hello world": "hello world",
    "a=runs/x-1/y.yaml": "runs/x-1/y.yaml",
    "a=../x": "../x",
    "a=*.py": "*.py",
    "a=50%": "50%",
    "a=C:\\x\\y": "C:\\x\\y",
    "a=detectron2://ImageNetPretrained/torchvision/R-50.pkl": "detectron2://ImageNetPretrained/torchvision/R-50.pkl",
    "a=me@host:22": "me@host:22",
    "a='runs/x y'": "runs/x y",
    'a="runs/x y"': "runs/x y",
    "a='a=b'": "a=b",
    "a='1'": "1",
    "a='null'": "null",
    "a=''": "",
    "a='it\\'s'": "it's",
    "a='x\\\\'": "x\\",
    "a='x\\y'": "x\\y",
    'a="it\'s"': "it's",
    "a=x\\=y": "x=y",
    "a=\\,x": ",x",
    "a=x\\ ": "x ",
    "a=\\[x\\]": "[x]",
    "a=${b}": "${b}",
    "a='${b}/x'": "${b}/x",
    "a=${b.c}/x": "${b.c}/x",
    "a=${oc.env:HOME,x}": "${oc.env:HOME,x}",
    "a=$x": "$x",
    "a=[]": [],
    "a=[1,2]": [1, 2],
    "a=[ 1 , x y , 'p,q' ]": [1, "x y", "p,q"],
    "a=[1 2]": ["1 2"],
    "a=[[1],[2,null]]": [[1], [2, None]],
    "a=[a:b,c]": ["a:b", "c"],
    "a={}": {},
    "a={x:1}": {"x": 1},
    "a={x: 1, y : [a]}": {"x": 1, "y": ["a"]},
    "a={x:{y:true},1:z}": {"x": {"y": True}, 1: "z"},
    "a={x:a:b}": {"x": "a:b"},
    "a.b.c=1": 1,
    "a.0.b=1": 1,
    "a-b.c_d=1": 1,
    "$a=1": 1,
    "+a=1": 1,
    "++a=1": 1,
    "~a": None,
    # what neither reads
    "a": ERROR,
    "+a": ERROR,
    "a.=1": ERROR,
    "a..b=1": ERROR,
    "a b=1": ERROR,
    "a=a=b": ERROR,
    "a=http://h/x?y=1": ERROR,
    "a=x#y": ERROR,
    "a=x&y": ERROR,
    "a=(1)": ERROR,
    "a='x": ERROR,
    "a='x'y": ERROR,
    "a=x'y'": ERROR,
    "a=[1": ERROR,
    "a=[1,]": ERROR,
    "a=[,1]": ERROR,
    "a=1]": ERROR,
    "a=}": ERROR,
    "a={x}": ERROR,
    "a={x:}": ERROR,
    "a={[1]:2}": ERROR,
    "a=${b": ERROR,
}
DIFFERENT: dict[str, tuple[Any, Any]] = {
    # we read more
    "a=None": (None, "None"),
    "a=é": ("é", ERROR),
    "a=${b.${c}}": ("${b.${c}}", ERROR),
    "a[0].b=1": (1, ERROR),
    "a[x.y]=1": (1, ERROR),
    'a={"x": 1}': ({"x": 1}, ERROR),
    "a='x' ": ("x", ERROR),
    "a=[1] ": ([1], ERROR),
    "a=x: ": ("x:", "x: "),
    "a=~/x": ("~/x", ERROR),
    # we read less
    "a=0.1,0.2": (ERROR, "sweep"),
    "a=int('3')": (ERROR, 3),
    "a=range(1,3)": (ERROR, "sweep"),
    "a/b=1": (ERROR, 1),
    "a@b=1": (ERROR, 1),
    "=1": (ERROR, 1),
    "~a=1": (ERROR, 1),
}


def ours(text: str) -> Any:
    try:
        return parse_override(text).value
    except ConfigError:
        return ERROR


def hydras(text: str) -> Any:
    try:
        override = OverridesParser.create().parse_override(text)
    except Exception:  # hydra raises its own and antlr's
        return ERROR
    return override.value() if override.value_type in (ValueType.ELEMENT, None) else "sweep"


@pytest.mark.parametrize(("text", "expected"), SAME.items())
def test_reads_as_hydra_does(text: str, expected: Any) -> None:
    assert (ours(text), type(ours(text))) == (expected, type(expected))
    assert (hydras(text), type(hydras(text))) == (expected, type(expected))


@pytest.mark.parametrize(("text", "expected", "hydra"), [(text, *pair) for text, pair in DIFFERENT.items()])
def test_differs_from_hydra_on_purpose(text: str, expected: Any, hydra: Any) -> None:
    assert (ours(text), hydras(text)) == (expected, hydra)


def test_nan() -> None:
    assert math.isnan(ours("a=NaN"))
    assert math.isnan(hydras("a=NaN"))


@pytest.mark.parametrize(
    ("text", "action", "key"),
    [
        ("a.b=1", "set", ("a", "b")),
        ("+a.b=1", "add", ("a", "b")),
        ("++a=1", "add", ("a",)),
        ("~a.b", "delete", ("a", "b")),
        ("a.0.b=1", "set", ("a", "0", "b")),
        ("a[0].b=1", "set", ("a", "0", "b")),
        ("rules[a.b]=1", "set", ("rules", "a.b")),
    ],
)
def test_action_and_key(text: str, action: str, key: tuple[str, ...]) -> None:
    override = parse_override(text)
    assert (override.action, override.key) == (action, key)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "train.max_iter",
            "Override `train.max_iter` cannot be read. Expected key=value, +new.key=value or ~key, where a key looks "
            "like train.max_iter or layers[0].dim.",
        ),
        (
            "a=b=c",
            "Override `a=b=c` cannot be read at character 4: the character = must stand in a quoted value. Quoting "
            "makes any text a value: key='a=b, c'.",
        ),
        (
            "lr=0.1,0.2",
            "Override `lr=0.1,0.2` cannot be read at character 7: a comma outside brackets is a sweep to hydra, and "
            "one run has one value; write [1,2] for a list. Quoting makes any text a value: key='a=b, c'.",
        ),
        (
            "a=[1,2",
            "Override `a=[1,2` cannot be read at character 7: expected `,` or `]` after an item of a list. Quoting "
            "makes "
            "any text a value: key='a=b, c'.",
        ),
    ],
)
def test_messages(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_override(text)
    assert str(error.value) == message
