"""Denoising: what is spoilt, by how much, who answers for whom, and what is judged."""

import pytest
import torch
from torch import Tensor

from dsct_detrex.layers.boxes import box_cxcywh_to_xyxy, box_iou
from dsct_detrex.objective import Denoising, DSCTCriterion, HungarianMatcher, MultiLabelFocal, NoisedPeople, Target
from dsct_detrex.objective.noise import push_away, redraw_emotions, shift_and_scale, wiggle_sides
from dsct_detrex.structures import CAER_S, EMOTIC, Emotions

KINDS = {"emotic": EMOTIC, "caer_s": CAER_S}
on_both_kinds = pytest.mark.parametrize("kind", KINDS)


def people(count: int, kind: str = "caer_s") -> Target:
    boxes = torch.rand(count, 4) * 0.2 + torch.tensor([0.4, 0.4, 0.1, 0.1])
    return Target(boxes, KINDS[kind].encode([[i % 7] for i in range(count)]))


def spoil(recipe: Denoising, targets: list[Target], emotions: Emotions = CAER_S) -> NoisedPeople:
    return recipe(targets, emotions)


def slots_of(noised: NoisedPeople, image: int) -> dict[int, list[int]]:
    """The slots of every person of an image."""
    slots: dict[int, list[int]] = {}
    for at, slot, person in noised.pairs.T.tolist():
        if at == image:
            slots.setdefault(person, []).append(slot)
    return slots


def test_slots_groups_paddings_and_pairs_by_hand() -> None:
    noised = spoil(Denoising(num_groups=2, contrastive=True), [people(2), people(0), people(1)])
    # a group: two positives, two negatives
    assert noised.groups.tolist() == [1, 1, 1, 1, 2, 2, 2, 2]
    empty = [[False] * 4, [False, True, True, True], [False, True, False, True]]
    assert noised.padding.tolist() == [row * 2 for row in empty]
    assert slots_of(noised, 0) == {0: [0, 4], 1: [1, 5]}
    assert slots_of(noised, 1) == {}
    assert slots_of(noised, 2) == {0: [0, 4]}
    assert (noised.num_groups, noised.boxes.shape, noised.emotions.shape) == (2, (3, 8, 4), (3, 8, 7))
    plain = spoil(Denoising(num_groups=2), [people(2), people(1)])
    assert plain.groups.tolist() == [1, 1, 2, 2]
    assert plain.padding.tolist() == [[False] * 4, [False, True] * 2]


@on_both_kinds
def test_without_noise_every_slot_is_its_person(kind: str) -> None:
    targets = [people(3, kind), people(1, kind)]
    noised = spoil(Denoising(num_groups=3, label_noise=0.0, box_noise=0.0), targets, KINDS[kind])
    for image, slot, person in noised.pairs.T.tolist():
        torch.testing.assert_close(noised.boxes[image, slot], targets[image].boxes[person])
        wanted = KINDS[kind].multi_hot(targets[image].emotions)[person]
        assert torch.equal(noised.emotions[image, slot], wanted)


def test_the_assignment_is_fixed_whatever_is_predicted() -> None:
    noised = spoil(Denoising(num_groups=2), [people(2), people(1)])
    for _ in range(2):
        predictions = torch.rand(3, 2, 4, 8), torch.rand(3, 2, 4, 4)
        layer, *pairs = noised.assign(*predictions, [people(2), people(1)]).pairs
        assert layer.tolist() == [0] * 6 + [1] * 6 + [2] * 6
        assert torch.equal(torch.stack(pairs), noised.pairs.repeat(1, 3))


def relative(boxes: Tensor, original: Tensor) -> Tensor:
    """(..., 4) by how much of half the size each side moved."""
    moved = box_cxcywh_to_xyxy(boxes) - box_cxcywh_to_xyxy(original)
    return moved / original[..., 2:].repeat(1, 2) * 2


def test_dn_noise_moves_centres_and_changes_sizes_evenly() -> None:
    original = people(1).boxes.expand(20_000, 4)
    spoilt = shift_and_scale(original, 0.4)
    shift = (spoilt - original)[:, :2] / original[:, 2:] * 2
    growth = spoilt[:, 2:] / original[:, 2:] - 1
    for noise in (shift, growth):
        assert noise.abs().max() <= 0.4 + 1e-5
        torch.testing.assert_close(noise.mean(0), torch.zeros(2), atol=0.01, rtol=0)
        torch.testing.assert_close(noise.abs().mean(0), torch.full((2,), 0.2), atol=0.01, rtol=0)


