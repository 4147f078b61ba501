"""Inference: numbers, shares, modes, and no trace in the training around it."""

import pytest
import torch
from engine_toys import ToyEvaluator, ToyModel, ToyTestLoader

from dsct_detrex.engine.evaluate import EvaluationCancelled, evaluate_model, flatten


def test_numbers_and_predictions() -> None:
    model = ToyModel()
    seen: list[tuple[int, int, str]] = []
    result = evaluate_model(
        model, ToyTestLoader(), ToyEvaluator(), num_predictions=3, on_batch=lambda *far: seen.append(far)
    )
    assert set(result.scalars) == {"emotion/mAP", "emotion/AP-Anger", "emotion/AP-Fear", "bbox/recall50"}
    assert result.images == 14
    assert seen == [(i, 7, "batches") for i in range(1, 8)]
    assert [p.inputs["image_id"] for p in result.predictions] == [0, 1, 2]
    assert result.report is not None
    assert result.report["images"] == 14


@pytest.mark.parametrize("count", [0, 1, 3, 14, 20])
def test_the_first_pictures_are_those_of_the_data_set(count: int) -> None:
    """Also where batches come in another order, and where a picture is left out."""

    class Shuffled(ToyTestLoader):
        def __iter__(self):
            for batch in reversed(list(super().__iter__())):
                yield [{**image, "index": image["image_id"]} for image in batch if image["image_id"] != 1]

    result = evaluate_model(ToyModel(), Shuffled(), ToyEvaluator(), num_predictions=count)
    assert [p.inputs["image_id"] for p in result.predictions] == [0, *range(2, 14)][:count]


def test_progress_counts_pictures_where_the_loader_knows_them() -> None:
    loader, seen = ToyTestLoader(batch_size=4), list[tuple[int, int, str]]()
    loader.num_images = len(loader.ids)  # type: ignore[attr-defined]
    evaluate_model(ToyModel(), loader, ToyEvaluator(), on_batch=lambda *far: seen.append(far))
    assert seen == [(4, 14, "pictures"), (8, 14, "pictures"), (12, 14, "pictures"), (14, 14, "pictures")]
    seen.clear()
    evaluate_model(ToyModel(), loader, ToyEvaluator(), max_batches=2, on_batch=lambda *far: seen.append(far))
    assert seen == [(1, 2, "batches"), (2, 2, "batches")]


def test_a_few_batches() -> None:
    assert evaluate_model(ToyModel(), ToyTestLoader(), ToyEvaluator(), max_batches=2).images == 4


@pytest.mark.parametrize("training", [True, False])
def test_mode_and_random_numbers_are_left_alone(training: bool) -> None:
    model = ToyModel(dropout=0.5).train(training)
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    evaluate_model(model, ToyTestLoader(), ToyEvaluator())
    assert torch.equal(torch.rand(3), expected)
    assert model.training is training


def test_mode_comes_back_after_an_error_and_after_cancelling() -> None:
    model = ToyModel()
    with pytest.raises(ValueError, match="broken"):
        evaluate_model(model, ToyTestLoader(), ToyEvaluator(fail=True))
    assert model.training
    with pytest.raises(EvaluationCancelled):
        evaluate_model(model, ToyTestLoader(), ToyEvaluator(), cancel=lambda: True)
    assert model.training


def test_training_goes_on_after_an_evaluation() -> None:
    """Tensors that a model caches during an evaluation must be usable in the next training step."""

    class Caching(ToyModel):
        cached: torch.Tensor | None = None

        def forward(self, batch):  # type: ignore[no-untyped-def]
            if self.cached is None:
                self.cached = torch.ones(1) * 2
            outputs = super().forward(batch)
            return (
                {"loss": outputs["loss_class"] * self.cached * self.logits.weight.sum()} if self.training else outputs
            )

    model = Caching()
    evaluate_model(model, ToyTestLoader(), ToyEvaluator())
    model(next(iter(ToyTestLoader())))["loss"].sum().backward()
    assert model.logits.weight.grad is not None


def test_flat_names() -> None:
    assert flatten({"bbox": {"AP": 1}, "emotion": {"mAP": 0.5}}) == {"bbox/AP": 1.0, "emotion/mAP": 0.5}
