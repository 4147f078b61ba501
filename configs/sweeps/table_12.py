"""Table 12: early and late fusion of subject and context, by the number of people in the image.

The paper's late fusion is that of the last decoder layer, its early fusion that of all six. Rows of ours lie around
them: two branches joined behind their pooled features (EMO-Net), and the last or first three layers.
"""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .notes import dsct_by_people, images, six_layers

_late = dict(emotic={"1": 36.94, "2": 35.02, "3": 31.21, "4": 40.52, "5plus": 35.36})


def _cell(name, label, layers, **more):
    return dict(name=name, label=label, overrides=[six_layers, f"model.fusion_layers={layers}"], **more)


sweep = L(Sweep)(
    name="table_12",
    title="early and late fusion, by number of people",
    paper_table="Table 12",
    axis="Fusion",
    cells=[
        _cell("late", "late (6th layer)", "[5]", paper_by_people=_late),
        _cell("early", "early (all layers)", "null", paper_by_people=dsct_by_people),
        dict(name="emo_net_r50", label="EMO-Net-R50, behind both", base="projects/emo_net_r50.py", ours=True),
        _cell("last_three", "4th to 6th layer", "[3,4,5]", ours=True),
        _cell("first_three", "1st to 3rd layer", "[0,1,2]", ours=True),
    ],
    by_people=True,
    images=images,
    note="EMO-Net is given the annotated boxes.",
)
