"""DSCT with the features of frozen networks in its memory, on every host (docs/modalities.md)."""

import copy

import pytest
import torch
from torch import nn

from dsct_detrex.dsct import HostAdapter, adapter_for
from dsct_detrex.layers.levels import shrink_mask
from tests.dsct.tiny import HOSTS, batch, images, tiny_dsct, tiny_host, with_noise
from tests.modalities.networks import filled, scene_memory

pytestmark = pytest.mark.filterwarnings("ignore:ModalityMemory")
on_every_host = pytest.mark.parametrize("name", HOSTS)
FAMILIES = ("anchor_detr", "detr", "deformable_detr", "dino")
on_every_family = pytest.mark.parametrize("name", FAMILIES)


def twins(name, **switches):
    """A DSCT without modalities and one with a scene network, equal elsewhere."""
    made = []
    for modalities in (None, scene_memory()):
        torch.manual_seed(1)
        made.append(tiny_dsct(name, modalities=modalities, **switches))
    return made


def with_scene(name):
    model = tiny_dsct(name, modalities=scene_memory())
    filled(model.modalities)
    return model


def outputs(model, pictures):
    layers = model.decode(pictures)
    return torch.stack([torch.cat([layer.logits, layer.boxes], -1) for layer in layers])


@on_every_host
@torch.no_grad()
def test_it_starts_as_exactly_the_model_without_and_then_leaves_it(name):
    without, with_it = (model.eval() for model in twins(name))
    pictures = images()
    expected = outputs(without, pictures)
    assert torch.equal(outputs(with_it, pictures), expected)
    filled(with_it.modalities)
    assert (outputs(with_it, pictures) - expected).abs().max() > 0.1


@on_every_host
def test_losses_and_gradients_start_equal_too(name):
    without, with_it = twins(name)
    entries = batch()
    for model in (without, with_it):
        sum(model.train()(entries).values()).backward()
    theirs = dict(with_it.named_parameters())
    for key, parameter in without.named_parameters():
        if parameter.grad is not None:
            assert torch.equal(parameter.grad, theirs[key].grad), key


@on_every_host
def test_names_of_the_rest_stay(name):
    host = tiny_host(name)
    before = list(host.state_dict())
    without, with_it = twins(name)
    assert [key for key in with_it.state_dict() if not key.startswith("modalities.")] == list(without.state_dict())
    assert list(with_it.host.state_dict()) == before
    assert list(tiny_dsct(name, modalities=scene_memory(use=[])).state_dict()) == list(without.state_dict())


@torch.no_grad()
def test_without_use_nothing_is_asked_of_the_adapter(monkeypatch):
    model = tiny_dsct("detr", modalities=scene_memory(use=[])).eval()
    pictures = images()
    expected = outputs(model, pictures)
    monkeypatch.setattr(type(model.decoder.adapter), "add_to_memory", None)
    assert torch.equal(outputs(model, pictures), expected)


@on_every_host
@torch.no_grad()
def test_each_level_gets_its_own_and_captured_tensors_stay(name):
    """A level of h x w gets 100 h + w in its first channel, and its positions in order in the second.

    The extra is in double precision, as one of another precision than the memory's is under autocast.
    """
    adapter = adapter_for(tiny_host(name).eval())
    model = tiny_dsct(name)
    inputs = adapter.decoder_inputs(*model.normalizer(images()))
    before = {key: value.clone() for key, value in inputs.items() if isinstance(value, torch.Tensor)}

    def extra(size):
        height, width = size
        added = torch.zeros(2, height * width, 256, dtype=torch.float64)
        added[..., 0], added[..., 1] = 100 * height + width, torch.arange(height * width)
        return added

    changed = adapter.add_to_memory(inputs, extra)
    assert all(torch.equal(inputs[key], value) for key, value in before.items())
    if "srcs" in inputs:
        sizes = [inputs["srcs"].shape[-2:]]
    else:
        sizes = inputs["spatial_shapes"].tolist() if "spatial_shapes" in inputs else [inputs["memory_size"]]
    expected = torch.cat([extra(size) for size in sizes], 1).float()
    names = [key for key in ("srcs", "key", "value") if key in inputs]
    assert {key for key in inputs if changed[key] is not inputs[key]} == set(names)
    for key in names:
        assert changed[key].dtype == inputs[key].dtype
        difference = changed[key] - inputs[key]
        if key == "srcs":
            difference = difference[:, 0].flatten(2).transpose(1, 2)
        elif not adapter.batch_first:
            difference = difference.transpose(0, 1)
        torch.testing.assert_close(difference, expected, atol=1e-3, rtol=1e-3)


