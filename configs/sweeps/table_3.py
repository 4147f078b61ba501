"""Table 3: the weights of the class in matching (theta of Eq. 2) and in the loss (lambda of Eq. 3).

The weights of the box are 5 in both, throughout; the paper's "box" is the L1 distance, and the GIoU keeps the official
code's 2 (docs/paper-vs-code.md).
"""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

# (theta, lambda): mAP
_printed = {
    (5, 2): 35.41,
    (10, 2): 35.89,
    (15, 2): 35.41,
    (2, 5): 36.01,
    (2, 10): 34.99,
    (2, 15): 34.64,
    (2, 2): 35.94,
    (5, 5): 35.00,
    (10, 10): 35.05,
    (15, 15): 34.75,
    (1, 10): 34.70,
    (1, 8): 35.45,
}
_ours = [(0, 5), (1, 5), (2, 1), (2, 9)]  # one weight changed at a time; (2, 9) is the official run.sh on CAER-S


def _cell(theta, weight):
    return dict(
        name=f"theta{theta}_lambda{weight}",
        label=f"{theta}, {weight}",
        overrides=[
            f"subject_training.default.matcher.cost_class={theta}",
            f"model.criterion.weight_class={weight}",
        ],
    )


sweep = L(Sweep)(
    name="table_3",
    title="weights of the class",
    paper_table="Table 3",
    axis="Theta, lambda",
    cells=[
        *(_cell(*pair) | dict(paper={"emotic": precision}) for pair, precision in _printed.items()),
        *(_cell(*pair) | dict(ours=True) for pair in _ours),
    ],
    note="Theta is the weight of the class in matching, lambda in the loss; those of the box (L1) are 5, of GIoU 2. "
    "Theta 2, lambda 5 is the full model, which has 37.26 mAP in the paper's other tables and 36.01 in this one.",
)
