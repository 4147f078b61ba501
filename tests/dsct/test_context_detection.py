"""Contexts that go on detecting while emotions train: on every host, by annotations and by the start of the run."""

import copy

import pytest
import torch

from dsct_detrex.dsct import DSCT, ContextDetection, FrozenStart, HostTraining, context_detection
from dsct_detrex.objective import Denoising, DSCTCriterion, HungarianMatcher, focal_for
from tests.dsct.test_context_heads import THINGS, with_things
from tests.dsct.tiny import HOSTS, batch, tiny_dsct

on_every_host = pytest.mark.parametrize("name", HOSTS)
FOCAL = focal_for(THINGS)
CRITERION = DSCTCriterion(HungarianMatcher(FOCAL), FOCAL)


def with_detection(name: str, teacher: FrozenStart | None = None, **switches) -> DSCT:
    torch.manual_seed(0)
    detection = ContextDetection(None if teacher else THINGS, CRITERION, teacher=teacher)
    return tiny_dsct(name, context_detection=detection, **switches).train()


def taught(name: str, threshold: float = 0.012, **switches) -> DSCT:
    model = with_detection(name, FrozenStart(threshold), **switches)
    model.teacher.begin(copy.deepcopy(model.host))
    return model


def reached(model: DSCT, losses) -> set[str]:
    sum(losses.values()).backward()
    return {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}


@on_every_host
def test_annotated_things_train_heads_and_contexts(name):
    model = with_detection(name, contexts_see_subjects=False)
    losses = model(with_things())
    ours = {key: value for key, value in losses.items() if "objects" in key}
    assert set(ours) == {f"loss_{t}_objects{s}" for t in ("class", "bbox", "giou") for s in ("", "_0")}
    assert all(torch.isfinite(value) for value in losses.values())
    names = reached(model, ours)
    heads = {id(p) for module in model.context_heads.modules for p in module.parameters()}
    assert heads <= {id(p) for p in model.parameters() if p.requires_grad}
    assert heads <= {id(p) for p in model.parameters() if p.grad is not None and p.grad.any()}
    assert any(one.startswith("host.backbone") for one in names)
    assert not any(one.startswith(("subject_queries.", "heads.")) for one in names)


@pytest.mark.parametrize("name", ["detr", "anchor_detr", "deformable_detr", "dino"])
def test_the_rest_of_the_losses_is_as_without(name):
    """Bit for bit; so is what it says in evaluation, and its state dict has the very same names."""
    model, data = with_detection(name), with_things()
    torch.manual_seed(0)
    plain = tiny_dsct(name).train()
    plain.load_state_dict(model.state_dict())
    torch.manual_seed(1)
    losses = model(data)
    torch.manual_seed(1)
    expected = plain(data)
    assert {key: value.item() for key, value in losses.items() if "objects" not in key} == {
        key: value.item() for key, value in expected.items()
    }
    with torch.no_grad():
        mine, theirs = model.eval()(data), plain.eval()(data)
    assert all(torch.equal(a["instances"].scores, b["instances"].scores) for a, b in zip(mine, theirs, strict=True))


@on_every_host
def test_a_teacher_in_place_of_annotations(name):
    """Its host finds some things, as random weights do at a low score, and the student is asked for them."""
    model = taught(name)
    data = batch()
    things = model._things(data)
    assert sum(map(len, things)) > 0
    assert all(thing.boxes.shape == (len(thing), 4) and thing.emotions.dtype == torch.int64 for thing in things)
    losses = model(data)
    ours = {key: value for key, value in losses.items() if "objects" in key}
    assert len(ours) == 6
    assert all(torch.isfinite(value) for value in ours.values())
    assert any(one.startswith("host.backbone") for one in reached(model, ours))


def test_a_teacher_never_changes_and_is_nobody_s():
    model = taught("deformable_detr")
    before = {name: value.clone() for name, value in model.teacher.host.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    own = {id(p) for p in model.teacher.host.parameters()}
    assert not own & {id(p) for p in model.parameters()}
    assert set(model.state_dict()) == set(tiny_dsct("deformable_detr").state_dict())
    for _ in range(3):
        optimizer.zero_grad()
        sum(model(batch()).values()).backward()
        optimizer.step()
    assert not model.teacher.host.training
    after = model.teacher.host.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    moved = model.host.state_dict()
    assert any(not torch.equal(before[name], moved[name]) for name in before)


def test_a_lower_threshold_finds_more():
    data = batch()
    counts = [sum(map(len, taught("dino", threshold)._things(data))) for threshold in (0.3, 0.6, 0.999)]
    assert counts[0] > counts[1] >= counts[2] == 0


def test_classes_against_no_object():
    """A DETR that says "no object" of everything teaches nothing, unless its classes are read alone."""
    model = taught("detr")
    host = copy.deepcopy(model.host)
    host.class_embed.bias.data[-1] = 50.0
    found = {}
    for softmax in (False, True):
        model.teacher.begin(copy.deepcopy(host), softmax)
        found[softmax] = sum(map(len, model._things(batch())))
    assert found[False] > 0
    assert found[True] == 0


def test_pictures_that_nobody_annotated_ask_nothing():
    model, data = with_detection("deformable_detr", host_training=HostTraining()), with_things()
    both = model._things(data)
    layers = model.decode([entry["image"] for entry in data])
    judge = model.context_detection
    alone = judge(model.context_heads, layers, [both[0], None])
    empty = judge(model.context_heads, layers, [both[0], both[1].__class__(both[1].boxes[:0], both[1].emotions[:0])])
    assert alone["loss_bbox_objects"] == empty["loss_bbox_objects"]
    assert alone["loss_class_objects"] < empty["loss_class_objects"], "an empty list says that nothing is there"
    nobody = judge(model.context_heads, layers, [None, None])
    assert all(value == 0 for value in nobody.values())
    sum(nobody.values()).backward()  # every process of several has a gradient for the same weights
    assert all(p.grad is not None for module in model.context_heads.modules for p in module.parameters())
    data[1]["objects"] = None
    assert model._things(data)[1] is None


@pytest.mark.parametrize("switches", [{"activation_checkpointing": True}, {"denoising": Denoising(2, 4)}])
def test_with_other_options(switches):
    losses = with_detection("dab_deformable_detr", **switches)(with_things())
    assert {"loss_class_objects", "loss_class"} <= set(losses)
    assert ("loss_class_dn" in losses) == ("denoising" in switches)
    sum(losses.values()).backward()


def test_refusals():
    with pytest.raises(ValueError, match=r"expects annotated things or a teacher, one of the two\. Got neither"):
        ContextDetection(None, CRITERION)
    with pytest.raises(ValueError, match=r"one of the two\. Got both"):
        ContextDetection(THINGS, CRITERION, teacher=FrozenStart())
    with pytest.raises(ValueError, match=r"FrozenStart\(threshold=\) expects a score between 0 and 1\. Got 1\.5\."):
        FrozenStart(1.5)
    with pytest.raises(ValueError, match=r"expects the host that the run starts from before it teaches"):
        with_detection("dino", FrozenStart())(batch())
    with pytest.raises(ValueError, match=r"DSCT\(context_detection=\) expects contexts to detect with"):
        with_detection("dino", use_contexts=False)
    assert context_detection(None, CRITERION) is None
    assert context_detection(None, CRITERION, teacher_threshold=0.5).teacher.threshold == 0.5
