"""The live column: every host built from detrex's own config, driven by the adapters, equal to its embedded twin.

Skipped, by name, where detrex is not importable. Run it with ``DETREX_ROOT`` (and ``DETECTRON2_ROOT``) set.
"""

from collections.abc import Sequence

import golden_io
import pytest
import torch
from torch import Tensor

from dsct_detrex.dsct import LayerOutput
from dsct_detrex.integrations.detrex import locate, operator_stand_in
from dsct_detrex.rewrites import rewritten
from tests.dsct.tiny import floats_to
from tests.modalities.networks import filled, scene_memory

from .live import (
    EMBEDDED,
    NAMES,
    batch_for,
    dsct_on,
    largest,
    of_layers,
    own_decoding_of,
    pictures_for,
    require_detrex,
    tiny_host,
    tiny_live_host,
    twins,
)

pytestmark = pytest.mark.usefixtures("detrex")
TOLERANCE = 2e-5
AMPLIFIED = 1e-4
"""For what comes out of the official fusion in single precision: its softmax over unscaled dot products of 256 channels
turns the rounding of states (at most 5e-6 measured) into up to 6e-5 in a few subjects."""
EXACT = 1e-10
"""In double precision nothing of it is left: at most 4e-13 measured, from the pictures on."""
SINGLE = {"anchor_detr", "anchor_detr_mha", "conditional_detr", "dab_detr", "deta", "dn_detr"}
"""Hosts whose positions or proposals detrex computes in single precision, whatever it is given."""
COMPARED = ("contexts", "subjects", "context_references", "logits", "boxes")

on_every_live_host = pytest.mark.parametrize("name", NAMES)
on_every_embedded_host = pytest.mark.parametrize("name", EMBEDDED)


@pytest.fixture
def detrex() -> None:
    require_detrex()
    locate()


@on_every_live_host
def test_forward_and_backward(name: str) -> None:
    model = dsct_on(tiny_live_host(name)).train()
    losses = model(batch_for(name))
    assert all(torch.isfinite(loss) for loss in losses.values())
    sum(losses.values()).backward()
    gradients = {n: p.grad for n, p in model.named_parameters() if p.requires_grad and p.grad is not None}
    assert all(torch.isfinite(g).all() for g in gradients.values())
    for part in ("subject_queries.", "heads.bbox_embed.", "host.backbone.", "host.transformer.encoder"):
        assert any(n.startswith(part) and g.abs().sum() > 0 for n, g in gradients.items()), part


@on_every_live_host
@torch.no_grad()
def test_evaluation(name: str) -> None:
    model = dsct_on(tiny_live_host(name)).eval()
    entries = batch_for(name)
    for entry, output in zip(entries, model(entries), strict=True):
        people = output["instances"]
        assert people.image_size == (entry["height"], entry["width"])
        assert people.emotion_probs.shape == (3, 7)
        assert torch.isfinite(people.pred_boxes.tensor).all()


@on_every_live_host
@torch.no_grad()
def test_without_subjects_the_host_is_untouched(name: str) -> None:
    """N = 0: DSCT's loop over the live decoder's layers equals that decoder's own, bit for bit."""
    model = dsct_on(tiny_live_host(name), num_subjects=0).eval()
    pictures = pictures_for(name)
    states, references = own_decoding_of(model, pictures)
    layers = model.decode(pictures)
    assert torch.equal(of_layers(layers, "contexts"), states)
    for layer, own in zip(layers, references, strict=True):
        assert torch.equal(layer.context_references, own)


@on_every_embedded_host
def test_keys_and_shapes_are_those_of_the_embedded_host(name: str) -> None:
    live, embedded = (host.state_dict() for host in (tiny_live_host(name), tiny_host(name)))
    assert {key: value.shape for key, value in live.items()} == {key: value.shape for key, value in embedded.items()}


@on_every_embedded_host
@torch.no_grad()
def test_evaluation_equals_the_embedded_hosts(name: str) -> None:
    live, embedded = (model.eval() for model in twins(name))
    pictures = pictures_for(name)
    tolerances = {"subjects": AMPLIFIED, "logits": AMPLIFIED}
    if name not in SINGLE:
        live, embedded, pictures = live.double(), embedded.double(), [picture.double() for picture in pictures]
        tolerances = dict.fromkeys(COMPARED, EXACT)
    assert_equal_layers(live.decode(pictures), embedded.decode(pictures), tolerances)


@on_every_embedded_host
@torch.no_grad()
def test_decoding_equals_the_embedded_hosts_in_double_precision(name: str) -> None:
    """On the same inputs of the decoder, so that what is left of the differences above would be a difference."""
    live, embedded = (model.eval() for model in twins(name))
    adapter = embedded.decoder.adapter
    inputs = floats_to(torch.float64, adapter.decoder_inputs(*embedded.normalizer(pictures_for(name))))
    if adapter.kind == "anchor_detr":  # detrex computes its positions in single precision, whatever it is given
        inputs["adapt_pos2d"].register_forward_pre_hook(lambda _, args: args[0].double())
    for model in (live, embedded):
        model.double()
    theirs, ours = (model.decoder(inputs, model.subject_queries(2), model.heads) for model in (live, embedded))
    assert_equal_layers(theirs, ours, dict.fromkeys(COMPARED, EXACT if adapter.kind != "anchor_detr" else AMPLIFIED))


