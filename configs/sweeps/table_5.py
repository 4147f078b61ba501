"""Table 5: how many subject queries. The paper finds 4 best on EMOTIC and 9 on CAER-S."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

# N: mAP on EMOTIC, accuracy on CAER-S
_printed = {
    1: (37.14, 91.78),
    2: (36.71, 91.57),
    3: (36.61, 91.39),
    4: (37.26, 91.57),
    5: (36.70, 91.47),
    6: (36.97, 91.52),
    7: (36.03, 91.59),
    8: (36.26, 91.42),
    9: (35.92, 91.81),
    10: (35.68, 91.44),
}

sweep = L(Sweep)(
    name="table_5",
    title="number of subject queries",
    paper_table="Table 5",
    axis="Subject queries",
    cells=[
        dict(
            name=f"n{n}",
            label=str(n),
            overrides=[f"model.num_subjects={n}"],
            paper={"emotic": precision, "caer_s": accuracy},
        )
        for n, (precision, accuracy) in _printed.items()
    ],
)
