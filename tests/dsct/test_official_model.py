"""Our parts against the official DSCT code, number by number: fixtures ``dsct/model`` and ``dsct/decoder_layer``."""

from functools import partial

import golden_io
import pytest
import torch
from torch import Tensor, nn

from dsct_detrex.dsct import DSCTDecoderLayer, RelationalAggregation
from dsct_detrex.dsct.adapters.post_norm import run_post_norm_layer
from dsct_detrex.dsct.choices import Places
from dsct_detrex.dsct.decoder_layer import FusionInputs
from tests.dsct.official import official_model, run

OFF = False


@pytest.fixture(scope="module")
def fixture() -> golden_io.Fixture:
    return golden_io.load("dsct/model")


def close(mine: Tensor, expected: Tensor, tolerance: float) -> None:
    torch.testing.assert_close(mine.detach(), expected, rtol=0, atol=tolerance)


def stacked(layers, name: str) -> Tensor:
    return torch.stack([getattr(layer, name) for layer in layers])


def test_everything_after_the_backbone_equals_the_official_model(fixture):
    layers, inputs = run(official_model(fixture), fixture)
    tolerance = fixture.meta["tolerance"]["abs"]
    visible = ~torch.cat([m.flatten(1) for m in fixture.sequence("in.mask")], 1)
    close(inputs["value"][visible], fixture["out.memory"][visible], tolerance)
    last = layers[-1]
    close(torch.cat([last.contexts, last.subjects], 1), fixture["out.hs_last"], tolerance)
    close(stacked(layers, "subjects"), fixture["out.hs_subject"], tolerance)
    references = torch.cat([last.context_references, last.subject_references], 1)
    close(references, fixture["out.init_reference"], tolerance)
    close(stacked(layers, "logits"), fixture["out.pred_logits"], tolerance)
    close(stacked(layers, "boxes"), fixture["out.pred_boxes"], tolerance)


def test_selected_contexts_equal_the_official_model(fixture):
    layers, _ = run(official_model(fixture), fixture)
    for name in ("spatial_index", "semantic_index"):
        mine = torch.stack([getattr(layer.aggregation, name) for layer in layers])
        assert torch.equal(mine, fixture[f"out.{name}"])


def test_states_around_fusion_equal_the_official_model(fixture):
    """Not normalised (values up to 20); the fixture's own rounding in the last layer is 3.8e-5, hence rtol."""
    model = official_model(fixture)
    before: list[Tensor] = []
    for layer in model.decoder.layers:
        layer.aggregation.register_forward_pre_hook(
            lambda module, args: before.append(args[0][:, args[1].num_contexts :])
        )
    layers, _ = run(model, fixture)
    after = [layer.aggregation.subjects for layer in layers]
    for mine, name in ((before, "before"), (after, "after")):
        expected = fixture[f"out.{name}_fusion_subject"]
        atol = fixture.meta["tolerance"]["abs"]
        torch.testing.assert_close(torch.stack(mine).detach(), expected, rtol=1e-5, atol=atol)


@pytest.mark.parametrize(
    ("name", "aggregation", "placement", "tolerance"),
    [
        ("nofusion", OFF, "before_ffn", "abs"),
        ("paper_before_ffn", RelationalAggregation("paper", 6, 4), "before_ffn", "paper_before_ffn_abs"),
        ("paper_after_ffn", RelationalAggregation("paper", 6, 4), "after_ffn", "paper_after_ffn_abs"),
    ],
)
def test_other_fusions_equal_the_fixture(fixture, name, aggregation, placement, tolerance):
    layers, _ = run(official_model(fixture, aggregation, placement=placement), fixture)
    atol = fixture.meta["tolerance"][tolerance]
    close(stacked(layers, "subjects"), fixture[f"out.{name}.hs_subject"], atol)
    close(stacked(layers, "logits"), fixture[f"out.{name}.pred_logits"], atol)
    close(stacked(layers, "boxes"), fixture[f"out.{name}.pred_boxes"], atol)


def test_no_layer_fusing_is_fusion_off(fixture):
    layers, _ = run(official_model(fixture, fusion_layers=[]), fixture)
    close(stacked(layers, "logits"), fixture["out.nofusion.pred_logits"], fixture.meta["tolerance"]["abs"])


