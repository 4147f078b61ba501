"""Any host as a detector: its losses reach all of it, its detections are detectron2's, DSCT can start from it."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dsct_detrex.detection import Detector
from dsct_detrex.detection.detections import detections
from dsct_detrex.detection.detector import no_subjects
from dsct_detrex.dsct import DSCT, RelationalAggregation
from dsct_detrex.dsct.training_queries import join_groups
from dsct_detrex.objective import (
    Denoising,
    DSCTCriterion,
    HungarianMatcher,
    OneToMany,
    ProposalLoss,
    TokenLoss,
    focal_for,
)
from dsct_detrex.objective.targets import targets_from_instances
from dsct_detrex.structures import CAER_S, Boxes, Instances, ObjectClasses
from dsct_detrex.weights import load_weights
from tests.dsct.test_host_training import TWO_STAGE
from tests.dsct.tiny import HOSTS, images, tiny_host

THINGS = ObjectClasses("things", [f"thing {number}" for number in range(80)])
on_every_host = pytest.mark.parametrize("name", HOSTS)


EMPTY = {
    f"host.transformer.decoder.layers.0.attentions.0.{part}.weight"
    for part in ("query_content_proj", "key_content_proj", "value_proj")
}
"""What reads nothing but zeros: contents with which these hosts start, where no denoising query rides along."""


def tiny_detector(name: str, **switches: Any) -> Detector:
    focal = focal_for(THINGS)
    settings: dict[str, Any] = {
        "criterion": DSCTCriterion(HungarianMatcher(focal), focal),
        "proposal_loss": ProposalLoss(),
        "max_detections": 7,
    }
    return Detector(tiny_host(name), THINGS, **(settings | switches))


def things(counts: tuple[int, ...] = (3, 1)) -> list[dict[str, Any]]:
    """A training batch: picture i shows ``counts[i]`` things."""
    data = []
    for image, count in zip(images(), counts, strict=True):
        height, width = image.shape[-2:]
        corners = torch.rand(count, 2) * 0.5
        boxes = torch.cat([corners, corners + 0.3], -1) * torch.tensor([width, height] * 2)
        shown = Instances((height, width), gt_boxes=Boxes(boxes), gt_classes=torch.randint(80, (count,)))
        data.append({"image": image, "height": height, "width": width, "instances": shown})
    return data


def idle(model: nn.Module) -> set[str]:
    """Trainable parameters without a gradient, or with one of zeros."""
    trainable = {name: p.grad for name, p in model.named_parameters() if p.requires_grad}
    return {name for name, gradient in trainable.items() if gradient is None or not gradient.any()}


@on_every_host
def test_its_losses_reach_all_of_the_host(name):
    model = tiny_detector(name).train()
    losses = model(things())
    terms = {f"loss_{term}{layer}" for term in ("class", "bbox", "giou") for layer in ("", "_0")}
    first = {f"loss_{term}_enc" for term in ("class", "bbox", "giou")} if name in TWO_STAGE else set()
    assert set(losses) == terms | first
    sum(losses.values()).backward()
    assert idle(model) == (EMPTY if name in ("conditional_detr", "dab_detr") else set())
    resting = {name.split(".")[0] for name, p in model.host.named_parameters() if not p.requires_grad}
    allowed = {"backbone", "label_enc"}  # its stem; DINO's table of its own denoising
    if name == "anchor_detr_mha":
        allowed.add("transformer")  # positions of rows and columns, which plain attention does not use
    assert resting <= allowed


@on_every_host
def test_training_only_queries_change_nothing_that_contexts_say(name):
    """Queries that ride along are read with the host's heads, and no context sees them."""
    recipe = {"denoising": Denoising(2, 20, contrastive=True), "one_to_many": OneToMany(6, 2)}
    model = tiny_detector(name, **recipe).eval()
    data = things()
    pictures = [entry["image"] for entry in data]
    targets = targets_from_instances([entry["instances"] for entry in data], THINGS)
    groups = [queries for queries, _ in model.training_queries(targets, model.criterion.matcher)]
    with torch.no_grad():
        alone, beside = model.decode(pictures)[1], model.decode(pictures, groups)[1]
    for one, other in zip(alone, beside, strict=True):
        torch.testing.assert_close(one.contexts, other.contexts, atol=2e-5, rtol=1e-5)
        assert other.logits.shape[1:] == (sum(len(queries) for queries in groups), 81)
    found = model(data)
    assert [len(one["instances"]) for one in found] == [7, 7]
    losses = model.train()(data)
    assert {"loss_class_dn", "loss_giou_dn_0", "loss_class_o2m", "loss_bbox_o2m_0"} <= set(losses)
    sum(losses.values()).backward()
    assert not {name for name in idle(model) if name.startswith("host.")}


