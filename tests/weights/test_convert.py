"""Key maps against the key lists of the real models: every name, every shape."""

import golden_io
import pytest
import torch
from key_models import Keys, read_keys
from torch import Tensor, nn

from dsct_detrex.layers.attention import MultiheadAttention
from dsct_detrex.layers.mlp import FFN
from dsct_detrex.layers.transformer_layer import BaseTransformerLayer
from dsct_detrex.weights import convert, detect_format
from dsct_detrex.weights.convert import readings

PAIRS = [
    ("deformable_detr_official_r50", "deformable_detr_r50"),
    ("deformable_detr_official_box_refine_r50", "deformable_detr_box_refine_r50"),
    ("deformable_detr_official_two_stage_r50", "deformable_detr_two_stage_r50"),
]


def full_size(keys: Keys) -> dict[str, Tensor]:
    """Tensors of the true shapes that take no memory."""
    return {name: torch.zeros(1).expand(entry["shape"]) for name, entry in keys.items()}


def shapes(weights: dict[str, Tensor]) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in weights.items()}


@pytest.mark.parametrize(("official", "detrex"), PAIRS)
def test_official_deformable_detr_becomes_detrex_name_by_name(official: str, detrex: str) -> None:
    converted = convert(full_size(read_keys(official)))
    assert shapes(converted.state_dict) == {name: entry["shape"] for name, entry in read_keys(detrex).items()}


@pytest.mark.parametrize(("official", "queries", "logits"), [("emotic", 4, 27), ("caer", 9, 8)])
def test_official_dsct_becomes_ours_name_by_name(official: str, queries: int, logits: int) -> None:
    host = {
        f"host.{name}": entry["shape"]
        for name, entry in read_keys("deformable_detr_r50").items()
        if not name.startswith(("class_embed", "bbox_embed"))
    }
    own = {
        "subject_queries.position": [queries, 256],
        "subject_queries.content": [queries, 256],
        "heads.class_embed.weight": [logits, 256],
        "heads.class_embed.bias": [logits],
        **{f"heads.bbox_embed.layers.{i}.weight": [256 if i < 2 else 4, 256] for i in range(3)},
        **{f"heads.bbox_embed.layers.{i}.bias": [256 if i < 2 else 4] for i in range(3)},
    }
    weights = full_size(read_keys(f"dsct_official_{official}_r50"))
    assert shapes(convert(weights).state_dict) == {**host, **own}


def test_the_parts_of_a_layer_that_shapes_cannot_tell_apart() -> None:
    """A swap of equally shaped tensors would pass every check of names and shapes."""
    decoder = {
        "self_attn.in_proj_weight": "attentions.0.attn.in_proj_weight",
        "self_attn.out_proj.bias": "attentions.0.attn.out_proj.bias",
        "cross_attn.value_proj.weight": "attentions.1.value_proj.weight",
        "cross_attn.output_proj.weight": "attentions.1.output_proj.weight",
        "norm2.weight": "norms.0.weight",  # after self-attention
        "norm1.weight": "norms.1.weight",  # after cross-attention
        "norm3.weight": "norms.2.weight",  # after the feed-forward
        "linear1.weight": "ffns.0.layers.0.0.weight",
        "linear2.weight": "ffns.0.layers.1.weight",
    }
    encoder = {
        "self_attn.value_proj.weight": "attentions.0.value_proj.weight",
        "norm1.bias": "norms.0.bias",
        "norm2.bias": "norms.1.bias",
    }
    expected = {
        f"transformer.decoder.layers.3.{new}": f"transformer.decoder.layers.3.{old}" for old, new in decoder.items()
    }
    expected |= {
        f"transformer.encoder.layers.5.{new}": f"transformer.encoder.layers.5.{old}" for old, new in encoder.items()
    }
    expected |= {
        "neck.convs.1.conv.weight": "input_proj.1.0.weight",
        "neck.convs.2.norm.bias": "input_proj.2.1.bias",
        "neck.extra_convs.0.norm.weight": "input_proj.3.1.weight",
        "query_embedding.weight": "query_embed.weight",
        "backbone.stem.conv1.norm.running_var": "backbone.0.body.bn1.running_var",
        "backbone.res2.0.shortcut.weight": "backbone.0.body.layer1.0.downsample.0.weight",
        "backbone.res5.2.conv3.norm.bias": "backbone.0.body.layer4.2.bn3.bias",
    }
    sources = convert(full_size(read_keys("deformable_detr_official_r50"))).sources
    assert {name: sources[name] for name in expected} == expected