@on_every_host
def test_a_training_step_moves_projections_and_leaves_the_network(name):
    model = tiny_dsct(name, modalities=scene_memory()).train()
    network, projections = model.modalities.networks["scene"], model.modalities.projections
    before = copy.deepcopy(network.state_dict())
    assert any(name.endswith("running_mean") for name in before)
    optimizer = torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=0.1)
    with pytest.warns(RuntimeWarning, match="random weights"):
        losses = model(batch())
    sum(losses.values()).backward()
    assert all(p.grad is None and not p.requires_grad for p in network.parameters())
    assert all(p.grad.abs().max() > 0 for p in projections.parameters())
    optimizer.step()
    assert all(torch.equal(tensor, before[key]) for key, tensor in network.state_dict().items())
    assert all(p.abs().max() > 0 for p in projections.parameters())
    assert model.training
    assert not any(module.training for module in network.modules())


@on_every_host
@torch.no_grad()
def test_an_image_alone_and_in_a_batch_of_its_size(name):
    model = with_scene(name).eval()
    pictures = images((96, 128), (96, 128))
    together = outputs(model, pictures)
    for index, picture in enumerate(pictures):
        alone = outputs(model, [picture])[:, 0]
        torch.testing.assert_close(alone, together[:, index], rtol=0, atol=1e-4)


@on_every_host
@torch.no_grad()
def test_noise_under_the_padding_of_the_maps_is_not_seen(name):
    """On row-column attention too: what is added to padded positions does not come from padding."""
    model = with_scene(name).eval()
    pictures = images()
    _, mask = model.normalizer(pictures)
    expected = outputs(model, pictures)

    def spoil(_module, _args, maps):
        paddings = [shrink_mask(mask, x.shape[-2:]) for x in maps]
        assert all(padding.any() for padding in paddings)
        return with_noise(maps, paddings)

    model.modalities.networks["scene"].register_forward_hook(spoil)
    assert torch.equal(outputs(model, pictures), expected)
    model.modalities.networks["scene"].register_forward_hook(lambda _m, _a, maps: [x + 1e-3 * x**2 for x in maps])
    assert not torch.equal(outputs(model, pictures), expected)


@on_every_family
@torch.no_grad()
def test_half_precision(name):
    without, with_it = (model.eval() for model in twins(name))
    pictures = images()
    with torch.autocast("cpu", torch.bfloat16):
        expected = outputs(without, pictures)
        assert torch.equal(outputs(with_it, pictures), expected)
        filled(with_it.modalities)
        changed = outputs(with_it, pictures)
    assert changed.dtype == expected.dtype
    assert changed.isfinite().all()


@on_every_family
@torch.no_grad()
def test_meta_device(name):
    """A failure means that a tensor is made on a fixed device, or that a value is read back inside the forward pass."""
    model = with_scene(name).eval().to("meta")
    assert model.decode([torch.empty(3, 64, 96, device="meta")])[-1].logits.device.type == "meta"


@on_every_family
def test_recomputed_layers_give_the_same_gradients(name):
    plain = with_scene(name).train()
    saving = tiny_dsct(name, modalities=scene_memory(), activation_checkpointing=True).train()
    saving.load_state_dict(plain.state_dict())
    entries = batch()
    for model in (plain, saving):
        sum(model(entries).values()).backward()
    for mine, theirs in zip(plain.modalities.parameters(), saving.modalities.parameters(), strict=True):
        assert mine.grad is theirs.grad is None or torch.equal(mine.grad, theirs.grad)


@torch.no_grad()
def test_the_networks_see_the_frame_that_a_backbone_asks_for():
    """A backbone that reads squares makes a memory of squares; the frozen maps have to lie on it."""
    model = with_scene("deformable_detr").eval()
    model.host.backbone.padding_constraints = {"square_size": 160}
    seen = []
    model.modalities.networks["scene"].register_forward_pre_hook(lambda _module, args: seen.append(args[0].shape))
    model.decode(images())
    assert seen == [(2, 3, 160, 160)]


def test_a_memory_that_is_no_map_is_refused():
    adapter = adapter_for(tiny_host("detr"))
    inputs = {"key": torch.zeros(5, 2, 256), "value": torch.zeros(5, 2, 256), "memory_size": (3, 4)}
    with pytest.raises(ValueError, match=r"Got 5 tokens of detr for a map of 3 x 4: it samples its tokens, as PnP"):
        adapter.add_to_memory(inputs, lambda size: torch.zeros(2, 12, 256))


def test_an_adapter_that_knows_no_memory_is_refused():
    adapter = adapter_for(tiny_host("detr"))
    with pytest.raises(ValueError, match=r"Got DetrAdapter, which has no add_to_memory."):
        HostAdapter.add_to_memory(adapter, {}, lambda size: nn.Identity())
