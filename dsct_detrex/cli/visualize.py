"""The command line of ``dsct visualize``."""

from __future__ import annotations

from dsct_detrex.cli.flags import CHECKPOINT, add_data, add_device, add_hosts_from, add_kept_people, add_overwrite
from dsct_detrex.cli.parser import Parser
from dsct_detrex.cli.values import count
from dsct_detrex.names import PROVIDERS, SPLITS, figures
from dsct_detrex.paths import expanded
from dsct_detrex.responsible_use import RESPONSIBLE_USE


def build_parser() -> Parser:
    parser = Parser(
        command="visualize",
        words="CHECKPOINT [PICTURE_OR_FOLDER ...] [flags]",
        description="Draw what a model sees, as in the paper's figures: on your pictures, on a split of a data set, or "
        "on drawn scenes where neither is named.",
        examples=(
            "runs/demo/dsct",
            "runs/dino_dsct photos/ --figure contexts --dpi 300",
            "runs/dino_dsct --data emotic --root DIR --beside runs/emo_net",
        ),
        notes=(
            f"Figures: {', '.join(figures())}. Without --figure, all that this model has.",
            "Exit status: 0 done; 1 nothing of what was asked for exists for this model, which is said; 2 a mistake to "
            "mend.",
            *RESPONSIBLE_USE,
        ),
    )
    add = parser.add_argument
    add("checkpoint", type=expanded, help=CHECKPOINT)
    add("inputs", nargs="*", metavar="picture", help="pictures, or folders of pictures (searched through)")
    add(
        "--figure",
        nargs="+",
        action="extend",
        default=[],
        choices=figures(),
        metavar="NAME",
        help="what to draw (default: all)",
    )
    add_data(parser)
    add("--split", choices=SPLITS, help="of --data, or of the drawn scenes (default: test)")
    add(
        "--beside",
        type=expanded,
        metavar="CHECKPOINT",
        help="another model whose activation and losses stand beside: EMO-Net, or a DSCT without contexts",
    )
    add("--images", type=count, default=2, metavar="N", help="pictures to draw, from the first (default: %(default)s)")
    add("--people", type=count, default=2, metavar="N", help="people a picture, the surest (default: %(default)s)")
    add("--many", type=count, default=200, metavar="N", help="pictures behind `places` (default: %(default)s)")
    add_kept_people(parser)
    add("--out", type=expanded, default="runs/visualize", metavar="DIR", help="where they go (default: %(default)s)")
    add("--dpi", type=count, default=160, metavar="N", help="pixels an inch; papers want 300 (default: %(default)s)")
    add_overwrite(parser, "replace figures that are in DIR")
    add_device(parser, "auto")
    add_hosts_from(parser, "detrex: the model was trained on live hosts (default: %(default)s)", PROVIDERS[0])
    return parser