def test_coco_rows_are_renumbered_and_the_encoder_head_keeps_row_0() -> None:
    weights = full_size(read_keys("deformable_detr_official_two_stage_r50"))
    for head in (0, 6):
        weights[f"class_embed.{head}.bias"] = torch.arange(91.0)
    converted = convert(weights).state_dict
    decoder, encoder = converted["class_embed.0.bias"].tolist(), converted["class_embed.6.bias"].tolist()
    assert decoder[:12] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13]  # id 12 does not exist
    assert decoder[-1] == 90
    assert len(set(decoder)) == len(decoder) == 80
    assert encoder == [0, *decoder[1:]]


def test_a_fine_tuned_head_of_another_size_keeps_its_rows() -> None:
    weights = full_size(read_keys("deformable_detr_official_r50"))
    weights["class_embed.0.bias"] = torch.arange(20.0)
    assert convert(weights).state_dict["class_embed.0.bias"].tolist() == list(range(20))


def official_detr() -> dict[str, Tensor]:
    """Names and shapes of the official DETR R50: torch's own transformer gives most of its names."""
    tree = nn.Transformer(256, 8, 6, 6, 2048, device="meta").state_dict()
    weights = {f"transformer.{n}": t.shape for n, t in tree.items() if not n.startswith("encoder.norm")}
    for name, tensor in full_size(read_keys("anchor_detr_r50")).items():
        if name.startswith("backbone.body."):
            weights[name.replace("backbone.", "backbone.0.")] = tensor.shape
    for name, tensor in full_size(read_keys("detr_r50")).items():
        if name.startswith(("bbox_embed", "query_embed", "input_proj")):
            weights[name] = tensor.shape
    weights |= {"class_embed.weight": torch.Size([92, 256]), "class_embed.bias": torch.Size([92])}
    return {name: torch.zeros(1).expand(shape) for name, shape in weights.items()}


def test_official_detr_becomes_detrex_name_by_name() -> None:
    expected = {n: entry["shape"] for n, entry in read_keys("detr_r50").items() if n != "criterion.empty_weight"}
    assert shapes(convert(official_detr()).state_dict) == expected


def test_official_detr_keeps_no_object_behind_its_80_classes() -> None:
    weights = official_detr() | {"class_embed.bias": torch.arange(92.0)}
    rows = convert(weights).state_dict["class_embed.bias"].tolist()
    assert rows[:12] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13]  # id 12 does not exist
    assert rows[-2:] == [90, 91]


def test_an_official_detr_layer_computes_the_same_under_detrex_names() -> None:
    """Swapped norms or attentions would keep names and shapes; the official layer is torch's (positions zero)."""
    torch.manual_seed(0)
    theirs = nn.TransformerDecoderLayer(32, 4, 48, dropout=0.0).eval()
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.3)
    ours = BaseTransformerLayer(
        [MultiheadAttention(32, 4), MultiheadAttention(32, 4)],
        FFN(32, 48),
        nn.LayerNorm(32),
        ("self_attn", "norm", "cross_attn", "norm", "ffn", "norm"),
    ).eval()
    prefix = "transformer.decoder.layers.0."
    renamed = convert({prefix + name: tensor for name, tensor in theirs.state_dict().items()}).state_dict
    ours.load_state_dict({name.removeprefix(prefix): tensor for name, tensor in renamed.items()})
    queries, memory = torch.randn(5, 2, 32), torch.randn(7, 2, 32)
    torch.testing.assert_close(ours(queries, memory, memory), theirs(queries, memory), atol=1e-5, rtol=0)


