"""Scenes drawn on the fly: no download, exact bounds. ``emotions.name=emotic`` turns them into 26-label scenes.
Training watches val; evaluate the result with ``--eval-only dataloader.test.dataset.split=test``."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.data import DatasetMapper, build_test_loader, build_train_loader, eval_transforms, train_transforms
from dsct_detrex.data.synthetic import DRAWN_THINGS, SyntheticScenes, synthetic_references
from dsct_detrex.evaluation import EmotionEvaluator
from dsct_detrex.objective import focal_for
from dsct_detrex.structures import ObjectClasses, get_emotions, if_annotated

emotions = L(get_emotions)(name="caer_s")
classification = L(focal_for)(emotions="${emotions}", alpha=0.25, gamma=2.0)
data = dict(
    root=None,
    objects=False,  # True: the things of every scene are annotated too, for a detection loss on contexts
    object_classes=L(if_annotated)(
        annotated="${oc.select:data.objects,False}",
        classes=L(ObjectClasses)(name=DRAWN_THINGS.name, names=list(DRAWN_THINGS.names)),
    ),
    on_error="raise",
)

dataloader = dict(
    train=L(build_train_loader)(
        dataset=L(SyntheticScenes)(
            format="${emotions.name}",
            split="train",
            length=4096,
            seed=0,
            size=(356, 200),
            objects="${oc.select:data.objects,False}",
        ),
        mapper=L(DatasetMapper)(
            # Scenes are small already: the recipe of EMOTIC at half its sizes, without the crop.
            transforms=L(train_transforms)(scales=(192, 208, 224), max_size=480, crop_probability=0.0),
            emotions="${emotions}",
            is_train=True,
            objects="${oc.select:data.object_classes,null}",
        ),
        total_batch_size=32,
        num_workers=2,
        seed="${train.seed}",
    ),
    test=L(build_test_loader)(
        dataset=L(SyntheticScenes)(format="${emotions.name}", split="val", length=512, seed=0, size=(356, 200)),
        mapper=L(DatasetMapper)(
            transforms=L(eval_transforms)(size=208, max_size=480),
            emotions="${emotions}",
            is_train=False,
        ),
        batch_size=8,
        num_workers=2,
    ),
    evaluator=L(EmotionEvaluator)(
        emotions="${emotions}",
        protocol="${oc.select:evaluation.protocol,paper}",  # a project may need another one (emo_net_r50.py)
        dataset_name="synthetic",
        output_dir=None,  # a folder for all predicted boxes, as a COCO result file
        references=L(synthetic_references)(format="${emotions.name}"),
    ),
)
