"""Evaluation over shares that are unequal, or empty, counts every picture once, and one that is torn as missed once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from dsct_detrex.data import DatasetMapper, build_test_loader, eval_transforms
from dsct_detrex.data.images import ImageError
from dsct_detrex.data.synthetic import SyntheticScenes
from dsct_detrex.engine import ddp
from dsct_detrex.engine.evaluate import evaluate_model
from dsct_detrex.evaluation import EmotionEvaluator
from dsct_detrex.structures import CAER_S, Boxes, Instances
from tests.reliability.ranks import MANY, as_ranks


class Guesses(nn.Module):
    """People of a picture as its number has them by chance: the same on whatever process."""

    def forward(self, batch: Sequence[dict[str, Any]]) -> list[dict[str, Instances]]:
        return [{"instances": self.guess(one)} for one in batch]

    def guess(self, one: dict[str, Any]) -> Instances:
        generator = torch.Generator().manual_seed(one["image_id"])
        truth: Instances = one["ground_truth"]
        size = (one["height"], one["width"])
        boxes = truth.gt_boxes.tensor + torch.randn(truth.gt_boxes.tensor.shape, generator=generator)
        logits = torch.randn(len(boxes), CAER_S.num_logits, generator=generator)
        return Instances(size, pred_boxes=Boxes(boxes), pred_logits=logits)


class TornScenes(SyntheticScenes):
    """Of which one picture cannot be read."""

    def load_image(self, index: int) -> Any:
        if index == 2:
            raise ImageError("picture 2 is torn.", skip="on_error=skip")
        return super().load_image(index)


def evaluated(pictures: int, torn: bool) -> dict[str, Any]:
    """The report of this process's part in an evaluation."""
    scenes = (TornScenes if torn else SyntheticScenes)(CAER_S.name, "val", length=pictures, size=(64, 48))
    mapper = DatasetMapper(eval_transforms(size=48), CAER_S, is_train=False)
    loader = build_test_loader(scenes, mapper, batch_size=2, num_workers=0, on_error="skip")
    evaluation = evaluate_model(Guesses(), loader, EmotionEvaluator(CAER_S, output_dir=None))
    assert evaluation.report is not None
    return {"report": evaluation.report, "scalars": evaluation.scalars, "here": evaluation.images}


@pytest.mark.parametrize(("pictures", "torn"), [(3, False), *([(7, False), (5, True)] if MANY else [])])
def test_every_picture_counts_once(pictures: int, torn: bool, tmp_path: Path) -> None:
    """Three pictures on four processes leave one without any."""
    alone = json.loads(json.dumps(evaluated(pictures, torn)))
    assert alone["here"] == alone["report"]["counts"]["images"] == pictures - torn
    for world in (2, 3, 4) if MANY else (2, 4):

        def share() -> int:
            with ddp.process_group(torch.device("cpu")):
                own = evaluated(pictures, torn)
                (tmp_path / f"{ddp.rank()}_of_{world}.json").write_text(json.dumps(own))  # noqa: B023
            return 0

        assert as_ranks([share] * world) == [0] * world
        shares = [json.loads((tmp_path / f"{rank}_of_{world}.json").read_text()) for rank in range(world)]
        assert sum(one["here"] for one in shares) == pictures - torn
        for one in shares:
            assert one["scalars"] == alone["scalars"]
            assert one["report"]["counts"] == alone["report"]["counts"]
            assert one["report"]["per_class"] == alone["report"]["per_class"]
