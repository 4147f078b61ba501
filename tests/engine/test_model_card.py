"""The card beside a release: what it says, that Hugging Face can read it, and that nobody's edits are lost."""

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from omegaconf import DictConfig, OmegaConf

from dsct_detrex.config import load_config
from dsct_detrex.data import catalogue
from dsct_detrex.data.synthetic import SyntheticScenes
from dsct_detrex.engine.build import release_config
from dsct_detrex.engine.exchange import exchange_data
from dsct_detrex.engine.model_card import facts_of
from dsct_detrex.engine.model_card.card import card_text
from dsct_detrex.engine.release import ReleaseWriter
from dsct_detrex.paths import projects_folder
from dsct_detrex.responsible_use import RESPONSIBLE_USE
from dsct_detrex.structures import CAER_S, EMOTIC, Emotions
from dsct_detrex.weights import Provenance

WEIGHTS = {"host.transformer.level_embeds": torch.zeros(4, 256), "heads.class_embed.bias": torch.zeros(27)}
METRICS = {"emotion/mAP": 0.3621, "emotion/AP-Anger": 0.1, "bbox/recall50": 0.9, "emotion/acc": float("nan")}
REPORT = {
    "protocol": {"name": "paper", "sentence": "The largest overlap after NMS speaks for a person."},
    "dataset": {
        "name": "EMOTIC",
        "split": "test",
        "description": "head boxes from emotic_test_bi.json",
        "coverage": "",
    },
    "counts": {"images": 3682, "people": 5369},
    "emotions": {"name": "emotic"},
    "primary_metric": "mAP",
    "references": {"chance": 0.12},
    "warnings": ["Nobody shows Pain."],
}


def config(project: str = "deformable_detr_dsct", data: str = "emotic") -> DictConfig:
    cfg: DictConfig = load_config(projects_folder() / f"{project}.py")
    exchange_data(cfg, data, lambda _: None)
    return cfg


def card(
    cfg: DictConfig | None = None,
    emotions: Emotions = EMOTIC,
    file: str = "best.safetensors",
    report: dict[str, Any] | None = None,
    **provenance: Any,
) -> str:
    text = "" if cfg is None else release_config(cfg)
    return card_text(facts_of(file, WEIGHTS, emotions, text, None, Provenance(**provenance), report))


def head(text: str) -> dict[str, Any]:
    _, front, _ = text.split("---\n", 2)
    content: dict[str, Any] = yaml.safe_load(front)
    return content


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_a_card_says_what_is_known() -> None:
    cfg = config()
    cfg.train.init_checkpoint = "/home/somebody/secret/r50_coco.pth"
    cfg.train.output_dir = "/home/somebody/runs"
    text = card(cfg, report=REPORT, metrics=METRICS, epoch=35, command="python /home/somebody/train.py")
    assert "/home/somebody" not in text
    assert "# DSCT on Deformable-DETR, ResNet-50: emotions of EMOTIC\n" in text
    assert "| parameters | 1,051 |" in text
    assert "Trained on EMOTIC, split `train`." in section(text, "Data")
    scores = section(text, "Scores")
    assert (
        "Measured on EMOTIC, test split: 5,369 people in 3,682 images, head boxes from emotic_test_bi.json." in scores
    )
    assert "Protocol `paper`: The largest overlap after NMS speaks for a person." in scores
    assert "chosen among those of the run by this very evaluation" in scores
    assert "| mAP | 36.2 % |" in scores
    assert "AP of each emotion: Anger 10.0 %." in scores
    assert "For comparison, mAP of: chance 12.0 %." in scores
    assert "Nobody shows Pain." in scores
    training = section(text, "Training")
    assert "| started from | r50_coco.pth |" in training
    assert "written after 35 whole epochs; the run was planned for" in training
    assert "EMOTIC is given out for non-commercial research and education only" in section(text, "Terms")
    assert "`r50_coco.pth`, which may bring terms too" in section(text, "Terms")
    assert all(paragraph in text for paragraph in RESPONSIBLE_USE)
    assert 'Predictor.from_checkpoint("best.safetensors")' in text


def test_hugging_face_reads_its_head() -> None:
    content = head(card(config(), report=REPORT, metrics=METRICS))
    assert content["library_name"] == "dsct_detrex"
    assert content["license"] == "unknown"
    assert content["datasets"] == ["emotic"]
    assert {"emotion-recognition", "deformable-detr"} <= set(content["tags"])
    (result,) = content["model-index"][0]["results"]
    assert result["metrics"] == [{"type": "mean_average_precision", "name": "emotion/mAP", "value": 0.3621}]
    assert result["dataset"] == {"name": "EMOTIC", "type": "emotic", "split": "val"}


