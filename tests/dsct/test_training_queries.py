"""Training-only queries on every host: nothing leaks, nothing is missed, and inference never meets them."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from dsct_detrex.config import apply_overrides, get_config, instantiate, load_config
from dsct_detrex.config.project import config_folder
from dsct_detrex.dsct import DSCT, LayerOutput, Subjects
from dsct_detrex.dsct.training_queries import join_groups
from dsct_detrex.objective import Denoising, OneToMany, Target, targets_from_instances
from tests.dsct.tiny import HOSTS, batch, images, in_double, kind_of, tiny_dsct

on_every_host = pytest.mark.parametrize("name", HOSTS)
on_two_hosts = pytest.mark.parametrize("name", ["dino", "deformable_detr"])
TERMS = ("class", "bbox", "giou")
FIELDS = ("subjects", "logits", "boxes")


def model_with_groups(name: str, emotions: str = "caer_s", **switches) -> DSCT:
    """Two contrastive denoising groups and a one-to-many group beside three subjects."""
    groups = {"denoising": Denoising(2, contrastive=True, label_noise=0.3), "one_to_many": OneToMany(5, repeats=2)}
    return tiny_dsct(name, emotions, **(groups | switches))


@torch.no_grad()
def attentive(model: DSCT) -> DSCT:
    """Smaller states: the unscaled softmax of subjects over subjects then sees others too, and not each only itself."""
    for module in model.host.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.weight.mul_(0.1)
    return model


def targets_of(model: DSCT, entries) -> list[Target]:
    return targets_from_instances([entry["instances"] for entry in entries], model.emotions)


def inputs_of(model: DSCT, pictures):
    return model.decoder.adapter.decoder_inputs(*model.normalizer(pictures))


def run(model: DSCT, inputs, groups: list[Subjects]) -> list[LayerOutput]:
    subjects = join_groups(model.decoder.adapter, model.subject_queries(len(groups[0].content)), groups)
    return model.decoder(inputs, subjects, model.heads)


def stacked(layers: list[LayerOutput], field: str) -> Tensor:
    return torch.stack([getattr(layer, field) for layer in layers])


def largest(a: Tensor, b: Tensor) -> float:
    assert a.shape == b.shape
    return (a - b).abs().max().item() if a.numel() else 0.0


def perturbed(group: Subjects, rows: Tensor) -> Subjects:
    """Other content, another position and another anchor in these rows."""

    def noisy(x: Tensor | None, fresh) -> Tensor | None:
        return None if x is None else torch.where(rows[:, None], fresh(x), x)

    return replace(
        group,
        content=noisy(group.content, torch.randn_like),
        position=noisy(group.position, torch.randn_like),
        anchor=noisy(group.anchor, torch.rand_like),
    )


@on_every_host
@torch.no_grad()
def test_nothing_outside_a_group_sees_it(name):
    """Exactly: content, place and labels of one group change no bit of contexts, subjects or other groups."""
    model = attentive(model_with_groups(name)).eval()
    entries = batch(people=(2, 1))
    inputs = inputs_of(model, [entry["image"] for entry in entries])
    groups = model.training_queries(targets_of(model, entries), model.criterion.matcher)
    denoising, many = (perturbed(group, group.groups < 0) for group, _ in groups)  # as they are, memory laid out alike
    before = run(model, inputs, [denoising, many])
    joined = join_groups(model.decoder.adapter, model.subject_queries(2), [denoising, many])
    numbers = joined.groups.tolist()
    assert numbers == [0] * 3 + [1] * 4 + [2] * 4 + [3] * 5
    for number in (1, 2, 3):
        changed = [perturbed(group, group.groups == number) for group in (denoising, many)]
        after = run(model, inputs, changed)
        inside = joined.groups == number
        assert torch.equal(stacked(before, "contexts"), stacked(after, "contexts"))
        for field in FIELDS:
            first, second = stacked(before, field), stacked(after, field)
            assert torch.equal(first[:, :, ~inside], second[:, :, ~inside]), field
        assert not torch.equal(stacked(before, "logits")[:, :, inside], stacked(after, "logits")[:, :, inside])


@on_every_host
@torch.no_grad()
def test_groups_leave_the_subjects_and_their_losses_as_they_are(name):
    model = attentive(model_with_groups(name)).train()
    entries = batch(people=(2, 3))
    targets, pictures = targets_of(model, entries), [entry["image"] for entry in entries]
    both, groups = model(entries), model.training_queries
    model.training_queries = None
    without, model.training_queries = model(entries), groups
    for key, value in without.items():
        torch.testing.assert_close(both[key], value, rtol=1e-4, atol=1e-4)
    extra = {f"loss_{term}_{group}{layer}" for term in TERMS for group in ("dn", "o2m") for layer in ("", "_0")}
    assert set(both) - set(without) == extra
    inputs = in_double(model, inputs_of(model, pictures))
    alone = model.decoder(inputs, model.subject_queries(2), model.heads)
    beside = run(model, inputs, [group for group, _ in model.training_queries(targets, model.criterion.matcher)])
    assert largest(stacked(alone, "contexts"), stacked(beside, "contexts")) <= 1e-10
    for field in FIELDS:
        assert largest(stacked(alone, field), stacked(beside, field)[:, :, :3]) <= 1e-10, field


@on_two_hosts
@torch.no_grad()
def test_evaluation_never_meets_them(name):
    torch.manual_seed(3)
    model = model_with_groups(name).eval()
    torch.manual_seed(3)
    plain = tiny_dsct(name).eval()
    mine = model.state_dict()
    assert mine.keys() >= plain.state_dict().keys()
    plain.load_state_dict({key: mine[key] for key in plain.state_dict()})
    picture = [{"image": images((64, 96))[0]}]
    found, expected = model(picture)[0]["instances"], plain(picture)[0]["instances"]
    assert len(found) == 3
    assert torch.equal(found.pred_logits, expected.pred_logits)
    assert torch.equal(found.pred_boxes.tensor, expected.pred_boxes.tensor)


@on_every_host
@torch.no_grad()
def test_an_image_beside_a_crowd_gets_what_it_gets_beside_nobody(name):
    """Nobody sees the slots that an image has too many."""
    model = attentive(model_with_groups(name, one_to_many=None)).eval()
    few, crowd = (targets_of(model, [entry])[0] for entry in batch(people=(1, 4)))
    inputs = in_double(model, inputs_of(model, images()))
    people = model.training_queries.recipes[0]([few, crowd], model.emotions)
    own = ~people.padding[0]
    assert people.groups[own].tolist() == [1, 1, 2, 2]
    trimmed = replace(
        people,
        boxes=people.boxes[:, own],
        emotions=people.emotions[:, own],
        groups=people.groups[own],
        padding=people.padding[:, own],
    )
    assert not trimmed.padding.any()
    crowded, roomy = (run(model, inputs, [model.training_queries.denoising(p)]) for p in (people, trimmed))
    kept = torch.cat([torch.ones(3, dtype=torch.bool), own])
    for field in FIELDS:
        mine, expected = stacked(crowded, field)[:, 0, kept], stacked(roomy, field)[:, 0]
        assert torch.isfinite(stacked(crowded, field)).all()
        assert largest(mine, expected) <= 1e-10, field


@on_every_host
@pytest.mark.parametrize(("emotions", "people", "use_contexts"), [("emotic", (0, 2), True), ("caer_s", (7, 0), False)])
def test_every_batch_trains_every_parameter(name, emotions, people, use_contexts):
    """Images without people, crowds, no contexts to look at: finite losses, and a gradient for each parameter."""
    trains_everything(name, emotions, people, use_contexts)


@on_two_hosts
@pytest.mark.parametrize(("emotions", "use_contexts"), [("emotic", False), ("caer_s", True)])
def test_a_batch_without_people_trains_every_parameter(name, emotions, use_contexts):
    trains_everything(name, emotions, (0, 0), use_contexts)


def trains_everything(name, emotions, people, use_contexts):
    model = model_with_groups(name, emotions, use_contexts=use_contexts).train()
    losses = model(batch(emotions, people))
    sum(losses.values()).backward()
    assert all(torch.isfinite(loss) for loss in losses.values())
    idle = [n for n, p in model.training_queries.named_parameters() if p.grad is None]
    assert idle == []
    for part in (model.training_queries, model.subject_queries, model.heads):
        assert all(torch.isfinite(p.grad).all() for p in part.parameters())
    assert model.training_queries.denoising.emotions.grad.abs().sum() > 0
    assert model.training_queries.one_to_many.content.grad.abs().sum() > 0


@on_every_host
def test_people_are_told_by_emotion_and_place(name):
    """What is spoilt reaches the predictions: labels by the embedding, boxes by position, anchor or both."""
    model = model_with_groups(name, "emotic", one_to_many=None).eval()
    entries = batch("emotic", people=(1, 1))
    inputs = inputs_of(model, [entry["image"] for entry in entries])
    people = model.training_queries.recipes[0](targets_of(model, entries), model.emotions)
    queries = model.training_queries.denoising
    before = stacked(run(model, inputs, [queries(people)]), "logits")
    for other in (
        replace(people, emotions=1 - people.emotions),
        replace(people, boxes=people.boxes.roll(1, 0)),
    ):
        after = stacked(run(model, inputs, [queries(other)]), "logits")
        assert torch.equal(before[:, :, :3], after[:, :, :3])
        assert largest(before[:, :, 3:], after[:, :, 3:]) > 1e-4


@on_two_hosts
def test_a_restored_generator_gives_the_same_losses(name):
    model, entries = model_with_groups(name).train(), batch()
    state = torch.get_rng_state()
    first, second = model(entries), model(entries)
    torch.set_rng_state(state)
    again = model(entries)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["loss_bbox_dn"], second["loss_bbox_dn"])


@on_two_hosts
def test_recomputed_layers_give_the_same_gradients(name):
    plain = model_with_groups(name).train()
    saving = model_with_groups(name, activation_checkpointing=True).train()
    saving.load_state_dict(plain.state_dict())
    entries, state = batch(), torch.get_rng_state()
    for model in (plain, saving):
        torch.set_rng_state(state)
        sum(model(entries).values()).backward()
    for (key, mine), theirs in zip(plain.named_parameters(), saving.parameters(), strict=True):
        if mine.grad is not None:
            assert torch.equal(mine.grad, theirs.grad), key


def test_a_copy_after_a_step_is_independent():
    model, entries = model_with_groups("dino").train(), batch()
    sum(model(entries).values()).backward()
    twin, state = copy.deepcopy(model), torch.get_rng_state()
    before = model(entries)
    with torch.no_grad():
        twin.training_queries.denoising.emotions.add_(1.0)
    torch.set_rng_state(state)
    again = model(entries)
    torch.set_rng_state(state)
    changed = twin(entries)
    assert torch.equal(before["loss_class_dn"], again["loss_class_dn"])
    assert not torch.equal(before["loss_class_dn"], changed["loss_class_dn"])
    assert torch.equal(before["loss_class_o2m"], changed["loss_class_o2m"])


def test_switched_on_they_change_no_initial_weight_of_the_rest():
    torch.manual_seed(0)
    model = model_with_groups("dino")
    torch.manual_seed(0)
    plain = tiny_dsct("dino")
    own = set(plain.state_dict())
    assert {key for key in model.state_dict() if not key.startswith("training_queries.")} == own
    assert plain.training_queries is None
    unlike = ("heads.",)  # randomised by the tests after all modules were made
    assert all(torch.equal(model.state_dict()[k], v) for k, v in plain.state_dict().items() if not k.startswith(unlike))


def test_weights_and_half_precision():
    half = model_with_groups("deformable_detr", denoising=Denoising(2, weight=0.5)).train()
    full = model_with_groups("deformable_detr", denoising=Denoising(2, weight=1.0)).train()
    full.load_state_dict(half.state_dict())
    entries, state = batch(), torch.get_rng_state()
    losses = []
    for model in (half, full):
        torch.set_rng_state(state)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            losses.append(model(entries))
    assert all(torch.isfinite(loss) for loss in losses[0].values())
    torch.testing.assert_close(2 * losses[0]["loss_class_dn_0"], losses[1]["loss_class_dn_0"])
    torch.testing.assert_close(losses[0]["loss_class_o2m"], losses[1]["loss_class_o2m"])


def test_a_few_steps_teach_to_mend_spoilt_people():
    """Also with a decoder that starts from noise: the denoising losses fall faster than chance allows."""
    model = model_with_groups("dino", "emotic", one_to_many=None, denoising=Denoising(4, label_noise=0.0)).train()
    entries = batch("emotic", people=(2, 2))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    history = []
    for _ in range(15):
        losses = model(entries)
        history.append(sum(losses[f"loss_{term}_dn"].item() for term in TERMS))
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    assert sum(history[-3:]) < 0.6 * sum(history[:3])


def part(count: int, dim: int | None = 4, position: bool = True, **more) -> Subjects:
    place = None if dim is None else torch.rand(2, count, dim)
    return Subjects(torch.rand(2, count, 8), torch.rand(2, count, 8) if position else None, place, **more)


def test_join_fills_in_groups_and_padding_and_cuts_boxes_to_points():
    padding = torch.tensor([[False, True], [False, False]])
    first, second = part(1, 2), part(2, 4, groups=torch.tensor([1, 2]), padding=padding)
    joined = Subjects.join([first, second])
    assert joined.groups.tolist() == [0, 1, 2]
    assert joined.padding.tolist() == [[False, False, True], [False, False, False]]
    assert torch.equal(joined.anchor, torch.cat([first.anchor, second.anchor[..., :2]], 1))
    assert torch.equal(joined.position[:, :1], first.position)
    assert Subjects.join([part(1, None), second]).anchor is None
    bare = Subjects.join([part(1, position=False), part(2)])
    assert (bare.position, bare.padding, len(bare)) == (None, None, 3)


@pytest.mark.parametrize("missing", ["position", "anchor"])
def test_join_refuses_parts_without_what_the_host_needs(missing):
    with pytest.raises(ValueError, match=rf"Subjects.join\(parts=\) expects a {missing} in every part"):
        Subjects.join([part(1), replace(part(1), **{missing: None})])


KNOWN_FOR = {
    "dn_detr": ("denoising", Denoising, {"num_groups": 5, "contrastive": False}),
    "dino": ("denoising", Denoising, {"num_groups": 100, "max_queries": 200, "contrastive": True}),
    "h_deformable_detr": ("one_to_many", OneToMany, {"num_queries": 45, "repeats": 6}),
}


BASE = load_config(config_folder().parent / "projects/deformable_detr_dsct.py")


def project(*overrides: str):
    return apply_overrides(copy.deepcopy(BASE), overrides)


def test_a_host_brings_the_options_it_is_known_for():
    cfg = project()
    for name in HOSTS:
        cfg.host.name = name
        key, kind, values = KNOWN_FOR.get(kind_of(name), (None, None, {}))
        assert {option for option in ("denoising", "one_to_many") if cfg.model[option] is not None} == {key} - {None}
        if key is not None:
            recipe = instantiate(cfg.model[key])
            assert isinstance(recipe, kind)
            assert {k: getattr(recipe, k) for k in values} == values
        matcher = "IoUAssigner" if kind_of(name) == "deta" else "HungarianMatcher"
        assert cfg.model.criterion.matcher._target_.__name__ == matcher


def test_options_are_switched_off_changed_and_borrowed_by_overrides():
    assert project("host.name=dino", "model.denoising=null").model.denoising is None
    changed = project("model.denoising.num_groups=3", "host.name=dino", "model.criterion.matcher.cost_class=9")
    assert (changed.model.denoising.num_groups, changed.subject_training.dino.denoising.num_groups) == (3, 100)
    assert changed.model.criterion.matcher.cost_class == 9
    borrowed = project("host.name=deta", "model.denoising=${subject_training.dino.denoising}")
    assert borrowed.model.denoising.contrastive
    own = project("+hosts.mine=${hosts.dino}", "host.name=mine")  # a host that no table of options knows
    assert own.model.denoising is None
    assert own.model.criterion.matcher.cost_class == 2.0


def test_every_host_with_options_is_a_host():
    table = get_config("common/hosts.py")
    live_only = {"dn_deformable_detr", "align_detr", "dino_eva", "focus_detr"}
    assert set(table.subject_training) - live_only - {"default"} == {*KNOWN_FOR, "deta"} <= set(table.hosts)
