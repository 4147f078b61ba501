"""A user's own COCO-style files: EMOTIC's loaders with another reader. The emotions are those of the files.

``data.kind`` and ``data.emotions`` state what is found out otherwise, and said; docs/data.md has the layouts.
"""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.data.sets.coco.beside import object_classes_of_files
from dsct_detrex.data.sets.coco import CocoDataset, emotions_of_files

from .emotic import classification, dataloader

data = dict(
    root="datasets/coco",
    annotations=dict(train=None, val=None, test=None),  # null: looked for in root
    images=None,  # null: looked for in root; else a folder, may hold {split}
    kind=None,  # multi_label or multi_class; null: as the files have it
    emotions=None,  # a list of names in their order; null: as the training file has them
    name=None,  # of the label set; null: that of the folder
    box_format=None,  # xywh or xyxy, for a file that is not COCO's xywh
    held_out=None,  # 0.2: a fifth of the training pictures is val; null: val has a file of its own
    objects=None,  # COCO-style files of the things in the pictures, beside the people of annotations
    on_error="raise",
)
data["object_classes"] = L(object_classes_of_files)(root="${data.root}", files="${data.objects}")
emotions = L(emotions_of_files)(
    root="${data.root}",
    annotations="${data.annotations}",
    kind="${data.kind}",
    names="${data.emotions}",
    name="${data.name}",
)

for split, loader in (("train", dataloader.train), ("val", dataloader.test)):
    loader.dataset = L(CocoDataset)(
        root="${data.root}",
        split=split,
        emotions="${emotions}",
        annotations="${data.annotations}",
        images="${data.images}",
        on_error="${data.on_error}",
        box_format="${data.box_format}",
        held_out="${data.held_out}",
    )
for _key in ("objects", "object_classes"):
    dataloader.train.dataset[_key] = "${data." + _key + "}"
dataloader.evaluator.dataset_name = "${emotions.name}"
