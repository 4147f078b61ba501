"""Figure 11: how many contexts are chosen in space and in meaning.

The paper's figure is a plot without printed values; its text gives two differences.
"""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

_named = [(100, 50), (300, 50), (100, 300)]  # the best, and what the text compares with it
_counts = (0, 25, 50, 100)
_pairs = [*_named, *((spatial, semantic) for spatial in _counts for semantic in _counts)]

sweep = L(Sweep)(
    name="figure_11",
    title="numbers of chosen contexts",
    paper_table="Figure 11",
    axis="K_sp, K_sm",
    cells=[
        dict(
            name=f"sp{spatial}_sm{semantic}",
            label=f"{spatial}, {semantic}",
            overrides=[f"model.aggregation.k_spatial={spatial}", f"model.aggregation.k_semantic={semantic}"],
            ours=(spatial, semantic) not in _named,
        )
        for spatial, semantic in dict.fromkeys(_pairs)
    ],
    gaps=[
        dict(better="sp100_sm50", worse="sp300_sm50", paper={"emotic": 0.41}, about="K_sp = 100 above K_sp = 300"),
        dict(better="sp100_sm50", worse="sp100_sm300", paper={"emotic": 0.39}, about="K_sm = 50 above K_sm = 300"),
    ],
    note="The paper prints no values; its text says that K_sp = 100 is best, 0.41 points above 300, and K_sm = 50, "
    "0.39 points above 300. A model has 300 contexts, at demo scale 60; a larger number takes all there are.",
)
