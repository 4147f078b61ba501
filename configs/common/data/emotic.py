"""EMOTIC on the user's disk, with the official augmentation. Model choice looks at val, never at test:
evaluate the chosen checkpoint with ``--eval-only dataloader.test.dataset.split=test``."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.data import (
    DatasetMapper,
    EmoticDataset,
    build_test_loader,
    build_train_loader,
    eval_transforms,
    train_transforms,
)
from dsct_detrex.data.sets.coco.beside import object_classes_of_files
from dsct_detrex.evaluation import EmotionEvaluator
from dsct_detrex.objective import focal_for
from dsct_detrex.structures import get_emotions

emotions = L(get_emotions)(name="emotic")
classification = L(focal_for)(emotions="${emotions}", alpha=0.25, gamma=2.0)
data = dict(
    root="datasets/emotic",
    boxes=dict(train="auto", test="auto"),  # body, head, or auto: one kind for all splits; two kinds must be asked for
    box_format=None,  # xywh or xyxy, for a JSON file that is not COCO's xywh
    objects=None,  # COCO-style files of the things in some pictures, as COCO's own instances_train2017.json
    on_error="raise",
)
data["object_classes"] = L(object_classes_of_files)(root="${data.root}", files="${data.objects}")

dataloader = dict(
    train=L(build_train_loader)(
        dataset=L(EmoticDataset)(
            root="${data.root}",
            split="train",
            boxes="${data.boxes}",
            annotations=None,
            on_error="${data.on_error}",
            box_format="${data.box_format}",
            objects="${data.objects}",
            object_classes="${data.object_classes}",
        ),
        mapper=L(DatasetMapper)(
            transforms=L(train_transforms)(
                scales=list(range(480, 801, 32)),
                max_size=1333,
                flip=0.5,
                crop_probability=0.5,
                crop_scales=[400, 500, 600],
                crop_min=384,
                crop_max=600,
            ),
            emotions="${emotions}",
            is_train=True,
            objects="${oc.select:data.object_classes,null}",  # not every data set has them
        ),
        total_batch_size=32,
        num_workers=4,
        draft=True,  # JPEGs at 1/2, 1/4 or 1/8 of their size where training shrinks them further
        seed="${train.seed}",
        on_error="${data.on_error}",
    ),
    test=L(build_test_loader)(
        dataset=L(EmoticDataset)(
            root="${data.root}",
            split="val",
            boxes="${data.boxes}",
            annotations=None,
            on_error="${data.on_error}",
            box_format="${data.box_format}",
        ),
        mapper=L(DatasetMapper)(
            transforms=L(eval_transforms)(size=800, max_size=1333), emotions="${emotions}", is_train=False
        ),
        batch_size=1,
        num_workers=4,
        draft=False,  # the pixels that every score so far stands on
        on_error="${data.on_error}",
    ),
    evaluator=L(EmotionEvaluator)(
        emotions="${emotions}",
        protocol="${oc.select:evaluation.protocol,paper}",
        dataset_name="EMOTIC",
        output_dir=None,  # a folder for all predicted boxes, as a COCO result file
    ),
)
