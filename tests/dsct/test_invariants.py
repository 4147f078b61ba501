"""What must hold on every host, with the tolerances measured on the live detrex models (docs/architecture.md)."""

import copy
from collections.abc import Iterable
from typing import Any

import pytest
import torch
from torch import Tensor

from dsct_detrex.dsct import DSCT, LayerOutput, RelationalAggregation, Subjects
from dsct_detrex.dsct.adapters import QueryState
from dsct_detrex.dsct.capture import capture_keywords
from dsct_detrex.dsct.choices import Places
from tests.dsct.tiny import HOSTS, batch, images, in_double, own_decoding, tiny_dsct, tiny_host, with_noise

on_every_host = pytest.mark.parametrize("name", HOSTS)

# How far noise in padded features may move states; 0 where not named. Decoupled attention masks its weights, but like
# detrex's it averages keys over whole rows and columns, padding included. Here half of a 3 x 4 map is noise.
LEAKS = {"anchor_detr": 0.3}


def inputs_of(model: DSCT):
    pixels, mask = model.normalizer(images())
    return model.decoder.adapter.decoder_inputs(pixels, mask)


def largest(a: Tensor, b: Tensor) -> float:
    assert a.shape == b.shape
    return (a - b).abs().max().item() if a.numel() else 0.0


def of_layers(layers, name: str) -> Tensor:
    return torch.stack([getattr(layer, name) for layer in layers])


@on_every_host
@torch.no_grad()
def test_without_subjects_the_host_is_untouched(name):
    """N = 0: states and references of the contexts equal the host's own decoder, bit for bit."""
    model = tiny_dsct(name, num_subjects=0).eval()
    inputs = inputs_of(model)
    states, references = own_decoding(model.host, inputs)
    layers = model.decoder(inputs, model.subject_queries(2), model.heads)
    assert torch.equal(of_layers(layers, "contexts"), states)
    assert all(torch.equal(layer.context_references, mine) for layer, mine in zip(layers, references, strict=True))


@on_every_host
@torch.no_grad()
def test_blind_contexts_are_the_hosts_although_subjects_fuse(name):
    model = tiny_dsct(name, contexts_see_subjects=False).eval()
    inputs = inputs_of(model)
    states, _ = own_decoding(model.host, inputs)
    layers = model.decoder(inputs, model.subject_queries(2), model.heads)
    assert largest(of_layers(layers, "contexts"), states) <= 1e-5
    seeing = tiny_dsct(name).eval()
    seeing.load_state_dict(model.state_dict())
    other = seeing.decoder(inputs, seeing.subject_queries(2), seeing.heads)
    assert largest(of_layers(other, "contexts"), states) > 1e-5


@on_every_host
@torch.no_grad()
def test_blind_contexts_in_double_precision(name):
    model = tiny_dsct(name, contexts_see_subjects=False).eval()
    inputs = in_double(model, inputs_of(model))
    states, _ = own_decoding(model.host, inputs)
    layers = model.decoder(inputs, model.subject_queries(2), model.heads)
    assert largest(of_layers(layers, "contexts"), states) <= 1e-12


class SplitHead(torch.nn.Module):
    """A box head that treats the first m queries as contexts and the others as subjects, whose head may change.

    Args:
        queries: the dimension of the queries.
        subjects: one head for each call, in the order of the layers.
    """

    def __init__(self, contexts: torch.nn.Module, subjects: Iterable[torch.nn.Module], m: int, queries: int) -> None:
        super().__init__()
        self.contexts, self.m, self.queries = contexts, m, queries
        self.subjects = iter(subjects)

    def forward(self, x: Tensor) -> Tensor:
        mine, theirs = x.split([self.m, x.shape[self.queries] - self.m], self.queries)
        return torch.cat([self.contexts(mine), next(self.subjects)(theirs)], self.queries)


def split_heads(decoder: torch.nn.Module, subject_heads: Iterable[torch.nn.Module], m: int, queries: int) -> None:
    """Let a decoder that refines references move contexts with its own heads and subjects with theirs."""
    heads = getattr(decoder, "bbox_embed", None)
    if isinstance(heads, torch.nn.ModuleList):
        split = (SplitHead(head, [subject], m, queries) for head, subject in zip(heads, subject_heads))
        decoder.bbox_embed = torch.nn.ModuleList(split)
    elif heads is not None:
        decoder.bbox_embed = SplitHead(heads, subject_heads, m, queries)


def joined_keywords(inputs: dict[str, Any], state: QueryState) -> dict[str, Any]:
    """Captured keywords for contexts and subjects together."""
    joined = inputs | {"tgt" if "tgt" in inputs else "query": state.content}
    if "reference_points" in inputs:
        joined["reference_points"] = state.reference
    if "anchor_box_embed" in inputs:
        joined["anchor_box_embed"] = state.reference.transpose(0, 1).logit()
    if state.position is not None:
        joined["query_pos"] = state.position
    return joined