def test_what_is_not_known_is_said() -> None:
    text = card(None, file="last.safetensors")
    assert "No evaluation belongs to these weights" in section(text, "Scores")
    assert "data that this card knows nothing about" in section(text, "Data")
    assert "planned for an unknown number of steps" in section(text, "Training")
    assert "| optimizer | not known |" in section(text, "Training")
    assert "Of the data nothing is known here" in section(text, "Terms")
    assert "model-index" not in head(text)
    assert "None" not in text


def test_drawn_scenes_are_no_people() -> None:
    text = card(config("demo", "synthetic"), CAER_S, metrics={"emotion/acc": 0.6})
    assert "It has never seen a photograph" in section(text, "Data")
    assert "datasets" not in head(text)
    assert "CAER-S were found" not in section(text, "Terms")


@pytest.mark.parametrize("name", catalogue.names())
def test_every_data_set_brings_its_terms_and_its_warning(name: str) -> None:
    known, cfg = catalogue.get(name), config()
    cfg.dataloader.train.dataset = OmegaConf.create(
        {"_target_": f"{known.reader.__module__}.{known.reader.__qualname__}"}
    )
    text = card(cfg)
    assert known.terms in section(text, "Terms")
    assert (known.warning or "") in section(text, "Data")
    assert SyntheticScenes.__name__ not in text


def test_a_run_that_counts_steps_is_told_in_steps() -> None:
    cfg = config()
    assert "written after 1 whole epoch; the run was planned for" in card(cfg, epoch=1, iteration=5)
    cfg.train.max_epoch, cfg.train.max_iter = None, 2000
    text = "written after {}; the run was planned for 2,000 steps"
    assert text.format("1,500 steps") in card(cfg, epoch=0, iteration=1500)
    assert text.format("3 whole epochs") in card(cfg, epoch=3), "of a file that does not know its step"


def test_a_note_about_the_weights_stands_on_top() -> None:
    assert "\n\n**These weights are of a run of four steps.**\n" in card(
        note="These weights are of a run of four steps."
    )


def writer(folder: Path, said: list[str], keep: int = 100) -> ReleaseWriter:
    return ReleaseWriter(folder, CAER_S, "", max_to_keep=keep, say=said.append)


def test_every_release_has_its_card_which_follows_it(tmp_path: Path) -> None:
    said: list[str] = []
    releases = writer(tmp_path, said)
    releases.write("best", WEIGHTS, metrics={"emotion/acc": 0.5})
    assert "| accuracy | 50.0 % |" in (tmp_path / "best.md").read_text()
    releases.write("best", WEIGHTS, metrics={"emotion/acc": 0.75})
    assert "| accuracy | 75.0 % |" in (tmp_path / "best.md").read_text()
    assert said == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.md", "best.safetensors"]


@pytest.mark.parametrize("edit", ["more at the end", "a word inside", "all new", "no text at all"])
def test_an_edited_card_is_kept_and_that_is_said_once(edit: str, tmp_path: Path) -> None:
    said: list[str] = []
    releases = writer(tmp_path, said)
    releases.write("best", WEIGHTS)
    path = tmp_path / "best.md"
    text = path.read_text()
    changed = {
        "more at the end": text + "Mine.\n",
        "a word inside": text.replace("Research", "Art", 1),
        "all new": "# Mine\n",
        "no text at all": "\udcff",
    }[edit]
    path.write_bytes(changed.encode(errors="surrogateescape"))
    before = path.read_bytes()
    releases.write("best", WEIGHTS)
    releases.write("best", WEIGHTS)
    assert path.read_bytes() == before
    assert len(said) == 1
    assert f"{path} was edited and is kept" in said[0]


def test_numbered_cards_go_with_their_releases_unless_edited(tmp_path: Path) -> None:
    releases = writer(tmp_path, [], keep=1)
    for step in (1, 2, 3):
        releases.write_numbered(step, WEIGHTS, None)
        if step == 2:
            (tmp_path / "model_0000002.md").write_text("Mine.")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "model_0000002.md",
        "model_0000003.md",
        "model_0000003.safetensors",
    ]


def test_an_interrupted_card_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dsct_detrex.errors import UserError

    releases = writer(tmp_path, [])
    releases.write("best", WEIGHTS, metrics={"emotion/acc": 0.5})
    before = (tmp_path / "best.md").read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UserError, match=r"No space left on device.*is intact"):
        releases.write("best", WEIGHTS, metrics={"emotion/acc": 0.75})
    assert (tmp_path / "best.md").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.md", "best.safetensors"]