def test_one_decoder_layer_equals_the_official_one(fixture):
    """``dsct/decoder_layer`` is layer 1 of the same model on inputs of its own."""
    layer = golden_io.load("dsct/decoder_layer")
    model = official_model(fixture)
    base = model.decoder.adapter.layers[1]
    for mine, theirs in (
        ("attentions.0.attn.in_proj_weight", "self_attn.in_proj_weight"),
        ("norms.2.bias", "norm3.bias"),
    ):
        assert torch.equal(base.state_dict()[mine], layer.state_dict()[theirs])
    keywords = {
        "value": layer["in.src"],
        "query_pos": layer["in.query_pos"],
        "key_padding_mask": layer["in.src_padding_mask"],
        "reference_points": layer["in.reference_points"],
        "spatial_shapes": layer["in.src_spatial_shapes"],
        "level_start_index": layer["in.level_start_index"],
    }
    places = Places(layer["in.reference_points"][:, :, 0], 300)
    fusion = FusionInputs(lambda states: places, num_contexts=300, subject_mask=None)
    run_base = partial(run_post_norm_layer, base)
    dsct_layer = DSCTDecoderLayer(RelationalAggregation("official", 6, 4))
    seen: list[Tensor] = []
    hook = base.ffns[0].register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    out, aggregation = dsct_layer(run_base, layer["in.tgt"], keywords, None, fusion)
    hook.remove()
    tolerance = layer.meta["tolerance"]["abs"]
    close(out, layer["out.output"], tolerance)
    close(aggregation.subjects, layer["out.after_fusion_subject"], tolerance)
    close(seen[0][:, :300], layer["out.before_fusion"][:, :300], tolerance)
    plain, nothing = DSCTDecoderLayer(None)(run_base, layer["in.tgt"], keywords, None, fusion)
    assert nothing is None
    assert not torch.allclose(plain[:, 300:], out[:, 300:], atol=1e-3)


def test_three_training_steps_equal_the_official_run(fixture):
    """``dsct/train_steps``: losses before, and weights after, three steps of AdamW on our model and criterion."""
    from dsct_detrex.dsct.detector import stack_predictions
    from dsct_detrex.objective import DSCTCriterion, HungarianMatcher, MultiLabelFocal, Target

    steps = golden_io.load("dsct/train_steps")
    config = steps.meta["config"]
    model = official_model(fixture).train()
    focal = MultiLabelFocal()
    criterion = DSCTCriterion(HungarianMatcher(focal, 2.0, 5.0, 2.0), focal, 5.0, 5.0, 2.0)
    targets = [Target(steps[f"in.boxes{i}"], steps[f"in.labels{i}"].float()) for i in range(2)]
    slow = config["slow_groups"]
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    is_slow = [any(part in name for part in slow["name contains"]) for name, _ in named]
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for (_, p), s in zip(named, is_slow) if not s]},
            {"params": [p for (_, p), s in zip(named, is_slow) if s], "lr": slow["lr"]},
        ],
        lr=config["lr"],
        weight_decay=config["weight_decay"],
    )
    for step, rtol in zip(steps.meta["steps"], steps.meta["tolerance"]["loss_relative_per_step"]):
        layers, _ = run(model, fixture)
        losses = criterion(stack_predictions(layers), targets)
        for mine, theirs, weight in (("class", "ce", 5.0), ("bbox", "bbox", 5.0), ("giou", "giou", 2.0)):
            for suffix in ("", "_0", "_1"):
                value = losses[f"loss_{mine}{suffix}"].item()
                assert value == pytest.approx(weight * step["losses"][f"loss_{theirs}{suffix}"], rel=rtol)
        total = sum(losses.values())
        assert total.item() == pytest.approx(step["total"], rel=rtol)
        optimizer.zero_grad()
        total.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), config["clip_max_norm"])
        assert norm.item() == pytest.approx(step["grad_norm"], rel=1e-4)
        optimizer.step()
    mine = model.state_dict()
    queries = torch.cat([mine["subject_queries.position"], mine["subject_queries.content"]], 1)
    expected = {
        "class_embed_dsct.0.weight": mine["heads.class_embed.weight"],
        "class_embed_dsct.0.bias": mine["heads.class_embed.bias"],
        "bbox_embed_dsct.0.layers.2.weight": mine["heads.bbox_embed.layers.2.weight"],
        "query_embed_dsct.weight": queries,
        "transformer.reference_points.weight": mine["host.transformer.reference_points.weight"],
        "transformer.decoder.layers.0.cross_attn.sampling_offsets.bias": mine[
            "host.transformer.decoder.layers.0.attentions.1.sampling_offsets.bias"
        ],
        "transformer.decoder.layers.2.linear1.bias": mine["host.transformer.decoder.layers.2.ffns.0.layers.0.0.bias"],
        "transformer.encoder.layers.0.norm1.weight": mine["host.transformer.encoder.layers.0.norms.0.weight"],
        "transformer.level_embed": mine["host.transformer.level_embeds"],
        "input_proj.0.1.bias": mine["host.neck.convs.0.norm.bias"],
    }
    assert {f"out.{name}" for name in expected} == {name for name in steps.tensors if name.startswith("out.")}
    for name, value in expected.items():
        close(value, steps[f"out.{name}"], steps.meta["tolerance"]["weights_abs"])
