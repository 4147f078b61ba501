"""What of a host trains: measured gradients against what is frozen, on every host; names; the loss on proposals."""

import copy

import pytest
import torch
from torch import Tensor, nn

from dsct_detrex.dsct import HostTraining
from dsct_detrex.dsct.host_training import HostTrainingError, dead_parameters
from dsct_detrex.errors import UserError
from dsct_detrex.hosts import DINO
from dsct_detrex.integrations.detrex import live_hosts
from dsct_detrex.objective import ProposalLoss
from tests.dsct import tiny
from tests.dsct.tiny import HOSTS, TABLE, batch, tiny_dsct, tiny_host
from tests.integrations import live

TWO_STAGE = [name for name in HOSTS if TABLE[name].get("as_two_stage", TABLE[name]._target_ is DINO)]
on_every_host = pytest.mark.parametrize("name", HOSTS)


def gradients(model: nn.Module, data=None) -> dict[str, Tensor | None]:
    """Gradient of every trainable parameter after one batch."""
    sum(model.train()(data or batch()).values()).backward()
    return {name: p.grad for name, p in model.named_parameters() if p.requires_grad}


def idle(found: dict[str, Tensor | None]) -> set[str]:
    return {name for name, gradient in found.items() if gradient is None or not gradient.any()}


@on_every_host
def test_exactly_what_receives_no_gradient_is_frozen(name):
    """A failure names parameters that train on nothing, or that are kept from training."""
    model = tiny_dsct(name, host_training=HostTraining(dead="train"))
    trainable = {n for n, p in model.named_parameters() if p.requires_grad}
    dead = {id(p) for p in dead_parameters(model.host)}
    assert dead
    expected = {n for n, p in model.named_parameters() if id(p) in dead and n in trainable}
    assert idle(gradients(model)) == expected
    frozen = tiny_dsct(name)
    assert trainable - {n for n, p in frozen.named_parameters() if p.requires_grad} == expected
    assert not idle(gradients(frozen))


@pytest.mark.parametrize("name", live_hosts())
def test_exactly_what_receives_no_gradient_is_frozen_on_live_detrex(name, monkeypatch):
    live.require_detrex()
    monkeypatch.setattr(tiny, "SIZES", live.sizes_of(name))
    model = live.dsct_on(live.tiny_live_host(name))
    resting = {id(p) for p in dead_parameters(model.host)}
    assert resting
    assert not any(p.requires_grad for p in model.parameters() if id(p) in resting)
    assert not idle(gradients(model))
    for parameter in dead_parameters(model.host):
        parameter.requires_grad_(True)
    assert idle(gradients(model)) == {n for n, p in model.named_parameters() if id(p) in resting}


def test_nothing_that_rested_is_woken():
    host = tiny_host("dino")
    before = {n for n, p in host.named_parameters() if not p.requires_grad}
    assert before  # the stem of the ResNet
    HostTraining(dead="train").apply(host, alive=[host])
    assert {n for n, p in host.named_parameters() if not p.requires_grad} == before


@pytest.mark.parametrize(
    ("pattern", "below"),
    [
        ("backbone", ["backbone."]),
        ("transformer.encoder", ["transformer.encoder."]),
        ("host.transformer.encoder", ["transformer.encoder."]),
        ("transformer.*coder.layers.0", ["transformer.encoder.layers.0.", "transformer.decoder.layers.0."]),
        ("transformer.level_embeds", ["transformer.level_embeds"]),
        ("bbox_embed", ["bbox_embed.", "transformer.decoder.bbox_embed."]),  # one module under two names
    ],
)
def test_names_freeze_what_is_below_them_and_nothing_else(pattern, below):
    host, plain = tiny_host("deformable_detr_box_refine"), tiny_host("deformable_detr_box_refine")
    HostTraining([pattern], dead="train").apply(host)
    trains = dict(plain.named_parameters(remove_duplicate=False))
    for name, parameter in host.named_parameters(remove_duplicate=False):
        assert parameter.requires_grad == (trains[name].requires_grad and not name.startswith(tuple(below)))


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("encoder", r"Got 'encoder', which it does not have. Did you mean 'transformer.encoder'\?"),
        ("transformer.encodr", r"Did you mean 'transformer.encoder'"),
        ("nothing", r"Its parts are backbone, transformer, neck, "),
    ],
)
def test_a_name_that_the_host_has_not_is_an_error_with_suggestions(pattern, message):
    with pytest.raises(UserError, match=message) as caught:
        tiny_dsct("deformable_detr", host_training=HostTraining([pattern]))
    assert isinstance(caught.value, HostTrainingError)
    assert isinstance(caught.value, ValueError)


