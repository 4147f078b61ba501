"""Hosts with feature levels as a whole: padding, the way to the decoder, devices, copies, gradients."""

import copy

import golden_io
import pytest
import torch

from .build import build_host, golden_host, golden_maps, padded_batch, small_config

# these position queries in the unpadded frame, the others in the padded one, as detrex does
POINTWISE = [
    "deformable_detr",
    "deformable_detr_box_refine",
    "deformable_detr_two_stage",
    "h_deformable_detr_two_stage",
    "deta",
]
NAMES = [*POINTWISE, "dino", "dab_deformable_detr", "dab_deformable_detr_two_stage"]


@pytest.fixture(scope="module", params=NAMES)
def host(request):
    torch.manual_seed(0)
    return build_host(small_config(request.param))


def capture(host, call):
    """The keyword arguments of the decoder's call, by a hook as DSCT sets it on live detrex models."""
    seen = []
    hook = host.transformer.decoder.register_forward_pre_hook(
        lambda _, args, kw: seen.append((args, kw)), with_kwargs=True
    )
    call()
    hook.remove()
    return seen


def alone(fixture, image):
    """Levels, masks and positions of one image of a golden fixture without its padding."""
    maps = []
    for level in zip(*golden_maps(fixture)):
        valid = ~level[1][image]
        height, width = int(valid[:, 0].sum()), int(valid[0].sum())
        maps.append([x[image : image + 1, ..., :height, :width] for x in level])
    return tuple(zip(*maps))


@torch.no_grad()
@pytest.mark.parametrize("name", POINTWISE)
def test_a_batch_gives_what_its_images_give_alone(name):
    fixture = golden_io.load(f"hosts/{name}")
    host = golden_host(fixture)
    together = host.predict(*host.transformer(*golden_maps(fixture), *host.query_arguments()))
    for image in range(2):
        single = host.predict(*host.transformer(*alone(fixture, image), *host.query_arguments()))
        for key in ("pred_logits", "pred_boxes"):
            torch.testing.assert_close(together[key][:, image], single[key][:, 0], atol=2e-5, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("name", ["dino", "dab_deformable_detr_two_stage"])
def test_a_batch_is_proposed_what_its_images_are_alone(name):
    fixture = golden_io.load(f"hosts/{name}")
    host = golden_host(fixture)
    together = host.transformer.decoder_inputs(*golden_maps(fixture), *host.query_arguments())
    for image in range(2):
        single = host.transformer.decoder_inputs(*alone(fixture, image), *host.query_arguments())
        expected = single["reference_points"][0]
        torch.testing.assert_close(together["reference_points"][image], expected, atol=2e-5, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("name", NAMES)
def test_what_is_under_the_padding_does_not_matter(name):
    fixture = golden_io.load(f"hosts/{name}")
    host = golden_host(fixture)
    features, masks, positions = golden_maps(fixture)
    noisy = tuple(torch.where(m[:, None], torch.randn_like(f), f) for f, m in zip(features, masks))
    clean, other = (
        host.predict(*host.transformer(f, masks, positions, *host.query_arguments())) for f in (features, noisy)
    )
    for key in ("pred_logits", "pred_boxes"):
        torch.testing.assert_close(clean[key], other[key], atol=0, rtol=0)


@torch.no_grad()
def test_decoder_inputs_are_what_a_hook_captures(host):
    images, mask = padded_batch()
    inputs = host.decoder_inputs(images, mask)
    ((args, captured),) = capture(host, lambda: host(images, mask))
    assert args == ()
    assert set(inputs) == set(captured)
    for name, value in captured.items():
        if isinstance(value, torch.Tensor):
            torch.testing.assert_close(inputs[name], value, atol=0, rtol=0)
        else:
            assert inputs[name] == value


def test_asking_for_decoder_inputs_does_not_decode(host):
    assert capture(host, lambda: host.decoder_inputs(*padded_batch())) == []


@torch.no_grad()
def test_forward_shapes_and_ranges(host):
    found = host(*padded_batch())
    num_contexts = getattr(host, "num_queries_one2one", host.num_queries)
    assert found["pred_logits"].shape == (3, 2, num_contexts, 7)
    assert found["pred_boxes"].shape == (3, 2, num_contexts, 4)
    assert ((found["pred_boxes"] >= 0) & (found["pred_boxes"] <= 1)).all()
    assert ("enc_pred_logits" in found) == host.as_two_stage


@torch.no_grad()
def test_the_mask_counts_in_evaluation(host):
    images, mask = padded_batch()
    masked, unmasked = host(images, mask), host(images, torch.zeros_like(mask))
    assert (masked["pred_logits"] - unmasked["pred_logits"]).abs().max() > 1e-3


def test_one_forward_on_the_meta_device(host):
    """A failure here means that something was made on a fixed device and would break on a GPU."""
    images, mask = padded_batch()
    found = copy.deepcopy(host).to("meta")(images.to("meta"), mask.to("meta"))
    assert all(value.is_meta for value in found.values())


def test_copy_after_a_training_step_is_independent(host):
    host = copy.deepcopy(host).train()
    sum(value.nan_to_num(posinf=0.0).sum() for value in host(*padded_batch()).values()).backward()
    twin = copy.deepcopy(host).eval()
    inputs = padded_batch()
    with torch.no_grad():
        before = twin(*inputs)["pred_logits"]
        for parameter in host.parameters():
            parameter.zero_()
        torch.testing.assert_close(twin(*inputs)["pred_logits"], before, atol=0, rtol=0)


def test_gradients_reach_what_is_not_frozen(host):
    host = copy.deepcopy(host).train()
    host(*padded_batch())["pred_logits"].square().sum().backward()
    for module in (host.neck.convs[0].conv, host.backbone.res2[0].conv1, host.backbone.res5[1].conv2):
        assert module.weight.grad.abs().max() > 0
    assert host.backbone.stem.conv1.weight.grad is None


def test_normalise_centres_the_mean_colour(host):
    images = host.pixel_mean.expand(2, 3, 4, 4)
    torch.testing.assert_close(host.normalise(images), torch.zeros(2, 3, 4, 4))
    assert host.normalise(torch.zeros(3, 2, 2, dtype=torch.uint8)).dtype == torch.float32


def test_inference_asks_for_no_more_than_there_is(host):
    found = host.inference(torch.zeros(1, 2, 3), torch.full((1, 2, 4), 0.5), [(10, 20)])
    assert len(found[0]["scores"]) == min(host.select_box_nums_for_evaluation, 6)
    torch.testing.assert_close(found[0]["pred_boxes"][0], torch.tensor([5.0, 2.5, 15.0, 7.5]))
