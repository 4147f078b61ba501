"""The two kinds of emotion target, and the people of an image."""

from dataclasses import replace

import pytest
import torch
from omegaconf import OmegaConf

from dsct_detrex.errors import UserError
from dsct_detrex.structures import (
    CAER_S,
    EMOTIC,
    Boxes,
    Emotions,
    Instances,
    MultiClassEmotions,
    MultiLabelEmotions,
    get_emotions,
)


def test_multi_label_targets_logits_and_scores():
    targets = EMOTIC.encode([[0, 25], []])
    assert targets.shape == (2, 26)
    assert targets[0].nonzero().flatten().tolist() == [0, 25]
    assert targets[1].sum() == 0
    logits = torch.zeros(1, 27)
    logits[0, 26] = 2.0
    assert EMOTIC.probabilities(logits).shape == (1, 26)
    assert EMOTIC.subject_scores(logits).item() == pytest.approx(0.8808, abs=1e-4)
    assert EMOTIC.mean_scores(logits).item() == 0.5


def test_multi_class_targets_logits_and_scores():
    assert CAER_S.encode([[3], [0]]).tolist() == [3, 0]
    assert CAER_S.multi_hot(torch.tensor([3])).tolist() == [[0, 0, 0, 1, 0, 0, 0]]
    logits = torch.zeros(1, 8)
    logits[0, 7] = 100.0  # never trained, never read
    assert CAER_S.probabilities(logits).sum().item() == pytest.approx(1.0)
    assert CAER_S.subject_scores(logits).item() == pytest.approx(1 - 0.5**7)
    nobody = torch.full((1, 8), -6.0)
    assert CAER_S.subject_scores(nobody).item() < 0.02


def test_official_order_and_lookup():
    assert len(EMOTIC.names) == 26
    assert list(EMOTIC.names) == sorted(EMOTIC.names)
    assert get_emotions("emotic") is EMOTIC
    assert CAER_S.index("Happy") == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: EMOTIC.encode([[26]]), r"emotic.encode\(labels=\) expects indices in \[0, 26\). Got 26."),
        (lambda: CAER_S.encode([[1, 2]]), r"caer_s.encode\(labels=\) expects exactly one category per person. Got 2."),
        (lambda: CAER_S.index("Joy"), r"caer_s.index\(label=\) expects one of Anger, .*Got 'Joy'."),
        (lambda: get_emotions("x"), r"get_emotions\(name=\) expects one of emotic, caer_s. Got 'x'."),
        (lambda: Boxes(torch.zeros(2, 3)), r"Boxes\(tensor=\) expects shape \(n, 4\). Got \(2, 3\)."),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


UNUSUAL = ["so, so", 'said "no"', "Doubt/Confusion", "悲しい", "😀", "d'accord", "a=b;c", "${x}", " calm "]


@pytest.mark.parametrize("kind", [MultiClassEmotions, MultiLabelEmotions])
@pytest.mark.parametrize("wrapped", [list, tuple, OmegaConf.create], ids=["list", "tuple", "config"])
def test_names_of_a_config_become_plain_texts(kind, wrapped):
    names = [name for name in UNUSUAL if "$" not in name] if wrapped is OmegaConf.create else UNUSUAL
    emotions = kind("moods", wrapped(names))
    assert emotions.names == tuple(name.strip() for name in names)
    assert all(type(name) is str for name in (emotions.name, *emotions.names))
    assert emotions == kind("moods", tuple(emotions.names), origin="a file")
    assert hash(emotions) == hash(kind("moods", emotions.names))