def test_unknown_switches_are_refused():
    with pytest.raises(ValueError, match=r"HostTraining\(dead=\) expects freeze or train. Got 'drop'."):
        HostTraining(dead="drop")
    with pytest.raises(ValueError, match=r"expects a list of names. Got the text 'backbone'."):
        HostTraining("backbone")


# --- the loss on proposals


def first_stage_names(model: nn.Module) -> set[str]:
    """Full names of the parameters of the first stage."""
    wanted = {id(p) for module in model.first_stage.modules for p in module.parameters()}
    return {name for name, parameter in model.named_parameters() if id(parameter) in wanted}


@pytest.mark.parametrize("name", TWO_STAGE)
def test_the_proposal_loss_trains_exactly_the_first_stage_besides(name):
    plain = {n for n, p in tiny_dsct(name).named_parameters() if p.requires_grad}
    model = tiny_dsct(name, proposal_loss=ProposalLoss())
    trains = {n for n, p in model.named_parameters() if p.requires_grad}
    first_stage = first_stage_names(model)
    assert trains - plain == first_stage
    assert any(".enc_output." in n for n in first_stage)
    assert any(".class_embed.2." in n for n in first_stage)  # two decoder layers: the third head
    assert not idle(gradients(model))


def test_the_losses_have_names_of_their_own_and_join_the_others():
    model = tiny_dsct("dino", proposal_loss=ProposalLoss()).train()
    losses = model(batch())
    assert set(losses) - set(tiny_dsct("dino").train()(batch())) == {f"loss_{t}_enc" for t in ("class", "bbox", "giou")}
    assert all(value.ndim == 0 and torch.isfinite(value) for value in losses.values())


def test_images_without_people_have_a_proposal_loss_too():
    losses = tiny_dsct("dino", proposal_loss=ProposalLoss()).train()(batch(people=(0, 0)))
    assert losses["loss_class_enc"] > 0
    assert losses["loss_bbox_enc"] == losses["loss_giou_enc"] == 0
    sum(losses.values()).backward()


def test_the_loss_falls_over_a_few_steps():
    torch.manual_seed(1)
    model, data = tiny_dsct("dino", proposal_loss=ProposalLoss()), batch()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    totals = []
    for _ in range(12):
        losses = model.train()(data)
        totals.append(sum(losses[f"loss_{term}_enc"] for term in ("class", "bbox", "giou")).item())
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    assert totals[-1] < 0.8 * totals[0]


def test_the_observer_sees_what_the_embedded_host_proposes():
    """Scores and boxes rebuilt outside the host choose the same tokens and boxes as the host's own first stage."""
    model = tiny_dsct("dino", proposal_loss=ProposalLoss()).eval()
    pixels, mask = model.normalizer([entry["image"] for entry in batch()])  # two sizes: one image is padded
    with model.first_stage.observed() as passing:
        inputs = model.decoder.adapter.decoder_inputs(pixels, mask)
    proposals = model.first_stage.proposals(passing)
    chosen = proposals.scores.topk(inputs["query"].shape[1], dim=1).indices
    boxes = proposals.boxes.gather(1, chosen[..., None].expand(-1, -1, 4))
    torch.testing.assert_close(boxes, inputs["reference_points"], rtol=0, atol=1e-6)
    assert not proposals.candidates.all()  # border and padding
    assert proposals.candidates.any()


def test_hooks_are_gone_afterwards_and_the_model_can_be_copied():
    model = tiny_dsct("dino", proposal_loss=ProposalLoss()).train()
    keys = set(model.state_dict())
    sum(model(batch()).values()).backward()
    hooked = [m for m in model.modules() if m._forward_hooks or m._forward_pre_hooks]
    assert not hooked
    assert set(model.state_dict()) == keys
    twin = copy.deepcopy(model)
    assert twin.first_stage.class_head is twin.host.class_embed[2]
    assert twin.first_stage.class_head is not model.host.class_embed[2]
    with pytest.raises(RuntimeError), model.first_stage.observed():
        raise RuntimeError
    assert not [m for m in model.modules() if m._forward_hooks or m._forward_pre_hooks]


def test_evaluation_looks_at_no_proposals():
    torch.manual_seed(0)
    model = tiny_dsct("dino", proposal_loss=ProposalLoss()).eval()
    assert "instances" in model([{"image": torch.zeros(3, 64, 96, dtype=torch.uint8)}])[0]


@pytest.mark.parametrize("name", [name for name in HOSTS if name not in TWO_STAGE])
def test_a_host_without_a_first_stage_refuses_the_loss(name):
    with pytest.raises(ValueError, match=r"DSCT\(proposal_loss=\) expects a two-stage host.* model.proposal_loss=null"):
        tiny_dsct(name, proposal_loss=ProposalLoss())