@pytest.mark.parametrize("name", ["deformable_detr", "dino"])
def test_a_dense_loss_on_the_memory(name):
    model = tiny_detector(name, token_loss=TokenLoss(repeats=3)).train()
    losses = model(things((3, 0)))
    assert {f"loss_{term}_tokens" for term in ("class", "bbox", "giou")} <= set(losses)
    sum(losses[f"loss_{term}_tokens"] for term in ("class", "bbox", "giou")).backward()
    trained = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    assert any("transformer.encoder" in name for name in trained)
    assert not any("transformer.decoder.layers" in name for name in trained)
    with pytest.raises(ValueError, match=r"Detector\(token_loss=\) expects a host with feature levels, .* Got detr;"):
        tiny_detector("detr", token_loss=TokenLoss())


def test_pictures_without_a_thing_train_too():
    losses = tiny_detector("deformable_detr").train()(things((0, 0)))
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert losses["loss_class"] > 0


def test_detections_are_the_surest_pairs_in_pixels_of_the_original():
    logits = torch.full((1, 2, 3), -9.0)
    logits[0, 1, 2], logits[0, 0, 0], logits[0, 1, 0] = 2.0, 1.0, 0.0
    boxes = torch.tensor([[[0.5, 0.5, 0.5, 0.5], [0.1, 0.2, 0.4, 0.2]]])
    (found,) = detections(logits, boxes, [(100, 200)], 3)
    assert found.image_size == (100, 200)
    assert found.pred_classes.tolist() == [2, 0, 0]
    torch.testing.assert_close(found.scores, torch.tensor([2.0, 1.0, 0.0]).sigmoid())
    expected = torch.tensor([[0.0, 10, 60, 30], [50, 25, 150, 75], [0.0, 10, 60, 30]])
    torch.testing.assert_close(found.pred_boxes.tensor, expected)


def loaded(start: Detector, model: DSCT) -> dict[str, tuple[Tensor, Tensor]]:
    report = load_weights(model, start.state_dict())
    assert not report.reinitialised
    own = model.host.state_dict()
    return {name: (tensor, own[name]) for name, tensor in start.host.state_dict().items()}


@on_every_host
def test_dsct_borrows_all_of_the_host(name):
    torch.manual_seed(1)
    start = tiny_detector(name, denoising=Denoising(2, 20))
    torch.manual_seed(2)
    model = DSCT(tiny_host(name), CAER_S, num_subjects=3, aggregation=RelationalAggregation("paper", 4, 2))
    assert all(torch.equal(mine, own) for mine, own in loaded(start, model).values())


def test_what_a_detector_cannot_be_built_of():
    with pytest.raises(ValueError, match=r"Detector\(proposal_loss=\) expects the loss of a first stage with dino, "):
        tiny_detector("dino", proposal_loss=None)
    with pytest.raises(ValueError, match=r"Detector\(max_detections=\) expects a number of at least 1\. Got 0"):
        tiny_detector("detr", max_detections=0)
    with pytest.raises(ValueError, match=r"Detector\(criterion=\) expects a criterion when the model is in training"):
        tiny_detector("detr", criterion=None).train()(things())


def test_no_subjects_join_with_groups():
    model = tiny_detector("deformable_detr", one_to_many=OneToMany(6, 2))
    nobody = no_subjects(2, model.spec, torch.zeros(1))
    joined = join_groups(model.decoder.adapter, nobody, [model.training_queries.one_to_many(2)])
    assert len(nobody) == 0
    assert joined.content.shape == (2, 6, model.spec.embed_dim)