def test_contrastive_negatives_lie_beyond_the_positives() -> None:
    original = people(1).boxes.expand(20_000, 4)
    positive, negative = relative(wiggle_sides(original, 0.8), original), relative(push_away(original, 0.8), original)
    assert positive.abs().max() <= 0.8 + 1e-5
    assert 0.8 - 1e-5 <= negative.abs().min() < negative.abs().max() <= 1.6 + 1e-5
    assert torch.equal(negative[:, :2].sign(), negative[:, 2:].sign())  # both sides of an axis move the same way
    for moved, mean in ((positive, 0.4), (negative, 1.2)):
        torch.testing.assert_close(moved.mean(0), torch.zeros(4), atol=0.04, rtol=0)
        torch.testing.assert_close(moved.abs().mean(0), torch.full((4,), mean), atol=0.01, rtol=0)


@pytest.mark.parametrize("box", [[0.5, 0.5, 1.0, 1.0], [0.1, 0.5, 0.2, 1.0], [0.5, 0.5, 0.3, 0.2]])
def test_no_negative_is_the_person_after_it_was_cut_to_the_image(box: list[float]) -> None:
    target = Target(torch.tensor([box]), torch.tensor([0]))
    noised = spoil(Denoising(500, 1000, box_noise=1.0, contrastive=True), [target])
    positive, negative = box_cxcywh_to_xyxy(noised.boxes[0]).unflatten(0, (500, 2)).unbind(1)
    person = box_cxcywh_to_xyxy(target.boxes)
    assert box_iou(person, negative)[0].max() <= 0.25 + 1e-5
    assert box_iou(person, positive)[0].median() > 0.3
    assert noised.boxes[..., 2:].min() >= 1e-3
    assert negative.min() >= -1e-3  # a box that left the image keeps the shortest side there is
    assert negative.max() <= 1 + 1e-3


def test_one_label_is_drawn_anew_among_all() -> None:
    hot = CAER_S.multi_hot(torch.full((20_000,), 2))
    spoilt = redraw_emotions(hot, 0.35, multi_label=False)
    assert torch.equal(spoilt.sum(-1), torch.ones(20_000))
    expected = torch.full((7,), 0.35 / 7)
    expected[2] += 0.65
    torch.testing.assert_close(spoilt.mean(0), expected, atol=0.01, rtol=0)
    assert torch.equal(redraw_emotions(hot, 0.0, multi_label=False), hot)


def test_bits_are_drawn_anew_and_keep_their_number_on_average() -> None:
    hot = torch.zeros(20_000, 26)
    hot[:, :4] = 1.0
    spoilt = redraw_emotions(hot, 0.5, multi_label=True)
    share = 4 / 26
    expected = torch.full((26,), 0.5 * share)
    expected[:4] += 0.5
    torch.testing.assert_close(spoilt.mean(0), expected, atol=0.015, rtol=0)
    assert spoilt.sum(-1).mean() == pytest.approx(4.0, abs=0.03)
    assert torch.equal(redraw_emotions(hot, 0.0, multi_label=True), hot)
    assert torch.equal(redraw_emotions(torch.zeros(2, 26), 1.0, multi_label=True), torch.zeros(2, 26))


@pytest.mark.parametrize("contrastive", [False, True])
def test_groups_slots_and_calls_are_spoilt_differently(contrastive: bool) -> None:
    target, recipe = people(1, "emotic"), Denoising(2, label_noise=1.0, contrastive=contrastive)
    twice = spoil(recipe, [target, target], EMOTIC)
    boxes = twice.boxes.flatten(0, 1)
    assert len(boxes.unique(dim=0)) == len(boxes) == (8 if contrastive else 4)
    again = spoil(recipe, [target, target], EMOTIC)
    assert not torch.equal(twice.boxes, again.boxes)


@on_both_kinds
def test_the_recipe_spoils_either_kind_of_emotions_its_own_way(kind: str) -> None:
    target = Target(torch.full((1, 4), 0.5), KINDS[kind].encode([[3]] if kind == "caer_s" else [[0, 1, 2, 3]]))
    hot = KINDS[kind].multi_hot(target.emotions)
    spoilt = spoil(Denoising(4000, 4000, label_noise=0.5), [target], KINDS[kind]).emotions[0]
    assert spoilt.sum(-1).mean() == pytest.approx(hot.sum().item(), abs=0.15)
    kept = 0.5 + 0.5 * hot.mean().item()
    assert (spoilt * hot).sum(-1).mean() / hot.sum() == pytest.approx(kept, abs=0.03)
    assert (spoilt.sum(-1) == 1).all() == (kind == "caer_s")


@on_both_kinds
def test_a_restored_generator_spoils_the_same_way(kind: str) -> None:
    recipe, targets = Denoising(contrastive=True, max_queries=8), [people(7, kind), people(0, kind)]
    state = torch.get_rng_state()
    before = spoil(recipe, targets, KINDS[kind])
    torch.set_rng_state(state)
    after = spoil(recipe, targets, KINDS[kind])
    for name in ("boxes", "emotions", "pairs", "padding", "groups"):
        assert torch.equal(getattr(before, name), getattr(after, name))


