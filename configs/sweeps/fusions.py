"""Fusions beside the paper's, each with the control that has the same weights and gathers nothing.

    dsct sweep --config configs/sweeps/fusions.py --seeds 3        # from scratch
    dsct sweep --config configs/sweeps/fusions.py --out DIR train.init_checkpoint=projects/demo_objects.safetensors

A row above its control, and not only above the model without contexts, gains by what it gathers.
"""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

# name: label, arguments of model.aggregation
_fusions = {
    "paper": ("as printed", ["formula=paper"]),
    "official": ("as released", ["formula=official"]),
    "scaled": ("as printed, products scaled", ["formula=paper", "scale_products=True"]),
    "projected": ("as printed, scaled and projected", ["formula=paper", "scale_products=True", "project=True"]),
    "multi_head": ("multi-head", ["formula=multi_head"]),
}


_control = "model.aggregation.gather=self"
_objects = "data.objects=True"


def _row(name, label, words):
    return dict(name=name, label=label, overrides=[f"model.aggregation.{word}" for word in words], ours=True)


sweep = L(Sweep)(
    name="fusions",
    title="fusions and their controls",
    axis="Fusion",
    base="projects/demo.py",
    scale="project",
    overrides=["dataloader.test.dataset.length=1000"],
    cells=[
        dict(
            name="subjects_only",
            label="subjects only",
            overrides=["model.use_contexts=False"],
            without=["model.aggregation"],  # there is nothing to fuse
            ours=True,
        ),
        dict(name="contexts", label="contexts, no fusion", overrides=["model.aggregation=null"], ours=True),
        *(_row(name, label, words) for name, (label, words) in _fusions.items()),
        *(
            _row(f"{name}_control", f"{_fusions[name][0]}: control", [*_fusions[name][1], "gather=self"])
            for name in ("paper", "projected", "multi_head")
        ),
        # Contexts that go on recognising things: what stays of the gain where nothing is fused, or nothing gathered.
        *(
            dict(name=f"objects_{name}", label=f"{label}, things told", overrides=[*words, _objects], ours=True)
            for name, label, words in (
                ("multi_head", "multi-head", ["model.aggregation.formula=multi_head"]),
                ("control", "multi-head: control", ["model.aggregation.formula=multi_head", _control]),
                ("contexts", "contexts, no fusion", ["model.aggregation=null"]),
            )
        ),
    ],
    note="A control has the weights of its row, and every softmax gives all its weight to the subject itself. Scaled "
    "are products over sqrt(C), projected is what is gathered, by a layer of zeros at first. "
    "Things told: contexts have a detection loss on the things of a scene.",
)
