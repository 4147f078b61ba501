"""Every figure on every host: drawn where the notion exists, a sentence where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from dsct_detrex.baselines import EMONet
from dsct_detrex.data import eval_transforms
from dsct_detrex.data.images import photo_of
from dsct_detrex.data.synthetic import SyntheticScenes
from dsct_detrex.dsct import DSCT, RelationalAggregation
from dsct_detrex.figures.contracts import Absent, Drawing, Material
from dsct_detrex.figures.discovery import chosen_kinds
from dsct_detrex.figures.fused import taken_in
from dsct_detrex.figures.ground import LARGEST, SMALLEST
from dsct_detrex.figures.kinds import activation, contexts, losses, places, predictions, sampling
from dsct_detrex.figures.looking import Looking
from dsct_detrex.figures.rows import rows_of
from dsct_detrex.figures.samples import Annotated, Sample
from dsct_detrex.hosts import ResNet
from dsct_detrex.names import figures
from dsct_detrex.prediction import Predictor
from dsct_detrex.structures import CAER_S, Boxes, Instances
from tests.dsct.test_observation import TEN, WITHOUT_POINTS
from tests.dsct.tiny import tiny_dsct

OF_PICTURES = [name for name in figures() if name != "losses"]


def looking(model: Any, name: str = "DSCT") -> Looking:
    return Looking(Predictor(model, CAER_S, eval_transforms(64, 96), (0.5,) * 7, threshold=0.0, nms=1.0), name)


def material(model: Any, folder: Path = Path("nowhere"), **changes: Any) -> Material:
    scenes = Annotated(SyntheticScenes("caer_s", "test", length=3, size=(96, 64)), CAER_S)
    settings = {"samples": scenes, "images": 1, "people": 1, "many": 3, "beside": None, "folder_beside": None}
    return Material(model=looking(model), folder=folder, **(settings | changes))


def painted(drawing: Drawing) -> Figure:
    figure = Figure(figsize=drawing.inches)
    drawing.paint(figure)
    return figure


def points_on(axes: Any) -> list[tuple[float, float]]:
    return [tuple(point) for group in axes.collections for point in group.get_offsets().tolist()]


def test_annotations_of_another_label_set_say_so() -> None:
    scenes = SyntheticScenes("emotic", "test", length=3, size=(96, 64))
    said = Annotated(scenes, CAER_S).said
    assert said.endswith(". Its annotations are the emotions of emotic; the model reads those of caer_s")
    assert Annotated(scenes, scenes.emotions).said == said.partition(". Its annotations")[0]


def test_ten_hosts() -> None:
    assert len(TEN) == 10


@pytest.mark.parametrize("name", TEN)
def test_every_figure_on_every_host(name: str) -> None:
    made = material(tiny_dsct(name))
    for figure, kind in chosen_kinds(OF_PICTURES):
        if figure == "sampling" and name.startswith(WITHOUT_POINTS):
            with pytest.raises(Absent, match=r"has no sampling points: its queries attend to the whole feature map\.$"):
                list(kind.draw(made))
            continue
        drawings = list(kind.draw(made))
        assert len(drawings) == 1
        assert drawings[0].pictures
        assert drawings[0].shows.endswith(".")
        assert painted(drawings[0]).axes


@pytest.mark.parametrize("name", ["detr", "dino"])
def test_contexts_are_drawn_where_they_are(name: str) -> None:
    """The points of a layer's panel are the chosen contexts and the person, the larger the heavier."""
    made = material(tiny_dsct(name))
    (drawing,) = contexts.draw(made)
    sample = made.samples.sample(0)
    look = made.model.look(sample)
    axes = painted(drawing).axes
    for layer in range(2):
        taken = taken_in(look.seen, layer, int(look.people.query[0]))
        assert taken is not None
        for row, word, chosen in ((0, "near", taken.nearest), (1, "relevant", taken.relevant)):
            panel = axes[2 * row + layer]
            assert panel.get_xlabel().startswith(f"{int(chosen.sum())} {word} contexts: ")
            group, reference = panel.collections
            weights = taken.weights[chosen] / taken.weights.max()
            expected = torch.cat([taken.places[chosen], weights[:, None]], -1).tolist()
            drawn = zip(group.get_offsets().tolist(), group.get_sizes().tolist())
            points = [[*place, (area - SMALLEST) / LARGEST] for place, area in drawn]
            assert sorted(points) == [pytest.approx(point, abs=1e-5) for point in sorted(expected)]
            assert reference.get_offsets()[0].tolist() == pytest.approx(taken.place.tolist())


