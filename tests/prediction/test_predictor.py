"""From a release file to people in pictures, in Python."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dsct_detrex.config import apply_overrides, instantiate
from dsct_detrex.engine.build import release_config
from dsct_detrex.errors import UserError
from dsct_detrex.prediction import Predictor
from dsct_detrex.structures import CAER_S, EMOTIC, Boxes, Instances
from dsct_detrex.weights import load_release, save_release
from tests.modalities.networks import published, saved
from tests.prediction.tiny_release import tiny_config, write_release


@pytest.fixture(scope="module")
def release(tmp_path_factory) -> Path:
    return write_release(tmp_path_factory.mktemp("release") / "best.safetensors")


@pytest.fixture
def photo(tmp_path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    path = tmp_path / "photos" / "one.png"
    path.parent.mkdir()
    Image.fromarray(pixels).save(path)
    return path


def test_people_are_in_the_frame_of_the_picture_and_sorted(release, photo):
    people = Predictor.from_checkpoint(release, threshold=0.0)(Image.open(photo))
    assert people.image_size == (60, 80)
    assert 1 <= len(people) <= 8
    assert people.emotion_probs.shape == (len(people), 7)
    assert (people.scores.diff() <= 0).all()
    centres = (people.pred_boxes.tensor[:, :2] + people.pred_boxes.tensor[:, 2:]) / 2
    assert (centres >= 0).all()
    assert (centres <= torch.tensor([80.0, 60.0])).all()


def test_rewrites_change_no_number(release, photo):
    plain, fast = (Predictor.from_checkpoint(release, threshold=0.0, rewrites=which) for which in ("none", "all"))
    assert not any("forward" in module.__dict__ for module in plain.model.modules())
    assert any("forward" in module.__dict__ for module in fast.model.modules())
    expected, found = plain(photo), fast.to("cpu")(photo)
    torch.testing.assert_close(found.pred_logits, expected.pred_logits, rtol=0, atol=1e-5)
    torch.testing.assert_close(found.pred_boxes.tensor, expected.pred_boxes.tensor, rtol=0, atol=1e-3)  # pixels


def test_an_unknown_rewrite_is_one_sentence(release):
    with pytest.raises(
        UserError, match=r"^Predictor\(rewrites=\) expects all, none, or a list of names of attention, "
    ):
        Predictor.from_checkpoint(release, rewrites="folded")


class ThreeFinds(torch.nn.Module):
    """Finds two overlapping people (IoU 0.8) and an unlikely third."""

    def forward(self, inputs):
        boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 8], [50, 50, 60, 60]])
        people = Instances((60, 80), pred_boxes=Boxes(boxes), scores=torch.tensor([0.6, 0.9, 0.1]))
        return [{"instances": people} for _ in inputs]


@pytest.mark.parametrize(
    ("threshold", "nms", "kept"),
    [(0.0, 1.0, [0.9, 0.6, 0.1]), (0.3, 1.0, [0.9, 0.6]), (0.0, 0.5, [0.9, 0.1]), (0.95, 0.5, [])],
)
def test_confidence_and_overlap_decide_who_stays(threshold, nms, kept):
    predictor = Predictor(ThreeFinds(), CAER_S, lambda s: s, (0.5,) * 7, threshold, nms)
    people = predictor(Image.new("RGB", (80, 60)))
    assert people.scores.tolist() == pytest.approx(kept)


def test_a_config_that_calls_other_code_is_refused(tmp_path):
    marker = tmp_path / "marker"
    evil = {"_target_": "os.system", "command": f"touch {marker}"}
    path = write_release(tmp_path / "evil.safetensors", model=evil)
    with pytest.raises(UserError, match=r"asks to call `os.system`, which is not on the list of trusted"):
        Predictor.from_checkpoint(path)
    assert not marker.exists()


def test_a_release_brings_its_label_set(tmp_path):
    path = write_release(tmp_path / "r.safetensors", emotions="emotic")
    assert Predictor.from_checkpoint(path).emotions == EMOTIC


@pytest.mark.filterwarnings("error")
def test_a_release_brings_the_weights_of_its_frozen_networks(photo, tmp_path):
    """On a machine without the file that training read them from, and without a word about random weights."""
    weights = published("resnet18")
    file = saved(tmp_path / "places.pth.tar", {"state_dict": {f"module.{name}": x for name, x in weights.items()}})
    words = ["use=[scene]", "scene.architecture=resnet18", f"scene.weights={file}"]
    cfg = apply_overrides(tiny_config(), [f"model.modalities.{word}" for word in words])
    model = instantiate(cfg.model)
    text = release_config(cfg)
    assert "places.pth.tar" not in text
    assert cfg.model.modalities.scene.weights == str(file)
    save_release(tmp_path / "best.safetensors", model.state_dict(), CAER_S, text)
    file.unlink()
    predictor = Predictor.from_checkpoint(tmp_path / "best.safetensors", threshold=0.0)
    assert len(predictor(Image.open(photo))) >= 1
    restored = predictor.model.modalities.networks["scene"].trunk.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in restored.items())
    assert len(restored) == len(weights) - 2
    assert load_release(tmp_path / "best.safetensors").state_dict.keys() == model.state_dict().keys()


@pytest.mark.parametrize("name", ["threshold", "nms"])
@pytest.mark.parametrize("value", [30, -0.1, 1.01, float("nan"), float("inf")])
def test_a_threshold_out_of_range_is_one_sentence(name, value):
    with pytest.raises(UserError, match=rf"Predictor\({name}=\) expects a number from 0 to 1\. Got {value}"):
        Predictor(ThreeFinds(), CAER_S, lambda s: s, (0.5,) * 7, **{name: value})


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_of_nothing_is_one_sentence_at_once(batch_size):
    predictor = Predictor(ThreeFinds(), CAER_S, lambda s: s, (0.5,) * 7)
    with pytest.raises(UserError, match=rf"stream\(batch_size=\) expects at least 1\. Got {batch_size}\."):
        predictor.stream([Image.new("RGB", (80, 60))], batch_size)


def test_batches_see_the_pictures_in_order(release, photo):
    predictor = Predictor.from_checkpoint(release, threshold=0.0)
    pictures = [Image.open(photo), Image.new("RGB", (40, 90)), str(photo)]
    sizes = [people.image_size for people in predictor.stream(pictures, 2)]
    assert sizes == [(60, 80), (90, 40), (60, 80)]


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("gpu", r"Predictor\.from_checkpoint\(device=\) expects one of auto, cpu, cuda, mps\. Got 'gpu'"),
        ("cuda", r"Predictor\.from_checkpoint\(device=\)=cuda needs a GPU"),
    ],
)
def test_a_device_that_is_not_there_is_one_sentence(device, message, release, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=message):
        Predictor.from_checkpoint(release, device)


@pytest.mark.parametrize("name", ["missing.safetensors", "truncated.safetensors"])
def test_a_file_that_is_no_release_is_one_sentence(name, release, tmp_path):
    (tmp_path / "truncated.safetensors").write_bytes(release.read_bytes()[:1000])
    with pytest.raises(UserError, match=name):
        Predictor.from_checkpoint(tmp_path / name)
