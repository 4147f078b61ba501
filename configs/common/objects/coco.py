"""A user's own COCO-style files of things: categories are classes (``data/sets/coco/objects.py``)."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.data.sets.coco.objects import CocoObjects, classes_of_files
from dsct_detrex.evaluation import ObjectEvaluator

from ..data.emotic import classification, dataloader

data = dict(
    root="datasets/coco",
    annotations=dict(train=None, val=None, test=None),  # null: looked for in root
    images=None,  # null: looked for in root; else a folder, may hold {split}
    classes=None,  # a list of names in their order, all that are annotated; null: the categories of the training file
    name=None,  # of the set of classes; null: that of the folder
    box_format=None,  # xywh or xyxy, for a file that is not COCO's xywh
    held_out=None,  # 0.2: a fifth of the training pictures is val; null: val has a file of its own
    on_error="raise",
)
emotions = L(classes_of_files)(
    root="${data.root}", annotations="${data.annotations}", names="${data.classes}", name="${data.name}"
)

for split, loader in (("train", dataloader.train), ("val", dataloader.test)):
    loader.dataset = L(CocoObjects)(
        root="${data.root}",
        split=split,
        emotions="${emotions}",
        annotations="${data.annotations}",
        images="${data.images}",
        on_error="${data.on_error}",
        box_format="${data.box_format}",
        held_out="${data.held_out}",
    )
dataloader.evaluator = L(ObjectEvaluator)(
    classes="${emotions}", groups=dict(), output_dir=None, dataset_name="${emotions.name}"
)