@pytest.mark.parametrize("contrastive", [False, True])
def test_crowds_never_exceed_the_limit(contrastive: bool) -> None:
    halves = 2 if contrastive else 1
    for crowd, groups, slots in ((1, 5, 5), (5, 4, 20), (20, 1, 20), (21, 1, 20), (300, 1, 20)):
        noised = spoil(Denoising(5, 20 * halves, contrastive=contrastive), [people(crowd), people(1)])
        assert noised.num_groups == groups == int(noised.groups.max())
        assert noised.boxes.shape[1] == slots * halves
        chosen = slots_of(noised, 0)
        assert len(chosen) == min(crowd, 20)
        assert all(len(mine) == groups for mine in chosen.values())
        assert slots_of(noised, 1).keys() == {0}


def test_in_a_crowd_everybody_may_be_chosen_and_is_spoilt_from_the_own_box() -> None:
    targets, met = [people(6)], set()
    for _ in range(40):
        noised = spoil(Denoising(5, 2, label_noise=0.0, box_noise=0.0), targets)
        for _image, slot, person in noised.pairs.T.tolist():
            met.add(person)
            torch.testing.assert_close(noised.boxes[0, slot], targets[0].boxes[person])
            assert int(noised.emotions[0, slot].argmax()) == int(targets[0].emotions[person])
    assert met == set(range(6))


@on_both_kinds
def test_without_anybody_a_random_box_answers_for_nobody(kind: str) -> None:
    noised = spoil(Denoising(num_groups=3, label_noise=0.0), [people(0, kind), people(0, kind)], KINDS[kind])
    assert noised.boxes.shape == (2, 1, 4)
    assert noised.num_groups == 1
    assert not noised.padding.any()
    assert noised.pairs.shape == (3, 0)
    assert (noised.boxes >= 1e-3).all()
    assert torch.equal(noised.emotions.sum(-1), torch.ones(2, 1))
    beside = spoil(Denoising(num_groups=3, contrastive=True), [people(2, kind), people(0, kind)], KINDS[kind])
    assert beside.padding[1].tolist() == [False, True, True, True] * 3
    assert len(beside.boxes[1, ::4].unique(dim=0)) == 3


def judge(noised: NoisedPeople, logits: Tensor, boxes: Tensor, targets: list[Target]) -> dict[str, Tensor]:
    focal = MultiLabelFocal()
    criterion = DSCTCriterion(HungarianMatcher(focal), focal, 2.0, 3.0, 4.0)
    return criterion.extra_losses({"pred_logits": logits, "pred_boxes": boxes}, targets, noised.task(0.5))


def test_losses_are_named_weighted_and_divided_by_the_answers() -> None:
    targets = [people(2, "emotic"), people(1, "emotic")]
    noised = spoil(Denoising(num_groups=4), targets, EMOTIC)
    shape = (2, 2, noised.boxes.shape[1])
    boxes = torch.rand(*shape, 4)
    losses = judge(noised, torch.randn(*shape, 27), boxes, targets)
    assert set(losses) == {f"loss_{term}_dn{layer}" for term in ("class", "bbox", "giou") for layer in ("", "_0")}
    distance = torch.stack([(boxes[1, i, s] - targets[i].boxes[p]).abs().sum() for i, s, p in noised.pairs.T.tolist()])
    assert len(distance) == 4 * 3
    torch.testing.assert_close(losses["loss_bbox_dn"], 0.5 * 3.0 * distance.sum() / 12)


def test_negatives_and_strays_are_judged_and_paddings_are_not() -> None:
    targets = [people(2, "emotic"), people(0, "emotic")]
    noised = spoil(Denoising(num_groups=1, contrastive=True), targets, EMOTIC)
    logits, boxes = torch.randn(2, 2, 4, 27), torch.rand(2, 2, 4, 4)
    before = judge(noised, logits, boxes, targets)
    for image, slot, judged in ((0, 3, True), (1, 0, True), (1, 1, False), (1, 3, False)):
        surer = logits.clone()
        surer[:, image, slot] += 3.0  # "somebody" where nobody is
        after = judge(noised, surer, boxes, targets)
        assert (after["loss_class_dn"] > before["loss_class_dn"]) == judged
        assert torch.equal(after["loss_bbox_dn"], before["loss_bbox_dn"])
        assert judged or torch.equal(after["loss_class_dn"], before["loss_class_dn"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_groups": 0}, r"Denoising\(num_groups=\) expects an int >= 1. Got 0."),
        ({"max_queries": 1, "contrastive": True}, r"Denoising\(max_queries=\) expects an int >= 2. Got 1."),
        ({"label_noise": 1.5}, r"Denoising\(label_noise=\) expects a number in \[0, 1\]. Got 1.5."),
        ({"box_noise": -0.1}, r"Denoising\(box_noise=\) expects a number in \[0, 1\]. Got -0.1."),
        ({"weight": -1.0}, r"Denoising\(weight=\) expects a weight that is not negative. Got -1.0."),
    ],
)
def test_wrong_arguments(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Denoising(**arguments)
