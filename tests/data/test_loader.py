"""Loaders: the same batches for any number of workers and after resuming, and errors that arrive as one sentence."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image

from dsct_detrex.data import (
    CaerSDataset,
    DatasetMapper,
    EmoticDataset,
    Subset,
    TrainLoader,
    build_test_loader,
    build_train_loader,
    describe,
    eval_transforms,
    train_transforms,
)
from dsct_detrex.data import loader as loader_module
from dsct_detrex.data.fetching import Fetched
from dsct_detrex.data.order import Draw
from dsct_detrex.errors import UserError
from dsct_detrex.structures import CAER_S, EMOTIC

TRAIN = DatasetMapper(train_transforms((24, 32), 60, crop_scales=(30,), crop_min=16, crop_max=24), EMOTIC, True)
EVAL = DatasetMapper(eval_transforms(24, 60), EMOTIC, False)


@pytest.fixture
def root(make_emotic: Callable[..., Path]) -> Path:
    return make_emotic(images=11)


@pytest.fixture
def dataset(root: Path) -> EmoticDataset:
    return EmoticDataset(str(root), "train")


def train_loader(dataset: Any, **arguments: Any) -> TrainLoader:
    return build_train_loader(dataset, TRAIN, **{"total_batch_size": 4, "num_workers": 0, "seed": 5, **arguments})


def content(batch: list[dict[str, Any]]) -> list[Any]:
    """Everything in a batch, comparable with ``==``."""
    return [
        (
            x["image_id"],
            x["image"].tolist(),
            x["instances"].gt_boxes.tensor.tolist(),
            x["instances"].gt_multilabels.tolist(),
        )
        for x in batch
    ]


def take(loader: TrainLoader, count: int) -> list[Any]:
    return [content(batch) for batch in islice(loader, count)]


def test_batches_do_not_depend_on_workers(dataset: EmoticDataset) -> None:
    torch.manual_seed(0)
    here = take(train_loader(dataset), 7)
    torch.manual_seed(1)
    assert take(train_loader(dataset, num_workers=2), 7) == here
    assert take(train_loader(dataset, seed=6), 7) != here


@pytest.mark.parametrize("num_workers", [0, 1])
def test_resuming_continues_bit_for_bit(num_workers: int, dataset: EmoticDataset) -> None:
    whole = take(train_loader(dataset), 8)
    first = train_loader(dataset, num_workers=num_workers)
    assert take(first, 3) == whole[:3]
    assert first.state_dict() == {"iteration": 3}
    second = train_loader(dataset, num_workers=num_workers)
    second.load_state_dict(first.state_dict())
    assert take(second, 5) == whole[3:]
    second.set_start(6)
    assert take(second, 2) == whole[6:]
    assert second.iteration == 8


def test_augmentation_differs_between_epochs(dataset: EmoticDataset) -> None:
    loader = train_loader(dataset, total_batch_size=1)
    seen: dict[int, list[Any]] = {}
    for batch in islice(loader, 5 * loader.steps_per_epoch):
        seen.setdefault(batch[0]["image_id"], []).append(content(batch))
    assert all(len({str(c) for c in contents}) > 1 for contents in seen.values())


def test_reading_images_leaves_the_random_state_of_the_model_alone(dataset: EmoticDataset) -> None:
    for num_workers in (0, 1):
        torch.manual_seed(4)
        expected = torch.rand(3)
        torch.manual_seed(4)
        take(train_loader(dataset, num_workers=num_workers), 2)
        assert torch.equal(torch.rand(3), expected)


def test_processes_share_the_batches_of_one(dataset: EmoticDataset) -> None:
    alone = take(train_loader(dataset), 5)
    shards = [take(train_loader(dataset, rank=rank, world_size=2), 5) for rank in (0, 1)]
    assert [a + b for a, b in zip(*shards)] == alone


def test_place_is_asked_of_torch_distributed(dataset: EmoticDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader_module.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(loader_module.distributed, "get_rank", lambda: 1)
    monkeypatch.setattr(loader_module.distributed, "get_world_size", lambda: 2)
    asked = take(train_loader(dataset), 2)
    ids = [x["image_id"] for batch in build_test_loader(dataset, EVAL, num_workers=0) for x in batch]
    monkeypatch.undo()
    assert asked == take(train_loader(dataset, rank=1, world_size=2), 2)
    assert ids == [6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_evaluation_is_finite_and_in_order(num_workers: int, dataset: EmoticDataset) -> None:
    loader = build_test_loader(dataset, EVAL, batch_size=3, num_workers=num_workers)
    for _ in range(2):
        found = [[x["image_id"] for x in batch] for batch in loader]
        assert found == [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11]]
    assert len(loader) == 4
    assert loader.report.images == 11
    shards = [build_test_loader(dataset, EVAL, num_workers=0, rank=rank, world_size=3) for rank in range(3)]
    assert [x["image_id"] for shard in shards for batch in shard for x in batch] == list(range(1, 12))


@pytest.mark.parametrize("num_workers", [0, 2])
def test_evaluation_batches_are_of_one_size(num_workers: int, root: Path) -> None:
    """As the model will see them; every input says where in the data set it is."""

    class Turned(Faulty):
        """Two of three pictures stand."""

        def __len__(self) -> int:
            return 7

        def record(self, index: int) -> Any:
            width, height = self.load_image(index).size
            return {"file_name": str(index), "image_id": 9 - index, "height": height, "width": width, "annotations": []}

        def load_image(self, index: int) -> Image.Image:
            return Image.new("RGB", (40 + index, 60 + index) if index % 3 else (60, 40))

    mapper = DatasetMapper(eval_transforms(8, 12), EMOTIC, False)
    loader = build_test_loader(Turned(die=False), mapper, batch_size=2, num_workers=num_workers)
    found = [[(x["index"], tuple(x["image"].shape[-2:])) for x in batch] for batch in loader]
    assert [[index for index, _ in batch] for batch in found] == [[1, 2], [0, 3], [4, 5], [6, 7][:1]]
    assert all(len({size for _, size in batch}) == 1 for batch in found)
    assert len(loader) == 4


def break_images(root: Path, *numbers: int) -> None:
    for number in numbers:
        path = root / f"emotic/mscoco/images/{number:04d}.jpg"
        path.write_bytes(path.read_bytes()[:300])


@pytest.mark.parametrize("num_workers", [0, 2])
def test_broken_image_stops_with_its_sentence(num_workers: int, dataset: EmoticDataset, root: Path) -> None:
    break_images(root, 6)
    for loader in (
        train_loader(dataset, num_workers=num_workers),
        build_test_loader(dataset, EVAL, num_workers=num_workers),
    ):
        with pytest.raises(UserError) as caught:
            list(islice(loader, 12))
        message = str(caught.value)
        assert message.startswith(f"The image {root / 'emotic/mscoco/images/0006.jpg'} cannot be read (")
        assert "Traceback" not in message
        assert "\n" not in message
        assert message.endswith('Or set on_error="skip" to go on without such pictures.')


@pytest.mark.parametrize("num_workers", [0, 2])
def test_training_takes_another_image(num_workers: int, dataset: EmoticDataset, root: Path) -> None:
    intact = take(train_loader(dataset), 6)
    break_images(root, 6, 2)
    loader = train_loader(dataset, num_workers=num_workers, on_error="skip")
    batches = take(loader, 6)
    assert batches == take(train_loader(dataset, on_error="skip"), 6)
    assert all(len(batch) == 4 for batch in batches)
    for batch, before in zip(batches, intact):
        assert all(found == old for found, old in zip(batch, before) if old[0] not in (2, 6))
        assert all(found[0] not in (2, 6) for found in batch)
    assert loader.report.counts["unreadable_images"] >= 4
    assert {Path(p).name for p in loader.report.examples["unreadable_images"]} == {"0002.jpg", "0006.jpg"}


@pytest.mark.parametrize("num_workers", [0, 2])
def test_evaluation_goes_on_without(num_workers: int, dataset: EmoticDataset, root: Path) -> None:
    break_images(root, 4, 6, 11)
    loader = build_test_loader(dataset, EVAL, batch_size=2, num_workers=num_workers, on_error="skip")
    for _ in range(2):
        found = [[x["image_id"] for x in batch] for batch in loader]
        assert found == [[1, 2], [3], [5], [7, 8], [9, 10]]
        assert loader.report.counts == {"unreadable_images": 3}
        assert loader.report.images == 8


def test_nothing_but_broken_images_ends(dataset: EmoticDataset, root: Path) -> None:
    break_images(root, *range(1, 12))
    with pytest.raises(UserError, match="emotic_train: 20 images in a row cannot be used, the last: The image"):
        take(train_loader(dataset, on_error="skip"), 1)


class Faulty:
    """A data set whose code has a bug, or whose process dies."""

    emotions = EMOTIC
    name = "faulty"

    def __init__(self, die: bool) -> None:
        self._die = die

    def __len__(self) -> int:
        return 4

    def record(self, index: int) -> Any:
        if self._die:
            os._exit(7)
        raise ZeroDivisionError("a bug, not the user's fault")

    def load_image(self, index: int) -> Image.Image:
        raise AssertionError("not reached")


def test_bugs_keep_their_traceback() -> None:
    for num_workers in (0, 1):
        with pytest.raises(ZeroDivisionError):
            take(train_loader(Faulty(die=False), num_workers=num_workers), 1)


def test_a_worker_that_dies_is_explained() -> None:
    with pytest.raises(UserError, match=r"worker process that reads images died .*fewer num_workers.*--shm-size"):
        take(train_loader(Faulty(die=True), num_workers=1), 1)


def test_workers_use_one_thread(dataset: EmoticDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    class Threads(DatasetMapper):
        def __call__(self, record: Any, image: Any) -> dict[str, Any]:
            return {"threads": torch.get_num_threads()}

    mapper = Threads(EVAL.transforms, EMOTIC, False)
    torch.set_num_threads(2)
    try:
        found = [x["threads"] for batch in build_test_loader(dataset, mapper, num_workers=1) for x in batch]
    finally:
        torch.set_num_threads(1)
    assert set(found) == {1}


def test_pinning_reaches_the_pixels(dataset: EmoticDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned: list[torch.Size] = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: (pinned.append(self.shape), self)[1])
    fetched = train_loader(dataset)._images[Draw(0, 0)]
    assert fetched.pin_memory() is fetched
    assert pinned == [fetched.model_input["image"].shape]
    assert Fetched(failure="x").pin_memory().failure == "x"


@pytest.mark.parametrize(
    ("asked", "gpu", "in_use", "pins"),
    [
        ("auto", True, True, True), ("auto", True, False, False), ("auto", False, False, False),
        (True, True, False, True), (True, False, False, False), (False, True, True, False),
    ],
)  # fmt: skip
def test_a_run_on_a_gpu_pins_by_itself(
    asked: Any, gpu: bool, in_use: bool, pins: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: in_use)
    assert loader_module._pins(asked) is pins


def test_what_workers_receive_can_be_pickled(dataset: EmoticDataset) -> None:
    images = train_loader(Subset(dataset, 4))._images
    draw = Draw(1, 9)
    copied = pickle.loads(pickle.dumps(images))[draw]
    assert torch.equal(copied.model_input["image"], images[draw].model_input["image"])


def test_subset() -> None:
    class Ten(Faulty):
        def __len__(self) -> int:
            return 10

        def record(self, index: int) -> Any:
            return index

    ten = Ten(die=False)
    assert [len(Subset(ten, n)) for n in (None, 3, 99)] == [10, 3, 10]
    subset = Subset(ten, 3)
    assert (subset.name, subset.emotions) == ("faulty", EMOTIC)
    assert describe(subset) == "faulty, the first 3 of 10 images"
    assert subset.record(2) == 2
    assert subset.warning is None
    with pytest.raises(IndexError):
        subset.record(3)
    with pytest.raises(UserError, match=r"Subset\(max_images=\) expects .* Got 0"):
        Subset(ten, 0)


def test_emotions_must_agree(golden_caer: Path) -> None:
    caer = CaerSDataset(str(golden_caer), "test")
    with pytest.raises(UserError, match="caer_s_test has caer_s people, but its mapper writes emotic targets"):
        build_test_loader(caer, EVAL)
    with pytest.raises(UserError, match="Use the same emotions in both"):
        train_loader(caer)


def test_a_data_set_of_ones_own_is_told_what_it_lacks() -> None:
    class Mine:
        name = "mine"

        def __len__(self) -> int:
            return 1

    with pytest.raises(UserError, match=r"EmotionDataset \(.*\)\. Mine lacks emotions, record, load_image\."):
        build_test_loader(Mine(), EVAL)  # type: ignore[arg-type]


def test_arguments_are_checked(dataset: EmoticDataset) -> None:
    with pytest.raises(UserError, match=r"build_train_loader\(on_error=\)"):
        train_loader(dataset, on_error="ignore")
    with pytest.raises(UserError, match=r"build_test_loader\(on_error=\)"):
        build_test_loader(dataset, EVAL, on_error="ignore")
    with pytest.raises(UserError, match=r"build_train_loader\(pin_memory=\) expects True, False or auto\. Got 'yes'"):
        train_loader(dataset, pin_memory="yes")
    with pytest.raises(UserError, match=r"build_test_loader\(pin_memory=\) expects True, False or auto\. Got 2"):
        build_test_loader(dataset, EVAL, pin_memory=2)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"expects 0 or more\. Got -1"):
        train_loader(dataset).set_start(-1)


def test_arguments_may_come_from_a_config(golden_caer: Path) -> None:
    cfg = OmegaConf.create({"scales": [24, 32], "crop_scales": [30], "extra": [], "root": str(golden_caer)})
    transforms = train_transforms(cfg.scales, 60, crop_scales=cfg.crop_scales, extra=cfg.extra, crop_min=8, crop_max=9)
    mapper = DatasetMapper(transforms, CAER_S, is_train=True)
    loader = build_train_loader(CaerSDataset(cfg.root, "train"), mapper, total_batch_size=2, num_workers=0)
    assert loader.steps_per_epoch == 4
    assert len(next(iter(loader))) == 2