def points_between(model: DSCT, layer: LayerOutput, index: int, x: Tensor, m: int) -> Tensor:
    """(B, Q, 2) points of Eq. 6: references, or where there are none what box heads say of (B, Q, C) states."""
    references = torch.cat([layer.context_references, layer.subject_references], 1)
    if references.shape[-1]:
        return references[..., :2]
    normed = model.host.transformer.decoder.post_norm_layer(x)
    contexts = model.host.bbox_embed(normed[:, :m]).sigmoid()
    subjects = model.heads.locate(index, normed[:, m:], references[:, m:])
    return torch.cat([contexts, subjects], 1)[..., :2]


@on_every_host
@torch.no_grad()
def test_loop_equals_hooks_on_the_hosts_own_loop(name):
    """The other way to build DSCT: the host's decoder runs itself, hooks fuse before each FFN, box heads are split."""
    model = tiny_dsct(name)
    adapter = model.decoder.adapter
    model.heads.reference_eps = adapter.reference_eps
    model.eval()
    inputs = inputs_of(model)
    subjects = model.subject_queries(2)
    m = adapter.num_contexts(inputs)
    layers = model.decoder(inputs, subjects, model.heads)
    joined = joined_keywords(inputs, adapter.begin(inputs, subjects))
    host = copy.deepcopy(model.host)
    own = type(adapter)(host)
    if adapter.refines:
        split_heads(own.decoder, model.heads.bbox_embed, m, queries=1 if adapter.batch_first else 0)
    for index, base in enumerate(own.layers):

        def fuse(module, args, index=index):
            x = args[0] if adapter.batch_first else args[0].transpose(0, 1)
            points = points_between(model, layers[index], index, x, m)
            x = model.decoder.layers[index].aggregation(x, Places(points, m)).queries
            return (x if adapter.batch_first else x.transpose(0, 1), *args[1:])

        (base.ffn if hasattr(base, "ffn") else base.ffns[0]).register_forward_pre_hook(fuse)
    states, _ = own_decoding(host, joined)
    assert largest(of_layers(layers, "contexts"), states[:, :, :m]) <= 1e-5
    assert largest(of_layers(layers, "subjects"), states[:, :, m:]) <= 1e-5


def with_group(subjects: Subjects, extra: Subjects) -> Subjects:
    """Subjects followed by two training-only groups made of ``extra`` (group 1: its first row, group 2: the rest)."""

    def join(a, b):
        return None if a is None else torch.cat([a, b], 1)

    groups = torch.tensor([0] * len(subjects) + [1] + [2] * (len(extra) - 1))
    return Subjects(
        join(subjects.content, extra.content),
        join(subjects.position, extra.position),
        join(subjects.anchor, extra.anchor),
        groups,
    )


@on_every_host
@torch.no_grad()
def test_groups_change_nothing_outside_themselves(name):
    model = tiny_dsct(name).eval()
    inputs = in_double(model, inputs_of(model))
    subjects, n = model.subject_queries(2), 3
    extra = tiny_dsct(name).double().subject_queries(2)
    alone = model.decoder(inputs, subjects, model.heads)
    first = model.decoder(inputs, with_group(subjects, extra), model.heads)
    for field in ("contexts", "subjects"):
        mine = of_layers(first, field)
        assert largest(mine[:, :, :n] if field == "subjects" else mine, of_layers(alone, field)) <= 1e-10
    extra.content = torch.cat([extra.content[:, :1], torch.randn_like(extra.content[:, 1:])], 1)
    second = model.decoder(inputs, with_group(subjects, extra), model.heads)
    assert torch.equal(of_layers(first, "contexts"), of_layers(second, "contexts"))
    assert torch.equal(of_layers(first, "subjects")[:, :, : n + 1], of_layers(second, "subjects")[:, :, : n + 1])
    assert not torch.equal(of_layers(first, "subjects")[:, :, n + 1 :], of_layers(second, "subjects")[:, :, n + 1 :])


@on_every_host
@torch.no_grad()
def test_noise_in_padded_features_is_not_seen(name):
    model = tiny_dsct(name).eval()
    adapter = model.decoder.adapter
    pixels, mask = model.normalizer(images())
    maps, masks, *positions = adapter.features(pixels, mask)
    assert any(m.any() for m in masks)
    results = []
    for given in (maps, with_noise(maps, masks)):
        model.decoder.adapter.features = lambda pixels, mask, given=given: (given, masks, *positions)
        inputs = adapter.decoder_inputs(pixels, mask)
        results.append(model.decoder(inputs, model.subject_queries(2), model.heads))
    clean, noised = results
    for field in ("contexts", "subjects", "logits", "boxes"):
        assert largest(of_layers(clean, field), of_layers(noised, field)) <= LEAKS.get(name, 0.0)


