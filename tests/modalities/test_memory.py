"""What is added to a memory: nothing at first, a mean of unpadded features later."""

import warnings

import pytest
import torch

from dsct_detrex.errors import UserError
from dsct_detrex.modalities import ModalityMemory
from dsct_detrex.modalities.memory import MapProjection, resize_unpadded
from tests.modalities.networks import filled, scene, scene_memory, semantic

pytestmark = pytest.mark.filterwarnings("ignore:ModalityMemory")


def batch(*sizes):
    """Pixels and mask of pictures of some sizes in one batch."""
    height, width = (max(side) for side in zip(*sizes))
    pixels, mask = torch.zeros(len(sizes), 3, height, width), torch.ones(len(sizes), height, width, dtype=torch.bool)
    for index, (h, w) in enumerate(sizes):
        pixels[index, :, :h, :w] = torch.randn(3, h, w)
        mask[index, :h, :w] = False
    return pixels, mask


def test_without_use_there_is_nothing():
    memory = scene_memory(use=[])
    assert memory.state_dict() == {}
    assert memory(*batch((64, 96))) is None


@torch.no_grad()
def test_shapes_and_zero_before_training():
    memory = ModalityMemory(32, ["semantic", "scene"], scene=scene(), semantic=semantic())
    assert list(memory.networks) == ["semantic", "scene"]
    extra = memory(*batch((64, 96), (64, 64)))
    for size in ((8, 12), (5, 7), (1, 1)):
        added = extra(size)
        assert added.shape == (2, size[0] * size[1], 32)
        assert (added == 0).all()
    assert (filled(memory)(*batch((64, 96)))((4, 6)) != 0).all()


@torch.no_grad()
def test_every_map_of_every_network_reaches_every_level():
    """Otherwise a projection would rest on hosts with one level, and stop DistributedDataParallel."""
    memory = ModalityMemory(8, ["scene", "semantic"], scene=scene(), semantic=semantic())
    given = batch((64, 96))
    for projections in memory.projections.values():
        for projection in projections:
            torch.nn.init.normal_(projection.weight)
            for size in ((16, 24), (2, 3)):
                assert (memory(*given)(size) != 0).all()
            torch.nn.init.zeros_(projection.weight)


def test_a_projection_worked_by_hand():
    """Channels (1, 3) are normalised to (-1, 1), wherever they stand."""
    projection = MapProjection(2, 1)
    assert torch.equal(projection.weight, torch.zeros(1, 2))
    with torch.no_grad():
        projection.weight.copy_(torch.tensor([[1.0, 2.0]]))
    x = torch.tensor([1.0, 3.0]).view(1, 2, 1, 1).expand(1, 2, 2, 2).clone()
    x[..., 1, 1] = 1000.0
    out = projection(x)
    torch.testing.assert_close(out[0, 0], torch.tensor([[1.0, 1.0], [1.0, 0.0]]), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("row", "padded", "width", "expected"),
    [
        ([1.0, 3.0], 0, 2, [1.0, 3.0]),
        ([1.0, 3.0], 1, 2, [1.0, 0.0]),
        ([0.0, 4.0], 0, 1, [2.0]),
        ([0.0, 4.0], 1, 1, [0.0]),
        ([1.0, 9.0], 0, 4, [1.0, 3.0, 7.0, 9.0]),
        ([1.0, 9.0], 1, 4, [1.0, 1.0, 1.0, 0.0]),  # of the last there is nothing but padding
    ],
)
def test_resizing_worked_by_hand(row, padded, width, expected):
    padding = torch.arange(len(row)) >= len(row) - padded
    out = resize_unpadded(torch.tensor(row).view(1, 1, 1, -1), padding.view(1, 1, -1), (1, width))
    torch.testing.assert_close(out.flatten(), torch.tensor(expected))


def test_shrinking_looks_at_everything():
    """Without antialiasing, positions between the sampled ones would go unseen."""
    x = torch.zeros(1, 1, 1, 16)
    x[..., 7] = 1
    assert resize_unpadded(x, torch.zeros(1, 1, 16, dtype=torch.bool), (1, 2)).max() > 0.05


def test_what_lies_under_padding_is_not_seen():
    x, padding = torch.randn(1, 3, 9, 7), torch.ones(1, 9, 7, dtype=torch.bool)
    padding[:, :5, :4] = False
    noised = torch.where(padding[:, None], torch.tensor(float("inf")), x)
    for size in ((9, 7), (3, 2), (20, 30)):
        assert torch.equal(resize_unpadded(noised, padding, size), resize_unpadded(x, padding, size))


def test_building_leaves_random_numbers_alone():
    before = torch.get_rng_state()
    scene_memory()
    assert torch.equal(torch.get_rng_state(), before)


def test_half_precision_is_resized_in_float32():
    memory = filled(scene_memory()).eval()
    given = batch((64, 96))
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        added = memory(*given)((3, 5))
    assert added.dtype == torch.float32
    torch.testing.assert_close(added, memory(*given)((3, 5)), rtol=0.1, atol=0.1)


def test_random_weights_are_announced_where_a_training_starts():
    memory = ModalityMemory(8, ["scene"], scene=scene(), semantic=semantic())
    given = batch((64, 64))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        memory.eval()(*given)
    memory.train()
    with pytest.warns(RuntimeWarning) as caught:
        _ = memory(*given), memory(*given)
    assert [str(warning.message) for warning in caught] == [
        "ModalityMemory: the frozen network of scene (resnet18) has random weights; give it some with "
        "model.modalities.scene.weights=<file>."
    ]
    restored = scene_memory(embed_dim=8)
    restored.load_state_dict(memory.state_dict())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        restored.train()(*given)


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (["scenes"], "ModalityMemory(use=) expects names of scene. Got 'scenes'. Did you mean `scene`?"),
        (["depth"], "ModalityMemory(use=) expects names of scene. Got 'depth'."),
        ("scene", "ModalityMemory(use=) expects a list of names. Got the text 'scene'; write [scene]."),
    ],
)
def test_mistakes_are_one_sentence(use, expected):
    with pytest.raises(UserError) as caught:
        scene_memory(use=use)
    assert str(caught.value) == expected
