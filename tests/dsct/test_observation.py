"""``observe``: what ``decode`` gives, bit for bit, what it looked at, and nothing left behind."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dsct_detrex.dsct import DSCT, LayerOutput
from dsct_detrex.dsct.choices import Places
from dsct_detrex.layers import multi_scale_deform_attn
from dsct_detrex.ops.fused import attention_weights, sampling_locations
from dsct_detrex.rewrites import rewritten
from tests.dsct.tiny import HOSTS, images, kind_of, tiny_dsct

TEN = [name for name in HOSTS if kind_of(name) == name]
on_every_host = pytest.mark.parametrize("name", HOSTS)
on_every_kind = pytest.mark.parametrize("name", TEN)
WITHOUT_POINTS = ("anchor_detr", "conditional_detr", "dab_detr", "detr", "dn_detr")


def numbers(layer: LayerOutput) -> list[Tensor]:
    tensors = [layer.contexts, layer.subjects, layer.context_references, layer.subject_references]
    assert layer.aggregation is not None
    return [*tensors, layer.logits, layer.boxes, layer.aggregation.weights]


def same(one: list[LayerOutput], other: list[LayerOutput]) -> bool:
    pairs = zip(one, other, strict=True)
    return all(torch.equal(a, b) for x, y in pairs for a, b in zip(numbers(x), numbers(y), strict=True))


def left_on(model: nn.Module) -> dict[str, Any]:
    """Everything that lies on the modules: hooks, attributes and the tensors among them."""
    return {
        f"{name}.{key}": (list(value) if isinstance(value, dict) else id(value))
        for name, module in model.named_modules()
        for key, value in vars(module).items()
    }


@on_every_host
@torch.no_grad()
def test_layers_are_those_of_decode_and_nothing_is_left(name: str) -> None:
    model, pictures = tiny_dsct(name).eval(), images()
    before = left_on(model)
    assert same(model.observe(pictures).layers, model.decode(pictures))
    assert left_on(model) == before


@on_every_kind
@torch.no_grad()
def test_rewritten_layers_are_those_of_a_rewritten_decode(name: str) -> None:
    model, pictures = tiny_dsct(name).eval(), images()
    plain = model.observe(pictures)
    with rewritten(model):
        fast = model.observe(pictures)
        assert same(fast.layers, model.decode(pictures))
    for one, other in zip(plain.sampling or (), fast.sampling or (), strict=True):
        torch.testing.assert_close(one.locations, other.locations, rtol=0, atol=1e-4)
        torch.testing.assert_close(one.weights, other.weights, rtol=0, atol=1e-4)


@on_every_host
@torch.no_grad()
def test_sampling_is_what_the_operator_received(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_dsct(name).eval()
    received: list[tuple[Tensor, ...]] = []
    run = multi_scale_deform_attn.fused_deformable_attn

    def recording(*arguments: Tensor) -> Tensor:
        received.append(arguments)
        return run(*arguments)

    monkeypatch.setattr(multi_scale_deform_attn, "fused_deformable_attn", recording)
    seen = model.observe(images())
    if name.startswith(WITHOUT_POINTS):
        assert seen.sampling is None
        assert seen.no_sampling.endswith("has no sampling points: its queries attend to the whole feature map.")
        return
    assert seen.sampling is not None
    assert len(seen.sampling) == 2
    pixels, mask = model.normalizer(images())
    ratios = model.decoder.adapter.decoder_inputs(pixels, mask)["valid_ratios"]
    for sampling, (_, shapes, _, references, offsets, logits) in zip(
        seen.sampling, received[1:3]
    ):  # one of the encoder
        locations = sampling_locations(references, offsets, shapes) / ratios[:, None, None, :, None]
        assert torch.equal(sampling.locations, locations)
        assert torch.equal(sampling.weights, attention_weights(logits))
        assert sampling.locations.shape[1] == seen.num_contexts + 3


@pytest.mark.parametrize("name", ["deformable_detr", "dino"])
@torch.no_grad()
def test_points_without_an_offset_lie_on_the_reference_in_the_unpadded_image(name: str) -> None:
    model = tiny_dsct(name).eval()
    for layer in model.decoder.adapter.layers:
        nn.init.zeros_(layer.attentions[1].sampling_offsets.weight)
        nn.init.zeros_(layer.attentions[1].sampling_offsets.bias)
    seen = model.observe(images())
    assert seen.sampling is not None
    for layer, sampling in zip(seen.layers, seen.sampling):
        references = torch.cat([layer.context_references, layer.subject_references], 1)[..., :2]
        expected = references[:, :, None, None, None].expand(sampling.locations.shape)
        torch.testing.assert_close(sampling.locations, expected, rtol=0, atol=1e-6)


@on_every_kind
@torch.no_grad()
def test_places_are_those_that_chose_the_nearest(name: str) -> None:
    seen = tiny_dsct(name).eval().observe(images())
    for layer, points in zip(seen.layers, seen.places, strict=True):
        assert points is not None
        assert layer.aggregation is not None
        again = Places(points, seen.num_contexts).nearest(6)
        assert torch.equal(again.mask, layer.aggregation.nearest.mask)


@torch.no_grad()
def test_places_of_the_padded_frame_are_told_in_the_unpadded_one() -> None:
    seen = tiny_dsct("deformable_detr", distance_frame="padded").eval().observe(images())
    first = seen.layers[0]
    assert seen.places[0] is not None
    expected = torch.cat([first.context_references, first.subject_references], 1)
    torch.testing.assert_close(seen.places[0], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("name", "stage"), [("detr", "res5"), ("deformable_detr", "res5"), ("anchor_detr", "res5")])
@torch.no_grad()
def test_features_say_which_part_is_the_image(name: str, stage: str) -> None:
    seen = tiny_dsct(name).eval().observe(images((96, 128), (64, 96)))
    assert seen.features.name == stage
    assert seen.features.maps.shape == (2, 512, 3, 4)
    assert seen.features.shares.tolist() == [[1.0, 1.0], [0.75, pytest.approx(2 / 3)]]


@torch.no_grad()
def test_what_there_is_not() -> None:
    """No fusion, fusion in one layer, no contexts."""
    assert tiny_dsct("dino", aggregation=None).eval().observe(images()).places == [None, None]
    places = tiny_dsct("dino", fusion_layers=[1]).eval().observe(images()).places
    assert [points is None for points in places] == [True, False]
    alone = tiny_dsct("dino", use_contexts=False).eval().observe(images())
    assert alone.num_contexts == 0
    assert alone.places == [None, None]
    assert alone.sampling is not None
    assert alone.sampling[0].locations.shape[1] == 3


def test_a_failing_call_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model: DSCT = tiny_dsct("deformable_detr").eval()
    before = left_on(model)

    def fail(*_: Any) -> None:
        raise RuntimeError("the heads fail")

    with monkeypatch.context() as patch:
        patch.setattr(type(model.heads), "classify", fail)
        with pytest.raises(RuntimeError, match="the heads fail"):
            model.observe(images())
    assert left_on(model) == before


@torch.no_grad()
def test_meta_device() -> None:
    seen = tiny_dsct("dino").eval().to("meta").observe([torch.empty(3, 64, 96, device="meta")])
    assert seen.sampling is not None
    assert seen.sampling[0].locations.device.type == "meta"


def test_losses_still_reach_what_was_observed() -> None:
    seen = tiny_dsct("deformable_detr").train().observe(images())
    assert seen.layers[-1].boxes.requires_grad
    assert seen.sampling is not None
    assert not seen.sampling[-1].locations.requires_grad
    assert not seen.features.maps.requires_grad
