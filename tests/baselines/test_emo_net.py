"""EMO-Net: what each branch sees, in which frame, and that it trains and evaluates as DSCT does."""

import json

import pytest
import torch
from torch import nn

from dsct_detrex.baselines import AnnotatedBoxes, DetectedBoxes, EMONet
from dsct_detrex.baselines.crops import person_crops, scenes
from dsct_detrex.errors import UserError
from dsct_detrex.hosts import ResNet
from dsct_detrex.objective import focal_for
from dsct_detrex.structures import Boxes, Instances
from tests.dsct.tiny import EMOTIONS, batch, images


def emo_net(emotions="caer_s", **switches):
    branches = [ResNet(18, out_features=("res3",), norm="BN", freeze_at=0) for _ in range(2)]
    kind = EMOTIONS[emotions]
    return EMONet(*branches, kind, focal_for(kind), subject_size=32, context_size=32, hidden_dim=16, **switches)


def annotated(image, boxes, size=None):
    height, width = size or image.shape[-2:]
    truth = Instances((height, width), gt_boxes=Boxes(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)))
    return {"image": image, "height": height, "width": width, "image_id": 7, "ground_truth": truth}


def test_a_crop_shows_its_box_and_nothing_else():
    image = torch.zeros(3, 40, 60)
    image[:, 10:20, 30:50] = 1.0
    inside, beside = person_crops(image, torch.tensor([[30.0, 10, 50, 20], [0, 25, 20, 40]]), 8)
    assert torch.allclose(inside[:, 1:-1, 1:-1], torch.ones(3, 6, 6))
    assert not beside.any()


def test_scenes_hide_the_person_only_where_asked():
    image = torch.ones(3, 20, 20)
    boxes = torch.tensor([[0.0, 0, 10, 20], [10, 0, 20, 20]])
    assert torch.equal(scenes(image, boxes, 20, mask_subjects=False), torch.ones(2, 3, 20, 20))
    left, right = scenes(image, boxes, 20, mask_subjects=True)
    assert not left[..., :10].any()
    assert torch.equal(left[..., 10:], torch.ones(3, 20, 10))
    assert torch.equal(right.flip(-1), left)


@pytest.mark.parametrize("emotions", ["emotic", "caer_s"])
def test_the_loss_falls(emotions):
    model, entries = emo_net(emotions, dropout=0.0).train(), batch(emotions)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    losses = []
    for _ in range(20):
        (loss,) = model(entries).values()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    assert all(p.grad is not None for p in model.parameters())


def test_a_batch_without_people_reaches_every_parameter():
    model = emo_net().train()
    (loss,) = model(batch(people=(0, 0))).values()
    loss.backward()
    assert loss.item() == 0.0
    assert all(p.grad is not None for p in model.parameters())


@torch.no_grad()
def test_boxes_are_given_in_the_original_frame():
    """The same picture, once as it is and once said to be ten times as large."""
    model = emo_net().eval()
    (picture,) = images((64, 96))
    small, large, nobody = model(
        [
            annotated(picture, [[8, 8, 40, 60], [50, 4, 90, 50]]),
            annotated(picture, [[80, 80, 400, 600], [500, 40, 900, 500]], (640, 960)),
            annotated(picture, []),
        ]
    )
    small, large = small["instances"], large["instances"]
    torch.testing.assert_close(small.pred_logits, large.pred_logits)
    assert torch.equal(large.pred_boxes.tensor, small.pred_boxes.tensor * 10)
    assert small.scores.tolist() == [1.0, 1.0]
    assert len(nobody["instances"]) == 0
    assert not torch.allclose(small.pred_logits[0], small.pred_logits[1])


@torch.no_grad()
def test_detected_boxes_take_the_place_of_annotations(tmp_path):
    rows = [
        {"image_id": 7, "category_id": 1, "bbox": [10, 20, 30, 40], "score": 0.9},
        {"image_id": 7, "category_id": 3, "bbox": [0, 0, 5, 5], "score": 0.9},
        {"image_id": 7, "category_id": 1, "bbox": [0, 0, 5, 5], "score": 0.1},
        {"image_id": 8, "category_id": 1, "bbox": [0, 0, 5, 5], "score": 0.9},
    ]
    (tmp_path / "found.json").write_text(json.dumps(rows))
    model = emo_net(boxes=DetectedBoxes(str(tmp_path / "found.json"), category_id=1)).eval()
    (found,) = model([annotated(images((64, 96))[0], [[0, 0, 9, 9]])])
    assert found["instances"].pred_boxes.tensor.tolist() == [[10, 20, 40, 60]]
    assert found["instances"].scores.tolist() == [pytest.approx(0.9)]
    assert model.caution is None, "these people were found"
    assert "is given the annotated boxes" in emo_net().caution


def test_bad_sources_are_one_sentence(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        DetectedBoxes(str(tmp_path / "none.json"))
    (tmp_path / "odd.json").write_text('[{"image_id": 1}]')
    with pytest.raises(UserError, match=r"image_id, bbox \[x, y, w, h\] and score.*KeyError: 'score'"):
        DetectedBoxes(str(tmp_path / "odd.json"))
    with pytest.raises(UserError, match="reads the annotated people"):
        AnnotatedBoxes()({"image": images((64, 96))[0]})
    untaught = emo_net()
    untaught.classification = None
    with pytest.raises(ValueError, match="expects a loss"):
        untaught.train()(batch())


def test_mask_subjects_changes_what_the_scene_branch_sees():
    seen = []

    class Spy(nn.Module):
        def forward(self, x):
            seen.append(x)
            return {"res3": x}

        def output_shape(self):
            return ResNet(18, out_features=("stem",)).output_shape()

    model = emo_net(mask_subjects=True).eval()
    model.context_backbone = Spy()
    model.fusion = nn.Identity()
    model.classify([torch.full((3, 64, 64), 255, dtype=torch.uint8)], [torch.tensor([[0.0, 0, 32, 64]])])
    (view,) = seen
    assert not view[..., :15].any()
    assert (view[..., 17:] > 1).all()