def test_what_was_taken_in_is_what_the_model_returned() -> None:
    made = material(tiny_dsct("dino"))
    seen = made.model.look(made.samples.sample(0)).seen
    for query in range(3):
        taken, layer = taken_in(seen, 1, query), seen.layers[1]
        assert taken is not None
        assert layer.aggregation is not None
        assert torch.equal(taken.places, layer.context_references[0, :, :2])
        assert torch.equal(taken.place, layer.subject_references[0, query, :2])
        assert torch.equal(taken.weights, layer.aggregation.weights[0, query])
        assert set(taken.nearest.nonzero().flatten().tolist()) == set(
            layer.aggregation.spatial_index[0, query].tolist()
        )
        assert set(taken.relevant.nonzero().flatten().tolist()) == set(
            layer.aggregation.semantic_index[0, query].tolist()
        )


def test_sampling_of_the_person_alone_and_with_contexts() -> None:
    made = material(tiny_dsct("dino"))
    (drawing,) = sampling.draw(made)
    alone, both = painted(drawing).axes
    look = made.model.look(made.samples.sample(0))
    assert look.seen.sampling is not None
    row = look.seen.num_contexts + int(look.people.query[0])
    own = look.seen.sampling[-1].locations[0, row].flatten(0, -2)
    drawn = torch.tensor(points_on(alone)[: len(own)], dtype=torch.float32)
    torch.testing.assert_close(drawn.sort(0).values, own.sort(0).values)
    taken = taken_in(look.seen, 1, int(look.people.query[0]))
    assert taken is not None
    of_contexts = look.seen.sampling[-1].weights[0, : look.seen.num_contexts].flatten(1)
    weights = (of_contexts * taken.weights[:, None]).flatten().sort(descending=True).values
    shown = len(points_on(both)) - len(points_on(alone))
    shares = weights.cumsum(0) / weights.sum()
    assert shares[shown - 1] > 0.95 - 1e-6
    assert shown == 1 or shares[shown - 2] < 0.95 + 1e-6


def test_a_layer_without_fusion_is_said_in_its_panel() -> None:
    (drawing,) = contexts.draw(material(tiny_dsct("dino", fusion_layers=[1])))
    said = [axes.get_xlabel() for axes in painted(drawing).axes]
    assert [label == "this layer takes in no contexts" for label in said] == [True, False, True, False]
    (drawing,) = sampling.draw(material(tiny_dsct("dino", fusion_layers=[0])))
    assert len(painted(drawing).axes) == 1
    assert drawing.shows.endswith("this layer takes in no contexts.")


@pytest.mark.parametrize(
    ("switches", "reason"),
    [
        ({"use_contexts": False}, r"trained without context queries \(model.use_contexts=False\)\.$"),
        ({"aggregation": None}, r"no layer of this model fuses contexts into subjects \(model.aggregation=null\)\.$"),
        (
            {"aggregation": RelationalAggregation("paper", gather="self")},
            r"chooses no contexts \(model.aggregation.gather=self, or both its lists are off\)\.$",
        ),
    ],
)
def test_models_without_contexts_say_so(switches: dict[str, Any], reason: str) -> None:
    with pytest.raises(Absent, match=reason):
        list(contexts.draw(material(tiny_dsct("dino", **switches))))


def test_places_are_box_centres_of_every_query() -> None:
    made = material(tiny_dsct("dino", num_subjects=2))
    (drawing,) = places.draw(made)
    first, second = painted(drawing).axes
    boxes = [made.model.look(made.samples.sample(index)).seen.layers[-1].boxes[0] for index in range(3)]
    for query, axes in enumerate((first, second)):
        expected = sorted(tuple(of_picture[query, :2].tolist()) for of_picture in boxes)
        assert sorted(points_on(axes)) == [pytest.approx(point, abs=1e-4) for point in expected]
        assert axes.get_title() == f"query {query}: 3 people"


def test_one_forward_pass_serves_all_figures_of_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    made, calls = material(tiny_dsct("dino")), []
    observe = DSCT.observe
    monkeypatch.setattr(DSCT, "observe", lambda self, images: calls.append(1) or observe(self, images))
    for kind in (predictions, activation, sampling, contexts):
        list(kind.draw(made))
    assert len(calls) == 1


