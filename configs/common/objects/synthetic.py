"""Drawn scenes with the things in them: no download, every box known from the painting."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.data import DatasetMapper, build_test_loader, build_train_loader, eval_transforms, train_transforms
from dsct_detrex.data.synthetic import DRAWN_THINGS, HELD, SyntheticThings
from dsct_detrex.evaluation import ObjectEvaluator
from dsct_detrex.objective import focal_for
from dsct_detrex.structures import ObjectClasses

emotions = L(ObjectClasses)(name=DRAWN_THINGS.name, names=list(DRAWN_THINGS.names))
classification = L(focal_for)(emotions="${emotions}", alpha=0.25, gamma=2.0)
data = dict(root=None, on_error="raise")

dataloader = dict(
    train=L(build_train_loader)(
        dataset=L(SyntheticThings)(split="train", length=100_000, seed=0, size=(356, 200)),
        mapper=L(DatasetMapper)(
            transforms=L(train_transforms)(scales=(192, 208, 224), max_size=480, crop_probability=0.0),
            emotions="${emotions}",
            is_train=True,
        ),
        total_batch_size=32,
        num_workers=2,
        seed="${train.seed}",
    ),
    test=L(build_test_loader)(
        dataset=L(SyntheticThings)(split="val", length=512, seed=0, size=(356, 200)),
        mapper=L(DatasetMapper)(
            transforms=L(eval_transforms)(size=208, max_size=480),
            emotions="${emotions}",
            is_train=False,
        ),
        batch_size=8,
        num_workers=2,
    ),
    evaluator=L(ObjectEvaluator)(
        classes="${emotions}",
        groups=dict(held=list(HELD)),
        output_dir=None,  # a folder for all detections, as a COCO result file
        dataset_name="synthetic_things",
    ),
)