@on_every_embedded_host
def test_training_equals_the_embedded_hosts(name: str) -> None:
    live, embedded = (model.train() for model in twins(name))
    entries = batch_for(name)
    theirs, ours = live(entries), embedded(entries)
    assert theirs.keys() == ours.keys()
    for key, loss in theirs.items():
        torch.testing.assert_close(loss, ours[key], rtol=TOLERANCE, atol=TOLERANCE)
    for losses in (theirs, ours):
        sum(losses.values()).backward()
    gradients = dict(embedded.named_parameters())
    for key, parameter in live.named_parameters():
        assert (parameter.grad is None) == (gradients[key].grad is None), key
        if parameter.grad is not None:
            scale = max(1.0, parameter.grad.abs().max().item())
            assert largest(parameter.grad, gradients[key].grad) <= 10 * TOLERANCE * scale, key


def assert_equal_layers(
    theirs: Sequence[LayerOutput], ours: Sequence[LayerOutput], tolerances: dict[str, float]
) -> None:
    for their_layer, our_layer in zip(theirs, ours, strict=True):
        for field in COMPARED:
            difference = largest(getattr(their_layer, field), getattr(our_layer, field))
            assert difference <= tolerances.get(field, TOLERANCE), field


@on_every_live_host
@torch.no_grad()
@pytest.mark.filterwarnings("ignore:ModalityMemory")
def test_modalities_join_the_memory(name: str) -> None:
    """At first nothing is added, bit for bit; then the logits move. PnP-DETR's memory is no map and is refused."""
    model, pictures = dsct_on(tiny_live_host(name)).eval(), pictures_for(name)
    before = model.decode(pictures)[-1].logits
    model.modalities = scene_memory().eval()
    if name == "pnp_detr":
        with pytest.raises(ValueError, match="it samples its tokens, as PnP-DETR does"):
            model.decode(pictures)
        return
    assert torch.equal(model.decode(pictures)[-1].logits, before)
    filled(model.modalities)
    assert (model.decode(pictures)[-1].logits - before).abs().max() > 0.01


class OnGpu(torch.Tensor):
    """A CPU tensor that says it is on a GPU, so that detrex's layer takes the road to its operator."""

    is_cuda = True


def test_detrexs_attention_layer_calls_the_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    if not locate().stand_in:
        pytest.skip("this detrex is compiled")
    import detrex._C as operator
    from detrex.layers import MultiScaleDeformableAttention

    calls = []
    real = operator.ms_deform_attn_forward
    monkeypatch.setattr(operator, "ms_deform_attn_forward", lambda *inputs: calls.append(len(inputs)) or real(*inputs))
    layer = MultiScaleDeformableAttention(embed_dim=32, num_heads=4, num_levels=2, num_points=3, batch_first=True)
    for parameter in layer.parameters():
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    shapes = torch.tensor([[6, 5], [3, 3]])
    inputs = dict(spatial_shapes=shapes, level_start_index=torch.tensor([0, 30]))
    inputs["reference_points"] = torch.rand(2, 7, 2, 2)
    outputs, gradients = [], []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("DSCT_MSDA_BACKEND", "pytorch")  # Triton would ask the GPU that is not there
    for kind in (torch.Tensor, OnGpu):
        torch.manual_seed(1)
        query, value = torch.randn(2, 7, 32), torch.randn(2, 39, 32)
        leaf = value.requires_grad_()
        out = layer(query=query, value=leaf.as_subclass(kind), **inputs)
        out.as_subclass(torch.Tensor).square().sum().backward()
        outputs.append(out.detach().as_subclass(torch.Tensor))
        gradients.append(leaf.grad)
    assert calls == [6], "once, for the tensor on the GPU"
    torch.testing.assert_close(outputs[1], outputs[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(gradients[1], gradients[0], rtol=0, atol=1e-4)


def test_detrexs_autograd_function_on_the_stand_in_equals_the_operator() -> None:
    if not locate().stand_in:
        pytest.skip("this detrex is compiled")
    from detrex.layers.multi_scale_deform_attn import _C, MultiScaleDeformableAttnFunction

    assert _C.ms_deform_attn_forward is operator_stand_in.ms_deform_attn_forward
    fx = golden_io.load("msda/op")
    names = ("value", "sampling_locations", "attention_weights")
    leaves: list[Tensor] = [fx[f"in.{n}"].clone().requires_grad_() for n in names]
    starts = fx["in.spatial_shapes"], fx["in.level_start_index"]
    output = MultiScaleDeformableAttnFunction.apply(leaves[0], *starts, leaves[1], leaves[2], 64)
    output.backward(fx["in.grad_output"])
    torch.testing.assert_close(output.detach(), fx["out.output"], rtol=0, atol=1e-5)
    for name, leaf in zip(names, leaves, strict=True):
        torch.testing.assert_close(leaf.grad, fx[f"out.grad_{name}"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("numbers", [2, 4])
def test_detrexs_attention_layer_is_rewritten_by_its_structure(numbers: int) -> None:
    from detrex.layers import MultiScaleDeformableAttention

    layer = MultiScaleDeformableAttention(embed_dim=32, num_heads=4, num_levels=2, num_points=3, batch_first=True)
    layer.eval()  # no dropout
    with torch.no_grad():
        for weight in layer.parameters():
            weight.add_(torch.randn_like(weight) * 0.1)
    inputs = {"query": torch.randn(2, 7, 32, requires_grad=True), "value": torch.randn(2, 92, 32, requires_grad=True)}
    levels = {"spatial_shapes": torch.tensor([[8, 9], [4, 5]]), "level_start_index": torch.tensor([0, 72])}
    others = {"reference_points": torch.rand(2, 7, 2, numbers), "key_padding_mask": torch.rand(2, 92) > 0.7}

    def numbers_of() -> list[Tensor]:
        output = layer(**inputs, **levels, **others)
        return [output, *torch.autograd.grad(output.square().sum(), [*inputs.values(), *layer.parameters()])]

    expected = numbers_of()
    with rewritten(layer) as rewriting:
        assert rewriting.counts["deformable_attention"] == 1
        got = numbers_of()
    for wanted, found in zip(expected, got, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-4)