@pytest.mark.parametrize("kind", [MultiClassEmotions, MultiLabelEmotions])
@pytest.mark.parametrize(
    ("name", "names", "sentence"),
    [
        ("moods", "calm", r"\(names=\) expects a list of names of emotions. Got 'calm'."),
        ("moods", {"calm": 1}, r"\(names=\) expects a list of names of emotions. Got {'calm': 1}."),
        ("moods", None, r"\(names=\) expects a list of names of emotions. Got None."),
        ("moods", [], r"\(names=\) expects at least \d names. Got 0."),
        ("moods", ["calm", 2], r"\(names=\) expects texts. Got 2: put it in quotes"),
        ("moods", ["calm", False], r"\(names=\) expects texts. Got False: put it in quotes"),
        ("moods", ["calm", " "], r"\(names=\) expects names of one line, of 1 to 60 letters. Got ' '."),
        ("moods", ["calm", "a\nb"], r"\(names=\) expects names of one line, of 1 to 60 letters. Got 'a\\nb'."),
        ("moods", ["calm", "a" * 61], r"\(names=\) expects names of one line, of 1 to 60 letters."),
        ("moods", ["calm", "tense", "calm"], r"\(names=\) expects different names. Got 'calm' and 'calm'"),
        ("moods", ["very calm", "tense", "Very_Calm"], r"Got 'very calm' and 'Very_Calm', which files cannot tell"),
        ("my moods", ["calm", "tense"], r"\(name=\) expects a name of letters, digits, _ and -.* Got 'my moods'."),
        ("../moods", ["calm", "tense"], r"\(name=\) expects a name of letters"),
        (None, ["calm", "tense"], r"\(name=\) expects a name of letters, digits, _ and -.* Got None."),
    ],
)
def test_what_is_no_label_set_is_refused(kind, name, names, sentence):
    with pytest.raises(UserError, match=sentence) as refused:
        kind(name, names)
    assert str(refused.value).startswith(kind.__name__)


def test_one_class_is_a_choice_only_where_several_may_hold():
    with pytest.raises(UserError, match=r"at least 2 names. Got 1: 'calm'."):
        MultiClassEmotions("moods", ["calm"])
    assert MultiLabelEmotions("moods", ["calm"]).num_emotions == 1


def test_instances_speak_detectron2s_dialect():
    people = Instances((4, 5), gt_boxes=Boxes(torch.eye(4)), scores=torch.arange(4), names=list("abcd"))
    assert len(people) == 4
    assert people.image_size == (4, 5)
    kept = people[torch.tensor([True, False, True, False])]
    assert kept.names == ["a", "c"]
    assert torch.equal(kept.gt_boxes.tensor, torch.eye(4)[[0, 2]])
    assert people[1].names == ["b"]
    assert people[-1].scores.tolist() == [3]
    assert people[2:].scores.tolist() == [2, 3]
    assert people.to("meta").scores.device.type == "meta"
    with pytest.raises(ValueError, match=r"Instances.set\('more'\) expects length 4. Got 1."):
        people.more = [1]
    with pytest.raises(AttributeError, match=r"has no field 'x'; its fields are: gt_boxes, scores, names"):
        _ = people.x


@pytest.mark.parametrize("emotions", [EMOTIC, CAER_S])
def test_a_temperature_changes_how_sure_and_not_who(emotions: Emotions) -> None:
    logits = 3 * torch.randn(40, emotions.num_logits)
    hot = replace(emotions, temperature=4.0)
    assert hot == emotions, "it is no part of the label set"
    torch.testing.assert_close(hot.probabilities(logits), emotions.probabilities(logits / 4))
    assert hot.probabilities(logits).max() < emotions.probabilities(logits).max()
    assert torch.equal(hot.probabilities(logits).argmax(-1), emotions.probabilities(logits).argmax(-1))
    assert torch.equal(hot.subject_scores(logits), emotions.subject_scores(logits))
    assert torch.equal(hot.mean_scores(logits), emotions.mean_scores(logits))


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf")])
def test_a_temperature_is_a_number_above_0(temperature: float) -> None:
    with pytest.raises(UserError, match=r"\(temperature=\) expects a number above 0. Got"):
        replace(CAER_S, temperature=temperature)
