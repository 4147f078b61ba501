"""One look: the people are those of ``predict``, and what cannot be shown has a sentence."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dsct_detrex.data.images import read_photo
from dsct_detrex.dsct import RelationalAggregation
from dsct_detrex.prediction import Predictor
from dsct_detrex.structures import CAER_S
from dsct_detrex.web.look import NO_CHOICE, NO_CONTEXTS, NO_FUSION, NO_OBSERVER, Contexts, Points, look_at, num_layers
from dsct_detrex.web.view import look_closer
from tests.dsct.tiny import tiny_dsct
from tests.prediction.finds import finder
from tests.prediction.tiny_release import write_release


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_release(tmp_path_factory.mktemp("release") / "best.safetensors", "emotic")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    path = tmp_path / "one.png"
    Image.fromarray(pixels).save(path)
    return path


def tiny(name: str, **switches: object) -> Predictor:
    model = tiny_dsct(name, **switches)
    return Predictor(model, CAER_S, lambda scene: scene, (0.5,) * 7, 0.0)


@pytest.mark.parametrize("confidence", [0.0, 0.1, 0.5])
def test_the_people_are_those_of_predict(release: Path, photo: Path, confidence: float) -> None:
    look = look_at(read_photo(str(photo)), str(photo), Predictor.from_checkpoint(release, threshold=0.0))
    expected = Predictor.from_checkpoint(release, threshold=confidence)(photo)
    shown = look.shown(confidence)
    assert [person.box for person in shown] == [person.box for person in expected]
    assert shown.to_dict() == expected.to_dict()


def test_a_threshold_of_emotions_replaces_those_of_the_checkpoint(release: Path, photo: Path) -> None:
    look = look_at(read_photo(str(photo)), "one.png", Predictor.from_checkpoint(release, threshold=0.0))
    assert all(len(person.emotions) == 26 for person in look.shown(0.0, 0.0))
    assert all(len(person.emotions) == 1 for person in look.shown(0.0, 1.0))


def test_contexts_and_points_of_each_layer_are_in_the_picture_s_frame(photo: Path) -> None:
    predictor = tiny("deformable_detr")
    look = look_at(read_photo(str(photo)), "", predictor)
    assert len(look.layers) == num_layers(predictor) == 2
    for layer in look.layers:
        contexts, points = layer.contexts, layer.points
        assert isinstance(contexts, Contexts)
        assert isinstance(points, Points)
        assert contexts.nearest.sum(-1).tolist() == [6, 6, 6]
        assert contexts.relevant.sum(-1).tolist() == [4, 4, 4]
        assert ((contexts.weights > 0) <= (contexts.nearest | contexts.relevant)).all()
        assert contexts.places.shape == (20, 2)
        assert points.num_contexts == 20
        assert points.places.shape[:2] == points.weights.shape
        torch.testing.assert_close(points.weights.sum(-1), torch.ones(23))
        inside = points.references[:20]  # this host measures distances between its references
        torch.testing.assert_close(contexts.places, inside)
        assert ((contexts.places >= 0) & (contexts.places <= 1)).all()


def test_people_know_the_query_that_found_them(photo: Path) -> None:
    predictor = tiny("deformable_detr")
    look = look_at(read_photo(str(photo)), "", predictor)
    with torch.inference_mode():
        (output,) = predictor.model([predictor.model_input(read_photo(str(photo)))])
    for row, person in enumerate(look.people):
        assert person.score == pytest.approx(float(output["instances"].scores[look.query(row)]), abs=1e-4)


def test_a_host_without_sampling_points_says_so(photo: Path) -> None:
    look = look_at(read_photo(str(photo)), "", tiny("detr"))
    closer = look_closer(look, look.shown(0.0), 0, 0)
    assert closer.points is None
    assert "has no sampling points: its queries attend to the whole feature map." in closer.points_words
    assert closer.contexts is not None


def test_a_model_without_contexts_says_so(photo: Path) -> None:
    look = look_at(read_photo(str(photo)), "", tiny("deformable_detr", use_contexts=False))
    closer = look_closer(look, look.shown(0.0), 0, 1)
    assert closer.contexts is None
    assert NO_CONTEXTS in closer.contexts_words
    assert closer.points is not None


def test_a_layer_that_does_not_fuse_says_so(photo: Path) -> None:
    look = look_at(read_photo(str(photo)), "", tiny("deformable_detr", fusion_layers=[1]))
    assert look.layers[0].contexts == NO_FUSION
    assert isinstance(look.layers[1].contexts, Contexts)


def test_a_control_says_that_it_chooses_no_contexts(photo: Path) -> None:
    control = RelationalAggregation("paper", gather="self")
    look = look_at(read_photo(str(photo)), "", tiny("deformable_detr", aggregation=control))
    assert {layer.contexts for layer in look.layers} == {NO_CHOICE}


def test_a_model_that_does_not_tell_predicts_all_the_same(photo: Path) -> None:
    look = look_at(read_photo(str(photo)), "", finder(CAER_S, 3))
    assert len(look.shown(0.0)) == 3
    closer = look_closer(look, look.shown(0.0), 2, 0)
    assert NO_OBSERVER in closer.contexts_words
    assert closer.contexts is None