def test_the_small_official_model_keeps_every_value() -> None:
    """Fixture ``dsct/model``: no backbone, 64 channels, 4 subjects."""
    weights = golden_io.load("dsct/model").state_dict()
    converted = convert(weights)
    position, content = weights["query_embed_dsct.weight"].split(64, dim=1)
    ours = converted.state_dict
    torch.testing.assert_close(ours["subject_queries.position"], position, atol=0, rtol=0)
    torch.testing.assert_close(ours["subject_queries.content"], content, atol=0, rtol=0)
    assert "neck.extra_convs.0.conv.weight" not in ours
    assert ours["host.neck.extra_convs.0.conv.weight"] is weights["input_proj.3.0.weight"]
    used = set(converted.sources.values())
    keys = golden_io.load("dsct/model").meta["weights"]["keys"]
    assert set(weights) - used == {name for name, entry in keys.items() if "alias_of" in entry}


def test_heads_trained_apart_stay_apart() -> None:
    weights = golden_io.load("dsct/model").state_dict()
    weights["class_embed_dsct.1.bias"] = weights["class_embed_dsct.1.bias"] + 1
    ours = convert(weights).state_dict
    assert "heads.class_embed.bias" not in ours
    torch.testing.assert_close(ours["heads.class_embed.1.bias"], weights["class_embed_dsct.1.bias"])
    assert ours["heads.bbox_embed.2.layers.1.weight"].shape == (64, 64)


def torchvision_names() -> list[str]:
    """A bare torchvision ResNet-50, from Anchor DETR's backbone."""
    body = [n.removeprefix("backbone.body.") for n in read_keys("anchor_detr_r50") if n.startswith("backbone.body.")]
    return [*body, "fc.weight", "fc.bias", "bn1.num_batches_tracked"]


def test_torchvision_resnet_has_both_readings() -> None:
    weights = {name: torch.zeros(1) for name in torchvision_names()}
    detectron2, as_is = readings(weights)
    theirs = {n.removeprefix("backbone.") for n in read_keys("detr_r50") if n.startswith("backbone.")}
    assert set(detectron2.state_dict) == theirs
    assert set(as_is.state_dict) == set(weights)


def test_detectron2_resnet_has_both_readings() -> None:
    names = [n.removeprefix("backbone.") for n in read_keys("detr_r50") if n.startswith("backbone.")]
    as_is, torchvision = readings({name: torch.zeros(1) for name in [*names, "stem.fc.weight"]})
    assert set(torchvision.state_dict) == set(torchvision_names()[:-3])
    assert {"stem.fc.weight", *names} == set(as_is.state_dict)


@pytest.mark.parametrize(
    ("names", "answer"),
    [
        (list(read_keys("dsct_official_emotic_r50")), "dsct_official"),
        (list(read_keys("deformable_detr_official_two_stage_r50")), "deformable_detr_official"),
        (list(read_keys("anchor_detr_r50")), "detrex"),
        (list(read_keys("dino_r50")), "detrex"),
        (list(read_keys("detr_r50")), "detrex"),
        (["host.transformer.level_embeds", "heads.class_embed.weight"], "dsct"),
        (torchvision_names(), "torchvision_resnet"),
        (["stem.conv1.weight", "res2.0.conv1.weight"], "detectron2_resnet"),
        (["query_embed.weight", "transformer.decoder.layers.0.multihead_attn.in_proj_weight"], "detr_official"),
        (["query_embed.weight", "transformer.decoder.layers.0.ca_qcontent_proj.weight"], "unknown"),  # Conditional-DETR
        (["encoder.weight"], "unknown"),
        ([], "unknown"),
    ],
)
def test_formats_are_told_by_structure(names: list[str], answer: str) -> None:
    assert detect_format(names) == answer