def test_people_get_the_rows_of_those_who_are_annotated() -> None:
    truth = Instances((50, 100), gt_boxes=Boxes(torch.tensor([[0.0, 0, 10, 10], [50, 0, 60, 10], [80, 0, 90, 10]])))
    found = Instances(
        (50, 100),
        pred_boxes=Boxes(torch.tensor([[80.0, 0, 90, 11], [20, 20, 30, 30], [1, 0, 10, 10]])),
        scores=torch.tensor([0.9, 0.8, 0.7]),
        emotion_probs=torch.eye(3),
    )
    assert rows_of(found, truth) == [2, None, 0, 1]
    assert rows_of(found[torch.zeros(3, dtype=torch.bool)], truth) == [None, None, None]
    assert rows_of(found, Instances((50, 100), gt_boxes=Boxes(torch.zeros(0, 4)))) == [0, 1, 2] == rows_of(found, None)
    ordered = predictions.in_rows(found, [2, None, 0, 1])
    assert ordered.scores.tolist() == pytest.approx([0.7, -1.0, 0.9, 0.8])
    assert ordered.pred_boxes.tensor[[0, 2, 3], 0].tolist() == [1, 80, 20]


def emo_net(mask_subjects: bool) -> EMONet:
    branches = [ResNet(18, out_features=["res3"], freeze_at=0, norm="BN") for _ in range(2)]
    return EMONet(*branches, CAER_S, mask_subjects=mask_subjects, subject_size=32, context_size=32).eval()


@pytest.mark.parametrize("mask_subjects", [False, True])
def test_activation_beside_emo_net_and_a_model_without_contexts(mask_subjects: bool) -> None:
    beside = looking(emo_net(mask_subjects), "EMO-Net")
    (drawing,) = activation.draw(material(tiny_dsct("dino"), beside=beside))
    titles = [axes.get_title() for axes in painted(drawing).axes]
    assert titles[:4] == ["People found", "DSCT, res5", "EMO-Net, scene", "EMO-Net, people"]
    of_people = painted(drawing).axes[3].images[1].get_array()
    assert 0 < of_people.mask.mean() < 1, "people have an activation, what is around them has none"
    alone = looking(tiny_dsct("dino", use_contexts=False), "Without contexts")
    (drawing,) = activation.draw(material(tiny_dsct("dino"), beside=alone))
    assert painted(drawing).axes[2].get_title() == "Without contexts, res5"


def write_metrics(folder: Path, rows: str) -> Path:
    folder.mkdir()
    (folder / "metrics.jsonl").write_text(rows)
    return folder


def test_losses_of_the_last_layer(tmp_path: Path) -> None:
    rows = '{"iteration": 20, "loss_class": 3, "loss_class_0": 9, "loss_bbox": 1, "loss_giou": 2}\n{"iteration": 30}\n'
    folder = write_metrics(tmp_path / "mine", rows)
    other = write_metrics(tmp_path / "other", '{"iteration": 20, "loss_class": 5}\n')
    beside = looking(emo_net(False), "EMO-Net")
    (drawing,) = losses.draw(material(tiny_dsct("detr"), folder, beside=beside, folder_beside=other))
    classes, boxes = painted(drawing).axes
    assert [line.get_ydata().tolist() for line in classes.lines] == [[3], [3], [5], [5]]
    assert [line.get_ydata().tolist() for line in boxes.lines] == [[3], [3], [], []]
    with pytest.raises(
        Absent,
        match=r"there is no metrics.jsonl with losses in nowhere, beside the checkpoint, where a training leaves it\.$",
    ):
        list(losses.draw(material(tiny_dsct("detr"))))


def test_a_picture_without_annotations_has_one_panel() -> None:
    class Own:
        said = "one picture"

        def __len__(self) -> int:
            return 1

        def sample(self, index: int) -> Sample:
            return Sample("a.png", photo_of(Image.new("RGB", (80, 60), "grey")))

    made = material(tiny_dsct("detr"), samples=Own())
    drawings: Iterator[Drawing] = predictions.draw(made)
    assert [axes.get_title() for axes in painted(next(drawings)).axes] == ["DSCT"]
