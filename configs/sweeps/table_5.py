"""Table 5: how many subject queries. The paper finds 4 best on EMOTIC and 9 on CAER-S."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .notes import paper, rows_are_ours

_best = {4: {"emotic": paper.full_model.emotic}, 9: {"caer_s": paper.full_model.caer_s}}

sweep = L(Sweep)(
    name="table_5",
    title="number of subject queries",
    paper_table="Table 5",
    axis="Subject queries",
    cells=[
        dict(name=f"n{n}", label=str(n), overrides=[f"model.num_subjects={n}"], paper=_best.get(n))
        for n in range(1, 11)
    ],
    note=rows_are_ours["note"],
)
