"""What a sweep says about its question, in sentences: do the rows differ at all, and is their order the paper's?"""

from __future__ import annotations

from collections.abc import Sequence

from scipy.stats import f_oneway, spearmanr

from dsct_detrex.sweep.results import Row
from dsct_detrex.sweep.setting import Setting

_ENOUGH = 3  # cells without which a rank correlation says nothing
_SURE = 0.05


def comparison(rows: Sequence[Row], setting: Setting) -> str:
    """Both sentences; empty where neither can be said yet."""
    return " ".join(filter(None, (difference_sentence(rows, setting), order_sentence(rows, setting))))


def difference_sentence(rows: Sequence[Row], setting: Setting) -> str:
    """Whether the rows differ by more than seeds do: one-way analysis of variance over the cells, seeds as repetitions.

    Empty with fewer than two cells of at least two seeds each. The test takes seeds as independent draws of equal
    spread; all cells are measured on the same people, so the test set's own sampling error is not part of it.
    """
    groups = [values for row in rows if len(values := row.values(setting.metric)) > 1]
    if len(groups) < 2 or not any(len(set(values)) > 1 for values in groups):
        return ""
    p = float(f_oneway(*groups).pvalue)
    said = f"(analysis of variance over {len(groups)} rows: p {'< 0.001' if p < 0.001 else f'= {p:.3f}'})"
    if p < _SURE:
        return f"The rows differ by more than seeds do {said}."
    return f"The rows do not differ by more than seeds do {said}: no order can be read from this table."


def order_sentence(rows: Sequence[Row], setting: Setting) -> str:
    """How far the measured order is the paper's; empty with too few cells to tell."""
    both = [row for row in rows if row.values(setting.metric) and row.cell.paper.get(setting.emotions) is not None]
    if len(both) < _ENOUGH:
        return ""
    measured = [row.mean(setting.metric) for row in both]
    reported = [row.cell.paper[setting.emotions] for row in both]
    if len(set(measured)) == 1 or len(set(reported)) == 1:
        return ""
    correlation = float(spearmanr(measured, reported).statistic)
    return f"Rank correlation with the paper's order: {correlation:+.2f} over {len(both)} rows."
