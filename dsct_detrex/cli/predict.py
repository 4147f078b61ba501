"""The command line of ``dsct predict``: every flag checked for its range, every mistake one sentence."""

from __future__ import annotations

from dsct_detrex.cli.flags import add_device, add_hosts_from
from dsct_detrex.cli.parser import Parser
from dsct_detrex.cli.values import count, share
from dsct_detrex.names import PROVIDERS
from dsct_detrex.paths import expanded
from dsct_detrex.responsible_use import RESPONSIBLE_USE

REWRITES = ("all", "none")
ON_ERROR = ("report", "skip", "raise")


def build_parser() -> Parser:
    parser = Parser(
        command="predict",
        words="CHECKPOINT PICTURE_OR_FOLDER ... [flags]",
        description="Find people and their emotions in pictures.",
        examples=("runs/demo/dsct/best.safetensors photo.jpg", "runs/dino_dsct photos/ --out found --threshold 0.5"),
        notes=(
            "Exit status: 0 done; 1 pictures could not be read, all others are done; 2 a mistake to mend, or no "
            "picture could be read; 130 interrupted.",
            *RESPONSIBLE_USE,
        ),
    )
    add = parser.add_argument
    add("checkpoint", type=expanded, help="a run's folder, or its best.safetensors, last.safetensors or last.pth")
    add("inputs", nargs="+", metavar="picture", help="pictures, or folders of pictures (searched through)")
    add("--out", type=expanded, default="runs/predict", metavar="DIR", help="where results go (default: %(default)s)")
    add(
        "--threshold",
        type=share,
        default=0.3,
        metavar="X",
        help="least confidence of a person, 0 to 1 (default: %(default)s)",
    )
    add("--nms", type=share, default=0.5, metavar="X", help="largest overlap of two people, IoU (default: %(default)s)")
    add("--max-emotions", type=count, default=3, metavar="N", help="lines drawn per person (default: %(default)s)")
    add("--batch-size", type=count, default=1, metavar="N", help="pictures at a time (default: %(default)s)")
    add_device(parser, "auto")
    add(
        "--rewrites",
        default=REWRITES[0],
        choices=REWRITES,
        help="whether exact rewrites make the model faster; none computes it as it is written (default: %(default)s)",
    )
    add(
        "--on-error",
        default=ON_ERROR[0],
        choices=ON_ERROR,
        help="a picture that cannot be read: report: its row has the reason, exit status 1 at the end; skip: the same "
        "with exit status 0; raise: stop there (default: %(default)s)",
    )
    add_hosts_from(parser, "detrex: the model was trained on live hosts (default: %(default)s)", PROVIDERS[0])
    add("--no-pictures", action="store_true", help="write the JSON only")
    return parser
