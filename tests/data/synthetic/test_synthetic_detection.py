"""Drawn scenes for a detector: every thing has a class and its box, the pictures are the scenes' own."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from dsct_detrex.data import DatasetMapper, headline_of, train_transforms
from dsct_detrex.data.synthetic import DRAWN_THINGS, HELD, SyntheticScenes, SyntheticThings, table, thing_annotations
from dsct_detrex.data.synthetic.drawing import paint_with_notes
from dsct_detrex.data.synthetic.latents import SceneLatents
from dsct_detrex.data.synthetic.scene import draw_scene
from dsct_detrex.errors import UserError
from dsct_detrex.structures import CAER_S, ObjectClasses

SIZE = (96, 72)


def test_every_thing_that_is_drawn_has_a_class_or_is_a_part() -> None:
    """Every place, weather and light, with as many people as there can be."""
    names: set[str] = set()
    for index in range(len(table.SCENES)):
        drawn = draw_scene((3, "classes", index), (192, 144), 5)
        scene = replace(drawn, latents=SceneLatents(index, drawn.latents.people))
        names |= {thing.name for thing in paint_with_notes(scene).things}
    assert names - set(DRAWN_THINGS.names) == {"lit window"}
    assert set(DRAWN_THINGS.names) - names == set()


def test_a_class_says_nothing_of_a_face_and_places_do_not_change() -> None:
    assert not {*table.EXPRESSIONS, *table.EMOTIONS} & set(DRAWN_THINGS.names)
    assert DRAWN_THINGS.names[:12] == HELD == table.OBJECTS[1:]
    assert [DRAWN_THINGS.index(name) for name in ("head", "tree", "stars")] == [12, 14, 43]


def test_pictures_and_boxes_are_those_of_the_scenes() -> None:
    scenes = SyntheticScenes("caer_s", "val", 12, seed=5, size=SIZE)
    things = SyntheticThings("val", 12, seed=5, size=SIZE)
    kinds = set()
    for index in (2, 0, *range(3, 12)):
        record = things.record(index)
        assert things.load_image(index).tobytes() == scenes.load_image(index).tobytes()
        shown = [thing for thing in scenes.things(index) if thing.name != "lit window"]
        assert [tuple(one["bbox"]) for one in record["annotations"]] == [thing.box for thing in shown]
        assert [DRAWN_THINGS.names[one["labels"][0]] for one in record["annotations"]] == [t.name for t in shown]
        kinds |= {thing.kind for thing in shown}
        assert {k: v for k, v in record.items() if k != "annotations"} == {
            k: v for k, v in scenes.record(index).items() if k != "annotations"
        }
    assert kinds == {"object", "person", "place", "weather", "light"}
    assert things.load_image(1).tobytes() == scenes.load_image(1).tobytes(), "without a record asked for before"
    assert things.name == "synthetic_things_val"
    with pytest.raises(IndexError):
        things.record(12)


def test_records_are_painted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    things = SyntheticThings("train", 3, size=SIZE)
    first = [things.record(index) for index in range(3)]
    monkeypatch.setattr(things, "painted", None)
    assert [things.record(index) for index in range(3)] == first


def test_a_long_data_set_is_not_painted_to_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    headline = headline_of(SyntheticThings("val", 3, size=SIZE))
    assert headline is not None
    assert headline.people == sum(headline.labels.values()) > 10
    assert set(headline.labels) == set(DRAWN_THINGS.names)
    monkeypatch.setattr(SyntheticThings, "record", None)
    assert headline_of(SyntheticThings("train", 1001, size=SIZE)).people is None


def test_things_beside_people_when_they_are_asked_for() -> None:
    plain, both = (SyntheticScenes("emotic", "val", 2, size=SIZE, objects=wanted) for wanted in (False, True))
    for index in range(2):
        record = dict(both.record(index))
        assert record.pop("objects") == thing_annotations(plain.things(index))
        assert record == plain.record(index)


def test_transforms_move_things_as_they_move_people() -> None:
    """A mirrored picture: a head's box of the people and of the things go the same way; a crop cuts both."""
    scenes = SyntheticScenes("caer_s", "val", 8, size=SIZE, objects=True)
    recipe = {"scales": (144,), "max_size": None, "crop_scales": (72,), "crop_min": 40, "crop_max": 50}
    for flip, crop in ((1.0, 0.0), (0.0, 1.0)):
        mapper = DatasetMapper(
            train_transforms(flip=flip, crop_probability=crop, **recipe), CAER_S, True, objects=DRAWN_THINGS
        )
        for index in range(8):
            record = scenes.record(index)
            torch.manual_seed(index)
            found = mapper(record, scenes.load_image(index))
            height, width = found["image"].shape[-2:]
            things = found["objects"]
            assert things.image_size == found["instances"].image_size == (height, width)
            boxes = things.gt_boxes.tensor
            assert (boxes[:, 2:] > boxes[:, :2]).all()
            assert boxes[:, 2].max() <= width
            if flip:
                scale = height / SIZE[1]
                original = torch.tensor([one["bbox"] for one in record["objects"]])
                expected = torch.stack(
                    [SIZE[0] - original[:, 2], original[:, 1], SIZE[0] - original[:, 0], original[:, 3]], 1
                )
                torch.testing.assert_close(boxes, expected * scale)
                assert things.gt_classes.tolist() == [one["labels"][0] for one in record["objects"]]
            else:
                assert len(things) < len(record["objects"]) or (boxes[:, 0] == 0).any()
            assert len(found["instances"]) <= len(record["annotations"])


def test_evaluation_keeps_things_in_the_original_frame_and_their_absence_is_told() -> None:
    scenes = SyntheticScenes("caer_s", "val", 2, size=SIZE, objects=True)
    mapper = DatasetMapper(train_transforms(scales=(144,), crop_probability=0.0), CAER_S, False, objects=DRAWN_THINGS)
    found = mapper(scenes.record(0), scenes.load_image(0))
    expected = torch.tensor([one["bbox"] for one in scenes.record(0)["objects"]])
    assert torch.equal(found["objects"].gt_boxes.tensor, expected)
    assert len(found["ground_truth"]) == len(scenes.record(0)["annotations"])
    plain = SyntheticScenes("caer_s", "val", 2, size=SIZE)
    with pytest.raises(
        UserError, match=r"DatasetMapper\(objects=\) expects records that name the things .*objects=True"
    ):
        mapper(plain.record(0), plain.load_image(0))


def test_classes_of_things_are_checked_like_any_label_set() -> None:
    assert ObjectClasses("one", ["ball"]).names == ("ball",)
    with pytest.raises(UserError, match=r"ObjectClasses\(names=\) expects different names\. Got 'a b' and 'A_b'"):
        ObjectClasses("toys", ["a b", "A_b"])
