"""What the adapters of the single-scale family read of their hosts, and the relatives that they read too."""

import pytest
import torch

from dsct_detrex.dsct import Subjects, adapter_for
from tests.dsct.tiny import decoder_keywords, images, tiny_dsct, tiny_host

KINDS = ("detr", "conditional_detr", "dab_detr", "dn_detr")


def inputs_of(model):
    return model.decoder.adapter.decoder_inputs(*model.normalizer(images()))


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_are_told_apart_by_structure(kind):
    assert adapter_for(tiny_host(kind)).kind == kind


@torch.no_grad()
def test_detr_measures_between_centres_of_boxes_that_move_from_layer_to_layer():
    model = tiny_dsct("detr").eval()
    inputs = inputs_of(model)
    layers = model.decoder(inputs, model.subject_queries(2), model.heads)
    assert all(layer.context_references.shape == (2, 20, 0) for layer in layers)
    adapter = model.decoder.adapter
    state = adapter.begin(inputs, model.subject_queries(2))
    middle = torch.randn(23, 2, 256)
    points = adapter.points(state, middle, 20, lambda states: states[..., :4])
    normed = model.host.transformer.decoder.post_norm_layer(middle).transpose(0, 1)
    torch.testing.assert_close(points[:, :20], model.host.bbox_embed(normed[:, :20]).sigmoid()[..., :2])
    torch.testing.assert_close(points[:, 20:], normed[:, 20:, :2])
    assert not torch.equal(layers[0].aggregation.spatial_index, layers[1].aggregation.spatial_index)


def test_pnp_detr_takes_its_sampling_ratio():
    host = tiny_host("detr")
    host.test_time_sample_ratio = 0.5
    assert adapter_for(host).queries(2)[1:] == (0.5,)


@torch.no_grad()
def test_conditional_detr_derives_points_unless_they_are_given():
    model = tiny_dsct("conditional_detr").eval()
    adapter = model.decoder.adapter
    subjects = model.subject_queries(2)
    derived = model.host.transformer.decoder.ref_point_head(subjects.position).sigmoid()
    torch.testing.assert_close(adapter.begin(inputs_of(model), subjects).reference[:, 20:], derived)
    given = Subjects(subjects.content, subjects.position, torch.rand(2, 3, 2))
    assert torch.equal(adapter.begin(inputs_of(model), given).reference[:, 20:], given.anchor)


@torch.no_grad()
def test_groups_of_group_detrs_own_training_stay_out():
    host = tiny_host("conditional_detr")
    host.query_embed = torch.nn.Embedding(60, 256)
    for layer in host.transformer.decoder.layers:
        layer.attentions[0].group_nums = 3
    adapter = adapter_for(host)
    assert torch.equal(adapter.queries(2)[0], host.query_embed.weight[:20])
    assert all(layer.attentions[0].group_nums == 1 for layer in adapter.layers)


def test_dab_boxes_train_the_refinement_before():
    model = tiny_dsct("dab_detr").train()
    layers = model.decode(images())
    (gradient,) = torch.autograd.grad(layers[1].boxes.sum(), model.heads.bbox_embed[0].layers[-1].bias)
    assert gradient.abs().max() > 0


@torch.no_grad()
def test_dab_without_size_modulation():
    model = tiny_dsct("dab_detr", num_subjects=0).eval()
    decoder = model.host.transformer.decoder
    inputs = inputs_of(model)
    modulated, _ = decoder(**decoder_keywords(inputs))
    decoder.modulate_hw_attn = False
    states, _ = decoder(**decoder_keywords(inputs))
    layers = model.decoder(inputs, model.subject_queries(2), model.heads)
    assert torch.equal(torch.stack([layer.contexts for layer in layers]), states)
    assert not torch.equal(states, modulated)


@torch.no_grad()
def test_dn_contexts_are_no_object_and_no_denoising_query():
    model = tiny_dsct("dn_detr").eval()
    query = inputs_of(model)["query"]
    label = model.host.denoising_generator.label_encoder.weight[-1]
    assert torch.equal(query[..., :-1], label.expand(20, 2, 255))
    assert (query[..., -1] == 0).all()