@on_every_host
def test_gradients_of_the_last_layer_reach_queries_encoder_and_backbone(name):
    model = tiny_dsct(name).train()
    last = model.decode(images())[-1]
    (last.logits.sum() + last.boxes.sum()).backward()
    reached = [model.subject_queries.content, model.heads.bbox_embed]
    reached += [p for p in (model.subject_queries.position, model.subject_queries.anchor) if p is not None]
    first_convolution = next(p for p in model.host.backbone.parameters() if p.requires_grad and p.ndim == 4)
    of_transformer = model.host.transformer.named_parameters()
    first_of_encoder = next(p for key, p in of_transformer if key.startswith("encoder") and p.ndim == 2)
    for part in (*reached, first_convolution, first_of_encoder):
        gradients = [part.grad] if isinstance(part, Tensor) else [p.grad for p in part.parameters()]
        assert any(g is not None and g.abs().sum() > 0 for g in gradients)


@on_every_host
def test_every_trainable_parameter_gets_a_gradient(name):
    """Otherwise plain DDP breaks; the heads of a host, which DSCT never trains, are frozen for that reason."""
    model = tiny_dsct(name).train()
    sum(model(batch()).values()).backward()
    idle = [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert idle == []


@on_every_host
def test_recomputed_layers_give_the_same_gradients(name):
    plain = tiny_dsct(name).train()
    saving = tiny_dsct(name, activation_checkpointing=True).train()
    saving.load_state_dict(plain.state_dict())
    entries = batch()
    for model in (plain, saving):
        sum(model(entries).values()).backward()
    for (key, mine), theirs in zip(plain.named_parameters(), saving.parameters(), strict=True):
        if mine.grad is not None:
            assert torch.equal(mine.grad, theirs.grad), key


@on_every_host
def test_attaching_keeps_the_hosts_state_dict(name):
    host = tiny_host(name)
    before = {k: v.clone() for k, v in host.state_dict().items()}
    model = DSCT(host, tiny_dsct(name).emotions, aggregation=RelationalAggregation())
    assert list(host.state_dict()) == list(before)
    assert all(torch.equal(v, before[k]) for k, v in host.state_dict().items())
    assert {k.removeprefix("host.") for k in model.state_dict() if k.startswith("host.")} == set(before)


@on_every_host
def test_a_copy_after_a_step_is_equal_and_independent(name):
    model = tiny_dsct(name).train()
    sum(model(batch()).values()).backward()
    twin = copy.deepcopy(model).eval()
    model.eval()
    pictures = images()
    with torch.no_grad():
        assert largest(model.decode(pictures)[-1].logits, twin.decode(pictures)[-1].logits) == 0.0
        for parameter in twin.parameters():
            parameter.mul_(1.01)
        assert largest(model.decode(pictures)[-1].logits, twin.decode(pictures)[-1].logits) > 0.0


@on_every_host
@torch.no_grad()
def test_capture_equals_the_embedded_hosts_own_account(name):
    """``capture_keywords`` is what live hosts need; embedded ones can say the same through ``decoder_inputs``."""
    model = tiny_dsct(name).eval()
    adapter = model.decoder.adapter
    pixels, mask = model.normalizer(images())
    captured = adapter.decoder_inputs(pixels, mask)
    told = model.host.decoder_inputs(pixels, mask)
    told = {k: v for k, v in told.items() if v is not None}
    if "key_padding_mask" in captured.keys() - told.keys():  # detrex's decoders forget it, and the adapter adds it
        told["key_padding_mask"] = adapter.features(pixels, mask)[1].flatten(1)
    if "memory_size" in captured:
        told["memory_size"] = tuple(adapter.features(pixels, mask)[1].shape[-2:])
    assert captured.keys() == told.keys()
    for key, value in captured.items():
        assert torch.equal(value, told[key]) if isinstance(value, Tensor) else value == told[key]


def test_capture_says_when_the_target_is_not_reached():
    target = torch.nn.Linear(1, 1)
    with pytest.raises(RuntimeError, match=r"expects the call to reach Linear. It never did."):
        capture_keywords(target, lambda: None)
    with pytest.raises(RuntimeError, match=r"a name for every argument of its call. Got 2 positional"):
        capture_keywords(target, lambda: target(torch.zeros(1), 0))
    assert not target._forward_pre_hooks


def test_capture_names_positional_arguments():
    bilinear = torch.nn.Bilinear(1, 1, 1)
    assert capture_keywords(bilinear, lambda: bilinear("a", input2="b")) == {"input1": "a", "input2": "b"}
