"""What a user may name as a checkpoint: a release, a run's folder, ``last.pth``, and what others wrote."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from dsct_detrex.config import instantiate
from dsct_detrex.config.project import config_file
from dsct_detrex.engine.best import BestTracker
from dsct_detrex.engine.build import plain_config
from dsct_detrex.engine.checkpoint import RunState, save_last
from dsct_detrex.engine.ema import WeightAverage
from dsct_detrex.engine.settings import BestRule, EarlyStop
from dsct_detrex.errors import UserError
from dsct_detrex.prediction import Predictor
from dsct_detrex.prediction.checkpoints import load
from dsct_detrex.prediction.foreign import train_from
from dsct_detrex.structures import CAER_S, EMOTIC
from dsct_detrex.weights import Provenance, load_release, save_release
from dsct_detrex.weights.signatures import HOSTS
from tests.prediction.tiny_release import tiny_config, write_release


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_release(tmp_path_factory.mktemp("release") / "release.safetensors")


def write_last(folder: Path, release: Path, average: bool, config: dict[str, Any] | None = None) -> Path:
    """The ``last.pth`` of a run with the weights of a release, half of them in its average."""
    cfg = tiny_config()
    model = instantiate(cfg.model)
    model.load_state_dict(load_release(release).state_dict)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    ema = WeightAverage(model, 0.9) if average else None
    for value in {} if ema is None else ema.average.values():
        value.mul_(0.5) if value.is_floating_point() else None
    best = BestTracker(BestRule("emotion/mAP", "max"), EarlyStop())
    plain = plain_config(cfg) if config is None else config
    state = RunState(model, optimizer, torch.amp.GradScaler("cpu", enabled=False), ema, best, None, 800, config=plain)
    return save_last(state, folder, 1000)


@pytest.mark.parametrize("average", [False, True])
def test_a_training_checkpoint_is_built_from_its_own_config(average: bool, release: Path, tmp_path: Path) -> None:
    path = write_last(tmp_path, release, average)
    predictor = Predictor.from_checkpoint(path, "cpu", threshold=0.0)
    kind = "weight average (EMA)" if average else "weights"
    assert predictor.origin == f"{path} ({kind} of iteration 800, a training checkpoint)"
    assert predictor.emotions == CAER_S
    assert predictor.emotion_thresholds == (0.5,) * 7
    factor = 0.5 if average else 1
    for name, value in load_release(release).state_dict.items():
        expected = value * factor if value.is_floating_point() else value
        torch.testing.assert_close(predictor.model.state_dict()[name], expected, msg=name)
    if not average:
        picture = Image.effect_noise((80, 60), 90)
        expected_rows = Predictor.from_checkpoint(release, "cpu", threshold=0.0)(picture).to_dict()
        assert predictor(picture).to_dict() == expected_rows


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (Provenance(), ""),
        (Provenance(epoch=0), ""),
        (Provenance(epoch=12), " (epoch 12)"),
        (Provenance(epoch=0, iteration=1500), " (iteration 1500)"),
        (Provenance(epoch=12, iteration=9000), " (epoch 12, iteration 9000)"),
    ],
)
def test_the_origin_says_how_long_it_was_trained(made: Provenance, words: str, release: Path, tmp_path: Path) -> None:
    known = load_release(release)
    path = tmp_path / "best.safetensors"
    save_release(path, known.state_dict, known.emotions, known.config, known.thresholds, made)
    assert load(path).origin == f"{path}{words}"


def test_a_training_checkpoint_brings_the_thresholds_of_its_config(release: Path, tmp_path: Path) -> None:
    cfg = tiny_config()
    cfg.train.thresholds = {"Happy": 0.2}
    path = write_last(tmp_path, release, False, plain_config(cfg))
    assert load(path).thresholds == tuple(0.2 if name == "Happy" else 0.5 for name in CAER_S.names)


def test_a_training_checkpoint_runs_no_code_of_its_config(release: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    config = plain_config(tiny_config()) | {"model": {"_target_": "os.system", "command": f"touch {marker}"}}
    with pytest.raises(UserError, match=r"asks to call `os\.system`, which is not on the list of trusted"):
        load(write_last(tmp_path, release, False, config))
    assert not marker.exists()


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize(("config", "lack"), [({}, "no config"), ({"model": {}}, "a config without emotions")])
def test_a_training_checkpoint_that_lacks_something_names_the_release(
    config: dict[str, Any], lack: str, beside: bool, release: Path, tmp_path: Path
) -> None:
    path = write_last(tmp_path, release, False, config)
    if beside:
        (tmp_path / "last.safetensors").touch()
    remedy = str(tmp_path / "last.safetensors") if beside else "the best.safetensors or last.safetensors of its run"
    message = f"checkpoint: {path} is a training checkpoint with {lack} inside; use {remedy}."
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        load(path)


def test_of_the_folder_of_a_run_the_best_is_taken(release: Path, tmp_path: Path) -> None:
    write_last(tmp_path, release, False)
    assert load(tmp_path).origin.startswith(f"{tmp_path / 'last.pth'} (weights of iteration 800")
    for name in ("last.safetensors", "best.safetensors"):
        write_release(tmp_path / name, "emotic" if name.startswith("best") else "caer_s")
        assert load(str(tmp_path)).origin == str(tmp_path / name)
    assert load(tmp_path).emotions == EMOTIC


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], r"the folder .* holds none of best\.safetensors, last\.safetensors, last\.pth; give the folder of a run"),
        (
            ["model_0001.safetensors"],
            r"holds none of .*; give one of the files in it, e\.g\. model_0001\.safetensors\.",
        ),
    ],
)
def test_a_folder_without_checkpoints_is_one_sentence(files: list[str], message: str, tmp_path: Path) -> None:
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(UserError, match=message):
        load(tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("best.safetensor", r"best\.safetensor does not exist; check the path\. Did you mean `best\.safetensors`\?"),
        ("nowhere/best.safetensors", r"nowhere/best\.safetensors does not exist; check the path\.$"),
        ("empty.pth", r"empty\.pth is empty \(0 bytes\)"),
        ("text.pth", r"text\.pth is no checkpoint"),
    ],
)
def test_a_file_that_is_not_there_or_broken_is_one_sentence(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "best.safetensors").touch()
    (tmp_path / "empty.pth").touch()
    (tmp_path / "text.pth").write_text("<html>not found</html>")
    with pytest.raises(UserError, match=message):
        load(tmp_path / name)


def test_an_address_is_one_sentence() -> None:
    with pytest.raises(UserError, match=r"https://example\.org/best\.safetensors is an address, and nothing is down"):
        load("https://example.org/best.safetensors")


FOREIGN = {
    "dino": (
        ["transformer.level_embeds", "transformer.decoder.norm.weight", "transformer.encoder.layers.0.attentions.0.w"],
        r"is of a detrex detector \(DINO\) and finds objects and no emotions; train DSCT from it: .* "
        r"--config dino_dsct train\.init_checkpoint=.*x\.pth$",
    ),
    "official detr": (
        ["transformer.decoder.layers.0.multihead_attn.in_proj_weight"],
        r"is of the official DETR code.* and finds objects and no emotions; train DSCT from it",
    ),
    "official dsct": (
        ["query_embed_dsct.weight", "transformer.level_embed"],
        r"is of the official DSCT code and holds weights without their label set and config; .*deformable_detr_dsct",
    ),
    "ours, bare": (
        ["host.neck.convs.0.conv.weight", "subject_queries.content"],
        r"is of a DSCT model of this package and holds weights without their label set and config",
    ),
    "two stages": (
        ["transformer.level_embeds", "transformer.enc_output.weight", "transformer.encoder.layers.0.attentions.0.w"],
        r"\(two-stage Deformable-DETR\).* --config deformable_detr_dsct host\.name=deformable_detr_two_stage train",
    ),
    "backbone": (["stem.conv1.weight"], r"is of a detectron2 ResNet backbone and finds nobody; train DSCT from it"),
    "something": (["fc.weight"], r"is of no model this package knows and .* give the best\.safetensors of a run$"),
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_a_checkpoint_of_others_is_answered_with_the_way(kind: str, suffix: str, tmp_path: Path) -> None:
    names, message = FOREIGN[kind]
    weights = {name: torch.zeros(4, 4) for name in names}
    path = tmp_path / f"x.{suffix}"
    torch.save({"model": weights}, path) if suffix == "pth" else save_file(weights, str(path))
    with pytest.raises(UserError, match=message.replace("pth$", f"{suffix}$")) as error:
        load(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("host", HOSTS)
def test_the_way_leads_to_a_project_that_is_there(host: str) -> None:
    config = re.search(r"--config (\S+)", train_from(host, Path("x.pth")))
    assert config is not None
    assert config_file(config[1]).is_file()


def test_a_baseline_that_is_given_boxes_finds_nobody(release: Path, tmp_path: Path) -> None:
    config = plain_config(tiny_config())
    config["model"]["_target_"] = "dsct_detrex.baselines.EMONet"
    with pytest.raises(UserError, match=r"last\.pth is a two-stage baseline, .* eval .*last\.pth measures"):
        load(write_last(tmp_path, release, False, config))
