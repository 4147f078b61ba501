"""What single adapters of the deformable family add to the invariants that every host keeps."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dsct_detrex.dsct import DSCT, adapter_for
from dsct_detrex.dsct.adapters import (
    DabDeformableDetrAdapter,
    DeformableDetrAdapter,
    DetaAdapter,
    DinoAdapter,
    DnDeformableDetrAdapter,
    HDeformableDetrAdapter,
)
from dsct_detrex.dsct.adapters.padding import pad_for_backbone
from dsct_detrex.structures import CAER_S
from tests.dsct.tiny import images, own_decoding, tiny_host

ADAPTERS = {
    "deformable_detr": DeformableDetrAdapter,
    "deformable_detr_two_stage": DeformableDetrAdapter,
    "h_deformable_detr": HDeformableDetrAdapter,
    "deta": DetaAdapter,
    "dab_deformable_detr": DabDeformableDetrAdapter,
    "dab_deformable_detr_two_stage": DabDeformableDetrAdapter,
    "dino": DinoAdapter,
}


@pytest.mark.parametrize("name", ADAPTERS)
def test_structure_decides_the_adapter(name):
    adapter = adapter_for(tiny_host(name))
    assert type(adapter) is ADAPTERS[name]
    assert adapter.two_stage == adapter.host.as_two_stage
    assert adapter.look_forward_twice == (name in ("dino", "h_deformable_detr"))


@pytest.mark.parametrize("name", [name for name in ADAPTERS if name not in ("deformable_detr", "dab_deformable_detr")])
def test_proposals_are_ranked_as_the_host_ranks_them(name):
    host, logits = tiny_host(name), torch.randn(2, 5, 4)
    assert torch.equal(adapter_for(host).proposal_scores(logits), host.transformer.proposal_scores(logits))


def captured(host: nn.Module) -> dict[str, Any]:
    torch.manual_seed(1)
    model = DSCT(host, CAER_S, num_subjects=0).eval()
    return model.decoder.adapter.decoder_inputs(*model.normalizer(images()))


@torch.no_grad()
def test_one_to_many_queries_of_h_detr_are_left_out():
    host = tiny_host("h_deformable_detr")
    host.transformer.two_stage_num_proposals = host.num_queries  # as detrex builds it
    inputs = captured(host)
    assert inputs["query"].shape[1] == inputs["reference_points"].shape[1] == host.num_queries_one2one
    before = inputs["query"].clone()
    host.query_embedding.weight[host.num_queries_one2one :] = 7.0
    assert torch.equal(captured(host)["query"], before)


@torch.no_grad()
def test_h_detr_without_mixed_selection_learns_no_content():
    host = tiny_host("h_deformable_detr")
    mixed = captured(host)["query"]
    assert torch.equal(mixed[0], mixed[1])
    host.transformer.mixed_selection = False
    del host.query_embedding
    proposed = captured(host)["query"]
    assert proposed.shape == mixed.shape
    assert not torch.equal(proposed[0], proposed[1])


class DnTransformer(nn.Module):
    """Takes content and anchors apart and for each image, as DN-Deformable-DETR's transformer does."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.level_embeds = inner, inner.level_embeds
        self.encoder, self.decoder = inner.encoder, inner.decoder

    def forward(self, feats: Any, masks: Any, positions: Any, labels: Tensor, boxes: Tensor, attn_masks: Any) -> Any:
        inputs = self.inner.decoder_inputs(feats, masks, positions, torch.cat([labels[0], boxes[0]], -1))
        inputs["reference_points"] = boxes.sigmoid()
        return self.decoder(**inputs, attn_masks=attn_masks)


def dn_host(with_indicator: bool) -> nn.Module:
    host = tiny_host("dab_deformable_detr")
    host.transformer = DnTransformer(host.transformer)
    host.denoising_generator, host.with_indicator = nn.Identity(), with_indicator
    if with_indicator:
        host.tgt_embed = nn.Embedding(20, 255)
    return host


@torch.no_grad()
@pytest.mark.parametrize("with_indicator", [True, False])
def test_dn_deformable_detr_is_called_with_contents_that_say_matching(with_indicator):
    host = dn_host(with_indicator)
    model = DSCT(host, CAER_S, num_subjects=0).eval()
    assert type(model.decoder.adapter) is DnDeformableDetrAdapter
    inputs = model.decoder.adapter.decoder_inputs(*model.normalizer(images()))
    width = host.tgt_embed.weight.shape[1]
    assert torch.equal(inputs["query"][..., :width], host.tgt_embed.weight.expand(2, -1, -1))
    assert (inputs["query"][..., width:] == 0).all()
    states, _ = own_decoding(host, inputs)
    layers = model.decoder(inputs, model.subject_queries(2), model.heads)
    assert torch.equal(torch.stack([layer.contexts for layer in layers]), states)


def test_dn_deformable_detr_in_two_stages_is_refused():
    host = dn_host(with_indicator=False)
    host.transformer.enc_output = nn.Identity()
    with pytest.raises(ValueError, match=r"^DnDeformableDetrAdapter\(host=\) expects a one-stage DN-Deformable-DETR"):
        adapter_for(host)


@pytest.mark.parametrize(
    ("constraints", "size"),
    [
        ({}, (5, 7)),
        ({"square_size": 0, "size_divisibility": 0}, (5, 7)),
        ({"size_divisibility": 4}, (8, 8)),
        ({"square_size": 10}, (10, 10)),
        ({"square_size": 6}, (7, 7)),  # smaller than the images: the longer side
        ({"square_size": 6, "size_divisibility": 4}, (8, 8)),
    ],
)
def test_backbones_get_the_padding_that_they_ask_for(constraints, size):
    pixels, mask = torch.ones(2, 3, 5, 7), torch.zeros(2, 5, 7, dtype=torch.bool)
    padded, padded_mask = pad_for_backbone(pixels, mask, constraints)
    assert padded.shape == (2, 3, *size)
    assert torch.equal(padded_mask, padded[:, 0] == 0)
    assert torch.equal(padded[..., :5, :7], pixels)


@torch.no_grad()
def test_padding_for_the_backbone_is_masked():
    """Levels, masks and memory follow the padded batch; what is in the unpadded frame does not notice."""
    host = tiny_host("deformable_detr")
    plain = captured(host)
    host.backbone.padding_constraints = {"square_size": 160}
    padded = captured(host)
    assert padded["value"].shape[1] > plain["value"].shape[1]
    finest = [~inputs["key_padding_mask"][:, : inputs["level_start_index"][1]] for inputs in (plain, padded)]
    assert torch.equal(finest[0].sum(1), finest[1].sum(1))
    assert torch.equal(padded["reference_points"], plain["reference_points"])
