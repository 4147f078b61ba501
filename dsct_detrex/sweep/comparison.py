"""What a sweep says about its question, in sentences: do the rows differ at all, is their order the paper's, how large
are the gaps that the paper's text names?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import f, spearmanr

from dsct_detrex.data.catalogue import title_of
from dsct_detrex.sweep.printed import Gap
from dsct_detrex.sweep.results import Row
from dsct_detrex.sweep.setting import Setting
from dsct_detrex.visualization.sentences import signed

_ENOUGH = 3  # cells without which a rank correlation says nothing
_SURE = 0.05


def comparison(rows: Sequence[Row], setting: Setting) -> str:
    """What can be said yet; empty where nothing can."""
    return " ".join(filter(None, (difference_sentence(rows, setting), order_sentence(rows, setting))))


def difference_sentence(rows: Sequence[Row], setting: Setting) -> str:
    """Whether the rows differ by more than chance: an analysis of variance with the seeds as blocks.

    A seed gives every row the same pictures in the same order and, as far as they share parameters, the same initial
    weights; what a seed does to all rows alike is no difference between them. Only seeds that all measured rows have
    finished count; empty with fewer than two of them, or of rows. All rows are measured on the same people, so the
    test set's own sampling error is not part of it.
    """
    values = [found for row in rows if (found := row.by_seed(setting.metric))]
    seeds = sorted(set.intersection(*map(set, values))) if values else []
    if len(values) < 2 or len(seeds) < 2:
        return ""
    p = blocked_p_value(np.array([[found[seed] for seed in seeds] for found in values]))
    if math.isnan(p):
        return ""
    size = "< 0.001" if p < 0.001 else f"= {p:.3f}"
    said = f"(analysis of variance, {len(values)} rows by {len(seeds)} seeds: p {size})"
    if p < _SURE:
        return f"The rows differ by more than chance {said}."
    return f"The rows do not differ by more than chance {said}: no order can be read from this table."


def blocked_p_value(values: NDArray[np.float64]) -> float:
    """How often rows that are all alike would differ this much.

    Args:
        values: (R, S) one value for each row and block; both have an effect, and they add.

    Returns:
        p of the F test on the rows, R - 1 and (R - 1)(S - 1) degrees of freedom; NaN where nothing varies.
    """
    num_rows, num_blocks = values.shape
    row_means, block_means = values.mean(1, keepdims=True), values.mean(0, keepdims=True)
    between = num_blocks * ((row_means - values.mean()) ** 2).sum() / (num_rows - 1)
    freedom = (num_rows - 1) * (num_blocks - 1)
    within = ((values - row_means - block_means + values.mean()) ** 2).sum() / freedom
    if between == within == 0:
        return math.nan
    return float(f.sf(between / within if within else math.inf, num_rows - 1, freedom))


def order_sentence(rows: Sequence[Row], setting: Setting) -> str:
    """How far the measured order is the paper's, over the rows that the paper has; empty with too few to tell."""
    kind = setting.paper_kind
    both = [row for row in rows if row.values(setting.metric) and row.cell.paper.get(kind) is not None]
    if len(both) < _ENOUGH:
        return ""
    measured = [row.mean(setting.metric) for row in both]
    reported = [row.cell.paper[kind] for row in both]
    if len(set(measured)) == 1 or len(set(reported)) == 1:
        return ""
    correlation = float(spearmanr(measured, reported).statistic)
    where = "" if kind == setting.emotions.name else f" on {title_of(kind)}"
    return f"Rank correlation with the paper's order{where}: {signed(correlation)} over {len(both)} rows."


def gap_sentences(rows: Sequence[Row], setting: Setting) -> list[str]:
    """Every gap that the paper's text names, with the measured one where both rows are measured."""
    by_name = {row.cell.name: row for row in rows}
    return [
        _gap_sentence(gap, by_name[gap.better], by_name[gap.worse], setting)
        for gap in setting.sweep.gaps
        if setting.paper_kind in gap.paper
    ]


def _gap_sentence(gap: Gap, better: Row, worse: Row, setting: Setting) -> str:
    printed = f"{signed(gap.paper[setting.paper_kind])} points on {title_of(setting.paper_kind)}"
    rows = f"{better.cell.label} against {worse.cell.label}"
    points = 100 * (better.mean(setting.metric) - worse.mean(setting.metric))
    measured = "not measured here yet" if math.isnan(points) else f"{signed(points)} here"
    return f"{gap.about[0].upper()}{gap.about[1:]} ({rows}): {printed} in the paper, {measured}."
