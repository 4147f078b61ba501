"""The deformable attention module against detrex's numbers, and the properties of its start."""

import math

import golden_io
import pytest
import torch
from torch import Tensor

from dsct_detrex.layers.multi_scale_deform_attn import MultiScaleDeformableAttention
from dsct_detrex.ops import use_backend

BACKENDS = ("pytorch", "numba")


@pytest.fixture(scope="module")
def fixture() -> golden_io.Fixture:
    return golden_io.load("msda/module")


def golden_module(fixture: golden_io.Fixture, **changes: bool) -> MultiScaleDeformableAttention:
    module = MultiScaleDeformableAttention(**{**fixture.meta["config"], **changes})
    module.load_state_dict(fixture.state_dict())
    return module.eval()


def levels_of(fixture: golden_io.Fixture) -> dict[str, Tensor]:
    return {name: fixture[f"in.{name}"] for name in ("spatial_shapes", "level_start_index")}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("output", "references", "masked", "identity"),
    [
        ("ref2d", "2d", True, False),
        ("ref4d", "4d", True, False),
        ("ref2d_nomask", "2d", False, False),
        ("ref4d_identity", "4d", True, True),
    ],
)
def test_cross_attention_equals_detrex(
    fixture: golden_io.Fixture, backend: str, output: str, references: str, masked: bool, identity: bool
) -> None:
    with use_backend(backend), torch.no_grad():
        result = golden_module(fixture)(
            fixture["in.query"],
            value=fixture["in.value"],
            identity=fixture["in.identity"] if identity else None,
            query_pos=fixture["in.query_pos"],
            key_padding_mask=fixture["in.key_padding_mask"] if masked else None,
            reference_points=fixture[f"in.reference_points_{references}"],
            **levels_of(fixture),
        )
    assert golden_io.max_abs_diff(result, fixture[f"out.{output}"]) <= fixture.meta["tolerance"]["abs"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_sequence_first_equals_detrex(fixture: golden_io.Fixture, backend: str) -> None:
    with use_backend(backend), torch.no_grad():
        result = golden_module(fixture, batch_first=False)(
            fixture["in.query"].transpose(0, 1),
            value=fixture["in.value"].transpose(0, 1),
            query_pos=fixture["in.query_pos"].transpose(0, 1),
            key_padding_mask=fixture["in.key_padding_mask"],
            reference_points=fixture["in.reference_points_2d"],
            **levels_of(fixture),
        )
    assert golden_io.max_abs_diff(result, fixture["out.ref2d_seq_first"]) <= fixture.meta["tolerance"]["abs"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_self_attention_equals_detrex(fixture: golden_io.Fixture, backend: str) -> None:
    with use_backend(backend), torch.no_grad():
        result = golden_module(fixture)(
            fixture["in.value"],
            query_pos=fixture["in.self_query_pos"],
            key_padding_mask=fixture["in.key_padding_mask"],
            reference_points=fixture["in.self_reference_points"],
            **levels_of(fixture),
        )
    assert golden_io.max_abs_diff(result, fixture["out.self"]) <= fixture.meta["tolerance"]["abs"]


def test_every_parameter_gets_a_gradient(fixture: golden_io.Fixture) -> None:
    module = golden_module(fixture)
    module(
        fixture["in.query"],
        value=fixture["in.value"],
        reference_points=fixture["in.reference_points_4d"],
        **levels_of(fixture),
    ).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in module.parameters())


def test_padded_positions_do_not_matter(fixture: golden_io.Fixture) -> None:
    module, mask = golden_module(fixture), fixture["in.key_padding_mask"]
    other = fixture["in.value"].masked_fill(mask[..., None], 100.0)
    results = [
        module(
            fixture["in.query"],
            value=value,
            key_padding_mask=mask,
            reference_points=fixture["in.reference_points_2d"],
            **levels_of(fixture),
        )
        for value in (fixture["in.value"], other)
    ]
    assert mask.any()
    assert torch.equal(*results)


def test_starts_with_equal_weights_and_points_on_rays() -> None:
    """Head k looks in direction 2 pi k / H; its point p lies p + 1 cells away, measured along the longer axis."""
    module = MultiScaleDeformableAttention(embed_dim=16, num_heads=4, num_levels=2, num_points=3)
    offsets = module.sampling_offsets.bias.view(4, 2, 3, 2)
    expected = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    for point in range(3):
        for level in range(2):
            torch.testing.assert_close(offsets[:, level, point], expected * (point + 1), atol=1e-6, rtol=0)
    diagonal = MultiScaleDeformableAttention(embed_dim=16, num_heads=8).sampling_offsets.bias.view(8, 4, 4, 2)[1, 0, 0]
    torch.testing.assert_close(diagonal, torch.tensor([1.0, 1.0]))
    assert not module.sampling_offsets.weight.any()
    assert not module.attention_weights.weight.any()
    assert not module.attention_weights.bias.any()
    limit = math.sqrt(6 / 32)
    for projection in (module.value_proj, module.output_proj):
        assert 0.5 * limit < projection.weight.abs().max() <= limit
        assert not projection.bias.any()


def test_defaults_are_those_of_detrex() -> None:
    module = MultiScaleDeformableAttention()
    assert (module.embed_dim, module.num_heads, module.num_levels, module.num_points) == (256, 8, 4, 4)
    assert module.dropout.p == 0.1
    assert not module.batch_first
    shapes = {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}
    assert shapes == {
        "sampling_offsets.weight": (256, 256),
        "sampling_offsets.bias": (256,),
        "attention_weights.weight": (128, 256),
        "attention_weights.bias": (128,),
        "value_proj.weight": (256, 256),
        "value_proj.bias": (256,),
        "output_proj.weight": (256, 256),
        "output_proj.bias": (256,),
    }


def call_with(references: Tensor, device: str = "cpu", dropout: float = 0.0) -> Tensor:
    with torch.device(device):
        module = MultiScaleDeformableAttention(
            embed_dim=16, num_heads=4, num_levels=2, dropout=dropout, img2col_step=1, batch_first=True
        )
        levels = {"spatial_shapes": torch.tensor([[3, 4], [2, 2]]), "level_start_index": torch.tensor([0, 12])}
        query, value = torch.zeros(1, 5, 16), torch.zeros(1, 16, 16)
    output: Tensor = module(query, None, value, reference_points=references, key_pos=None, attn_mask=None, **levels)
    return output


def test_runs_on_the_meta_device() -> None:
    """A failure means that some tensor is made on a fixed device and would not follow `.to()`."""
    output = call_with(torch.zeros(1, 5, 2, 4, device="meta"), device="meta")
    assert output.is_meta
    assert output.shape == (1, 5, 16)


def test_reference_points_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match=r"last dimension of 2 \(xy\) or 4 \(cxcywh\)\. Got 3\.$"):
        call_with(torch.zeros(1, 5, 2, 3))


def test_a_width_that_the_heads_do_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expects a multiple of num_heads\. Got 30 and 8\.$"):
        MultiScaleDeformableAttention(embed_dim=30)


@pytest.mark.parametrize("backend", BACKENDS)
def test_bfloat16_autocast_stays_close(fixture: golden_io.Fixture, backend: str) -> None:
    with use_backend(backend), torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        result = golden_module(fixture)(
            fixture["in.query"],
            value=fixture["in.value"],
            query_pos=fixture["in.query_pos"],
            key_padding_mask=fixture["in.key_padding_mask"],
            reference_points=fixture["in.reference_points_2d"],
            **levels_of(fixture),
        )
    assert golden_io.max_abs_diff(result.float(), fixture["out.ref2d"]) < 0.1
