"""Weights into models: prefixes, conversions, misfits and their report."""

import pytest
import torch
from key_models import KeyModel, numbered, read_keys, small

from dsct_detrex.errors import UserError
from dsct_detrex.structures import CAER_S, EMOTIC
from dsct_detrex.weights import Provenance, Release, load_release_weights, load_weights

SUBJECT = {"subject_queries__content": (4, 16), "subject_queries__position": (4, 16)}
HEADS = {"heads__class_embed__weight": (27, 16), "heads__class_embed__bias": (27,)}


def dsct_on(host: str, **others: tuple[int, ...]) -> KeyModel:
    return KeyModel.of(read_keys(host), "host.", **SUBJECT, **{**HEADS, **others})


@pytest.mark.parametrize("host", ["deformable_detr_box_refine_r50", "anchor_detr_r50", "dab_detr_r50", "detr_r50"])
def test_a_host_checkpoint_finds_its_host(host: str) -> None:
    model, checkpoint = dsct_on(host), numbered(read_keys(host))
    report = load_weights(model, checkpoint)
    own = model.state_dict()
    for name, tensor in checkpoint.items():
        torch.testing.assert_close(own[f"host.{name}"], tensor, atol=0, rtol=0)
    assert len(report.loaded) == len(report.renamed) == len(checkpoint)
    assert set(report.missing) == {name.replace("__", ".") for name in {**SUBJECT, **HEADS}}
    assert not report.unexpected
    assert not report.reinitialised
    assert report.format == "detrex"


@pytest.mark.parametrize("variant", ["", "_box_refine", "_two_stage"])
def test_official_deformable_detr_starts_a_dsct_model(variant: str) -> None:
    model = dsct_on(f"deformable_detr{variant}_r50")
    report = load_weights(model, numbered(read_keys(f"deformable_detr_official{variant}_r50")))
    assert len(report.missing) == len(SUBJECT) + len(HEADS)
    assert not report.unexpected
    assert not report.reinitialised
    layer = "transformer.decoder.layers.2"
    assert report.renamed[f"host.{layer}.norms.0.weight"] == f"{layer}.norm2.weight"


def test_official_dsct_starts_ours_without_the_hosts_heads() -> None:
    keys = {n: e for n, e in read_keys("deformable_detr_r50").items() if not n.startswith(("class_", "bbox_"))}
    heads = {n: e for n, e in numbered(read_keys("dsct_official_emotic_r50")).items() if "_dsct.0." in n}
    shapes = {"heads__" + n.replace("_dsct.0.", "__").replace(".", "__"): tuple(t.shape) for n, t in heads.items()}
    model = KeyModel.of(keys, "host.", **SUBJECT, **shapes)
    report = load_weights(model, numbered(read_keys("dsct_official_emotic_r50")))
    assert (report.missing, report.reinitialised, report.unexpected) == ((), (), ())
    assert report.renamed["heads.bbox_embed.layers.2.bias"].startswith("bbox_embed_dsct.")


@pytest.mark.parametrize("host", ["detr_r50", "anchor_detr_r50"])
@pytest.mark.parametrize("file", ["torchvision", "detectron2"])
def test_imagenet_backbones_fit_both_namings(host: str, file: str) -> None:
    source = "anchor_detr_r50" if file == "torchvision" else "detr_r50"
    prefix = "backbone.body." if file == "torchvision" else "backbone."
    backbone = {n.removeprefix(prefix): t for n, t in numbered(read_keys(source)).items() if n.startswith(prefix)}
    model = dsct_on(host)
    report = load_weights(model, backbone)
    assert len(report.loaded) == len(backbone) == 265
    assert all(name.startswith("host.backbone.") for name in report.loaded)
    stem = "host.backbone.body.conv1.weight" if host == "anchor_detr_r50" else "host.backbone.stem.conv1.weight"
    expected = backbone["conv1.weight" if file == "torchvision" else "stem.conv1.weight"]
    torch.testing.assert_close(model.state_dict()[stem], expected)


def test_the_host_of_a_dsct_file_fits_the_bare_host() -> None:
    host = KeyModel.of(read_keys("detr_r50"))
    report = load_weights(host, dsct_on("detr_r50").state_dict())
    assert not report.missing
    assert len(report.unexpected) == 4


def test_heads_of_another_label_set_are_initialised_afresh() -> None:
    emotic = dsct_on("detr_r50").state_dict()
    model = dsct_on("detr_r50", heads__class_embed__weight=(8, 16), heads__class_embed__bias=(8,))
    fresh = torch.randn(8, 16)
    model.get_parameter("heads.class_embed.weight").data.copy_(fresh)
    report = load_weights(model, emotic)
    assert [str(m) for m in report.reinitialised] == [
        "heads.class_embed.weight (8, 16), the file has (27, 16)",
        "heads.class_embed.bias (8,), the file has (27,)",
    ]
    torch.testing.assert_close(model.get_parameter("heads.class_embed.weight"), fresh, atol=0, rtol=0)
    assert (report.missing, report.unexpected) == ((), ())


def test_a_name_tied_to_a_loaded_one_is_not_missing() -> None:
    keys = read_keys("deformable_detr_box_refine_r50")
    once = {name: tensor for name, tensor in numbered(keys).items() if "alias_of" not in keys[name]}
    model = KeyModel.of(keys)
    report = load_weights(model, once)
    assert len(once) < len(keys)
    assert report.missing == ()
    own = model.state_dict()
    torch.testing.assert_close(own["bbox_embed.3.layers.0.bias"], own["transformer.decoder.bbox_embed.3.layers.0.bias"])
    assert own["bbox_embed.3.layers.0.bias"].abs().sum() > 0


def test_half_precision_weights_are_cast() -> None:
    model = dsct_on("detr_r50")
    load_weights(model, {name: tensor.half() for name, tensor in numbered(read_keys("detr_r50")).items()})
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_the_summary_is_a_short_table() -> None:
    model = dsct_on("detr_r50", heads__class_embed__bias=(8,))
    checkpoint = {**numbered(read_keys("detr_r50")), "heads.class_embed.bias": torch.zeros(27)}
    checkpoint = {(n if n.startswith("heads") else f"host.{n}"): t for n, t in checkpoint.items()}
    checkpoint |= {f"old.layers.{i}.weight": torch.zeros(1) for i in range(3)}
    del checkpoint["host.class_embed.bias"]
    total = len(model.state_dict())
    assert load_weights(model, checkpoint).summary().splitlines() == [
        f"loaded         {total - 5:>5}  of {total}, from a DSCT model of this package (DETR)",
        "renamed            0",
        "re-initialised     1  heads.class_embed.bias (8,), the file has (27,)",
        "missing            4  host.class_embed.bias, subject_queries.content, subject_queries.position, "
        "heads.class_embed.weight",
        "unexpected         3  old.layers.#.weight x3",
    ]


def test_the_wrong_model_is_refused_and_nothing_is_touched() -> None:
    model = dsct_on("detr_r50")
    resnet18 = {f"layer{i}.0.conv1.weight": torch.ones(8, 8, 3, 3) for i in range(1, 5)} | {
        "conv1.weight": torch.ones(1)
    }
    message = (
        r"load_weights: only 0 of the file's tensors fit the model \(5 more have another shape\); the file looks like "
        r"a torchvision ResNet. The model expects names such as host.\S+, \S+, heads.class_embed.bias; the file has "
        r"layer1.0.conv1.weight, layer3.0.conv1.weight, conv1.weight. Give a checkpoint of the same detector"
    )
    with pytest.raises(UserError, match=message):
        load_weights(model, resnet18)
    assert all(not tensor.any() for tensor in model.state_dict().values())


@pytest.mark.parametrize(
    ("file", "model", "message"),
    [
        ("dab_detr_r50", "dino_r50", "a DAB-DETR checkpoint; the model is DINO: use host.name=dab_detr, or"),
        ("detr_r50", "deta_r50", "a DETR checkpoint; the model is DETA: use host.name=detr, or"),
        ("dino_r50", "anchor_detr_r50", "a DINO checkpoint; the model is Anchor-DETR: use host.name=dino, or"),
        (
            "deformable_detr_two_stage_r50",
            "dino_r50",
            "a two-stage Deformable-DETR checkpoint; the model is DINO: use host.*",
        ),
        (
            "deformable_detr_official_r50",
            "conditional_detr_r50",
            "a Deformable-DETR checkpoint; the model is Conditional-DETR: use host.name=deformable_detr, or",
        ),
    ],
)
def test_another_host_is_refused_by_name_although_the_backbone_fits(file: str, model: str, message: str) -> None:
    dsct = dsct_on(model)
    with pytest.raises(UserError, match=rf"load_weights: only \d+ of .* this looks like {message}"):
        load_weights(dsct, numbered(read_keys(file)))
    assert all(not tensor.any() for tensor in dsct.state_dict().values())


def test_a_relative_of_the_host_is_loaded_with_a_note() -> None:
    report = load_weights(dsct_on("dn_detr_r50"), numbered(read_keys("dab_detr_r50")))
    assert "host.denoising_generator.label_encoder.weight" in report.missing
    assert report.summary().splitlines()[-1] == "note: the file looks like DAB-DETR, the model is DN-DETR."


def test_no_tensors_at_all_are_refused() -> None:
    with pytest.raises(
        UserError, match=r"only 0 of the file's tensors .* no model this package knows.* the file has none"
    ):
        load_weights(dsct_on("detr_r50"), {})


def test_the_long_report_has_a_line_for_each_module() -> None:
    model = dsct_on("detr_r50", heads__class_embed__bias=(8,))
    checkpoint = {f"host.{n}": t for n, t in numbered(read_keys("detr_r50")).items()}
    checkpoint |= {"heads.class_embed.bias": torch.zeros(27), "criterion.weight": torch.zeros(1)}
    lines = [" ".join(line.split()) for line in load_weights(model, checkpoint).by_module().splitlines()]
    assert lines[0] == "module loaded renamed shape missing not loaded"
    assert "host.backbone 265/265 0 0 0" in lines
    assert "host.transformer.encoder 72/72 0 0 0" in lines
    assert "heads 0/2 0 1 1 heads.class_embed.bias, heads.class_embed.weight" in lines
    assert "subject_queries 0/2 0 0 2 subject_queries.content, subject_queries.position" in lines
    assert lines[-1] == "left over in the file, criterion: 1 criterion.weight"


def test_the_least_share_is_the_callers_choice() -> None:
    model = dsct_on("detr_r50")
    checkpoint = {"input_proj.bias": torch.ones(16), **{f"other.{i}": torch.ones(1) for i in range(9)}}
    with pytest.raises(UserError, match="only 1 of the file's tensors"):
        load_weights(model, checkpoint)
    assert load_weights(model, checkpoint, min_matched=0.1).loaded == ("host.input_proj.bias",)


def release_of(model: KeyModel) -> Release:
    return Release({n: torch.ones_like(t) for n, t in model.state_dict().items()}, EMOTIC, "", None, Provenance())


def test_a_release_fits_its_own_model_entirely() -> None:
    model = dsct_on("dab_detr_r50")
    report = load_release_weights(model, release_of(model), EMOTIC)
    assert len(report.loaded) == len(model.state_dict())
    assert all(bool((tensor == 1).all()) for tensor in model.state_dict().values())


def test_a_release_of_another_label_set_names_both() -> None:
    model = dsct_on("detr_r50")
    message = (
        r"the release predicts 'emotic' \(MultiLabel, 26: Affection, .* the model is built for "
        r"'caer_s' \(MultiClass, 7: Anger, .*; set emotions.name=emotic, or start a training"
    )
    with pytest.raises(UserError, match=message):
        load_release_weights(model, release_of(model), CAER_S)
    assert not model.get_parameter("heads.class_embed.bias").any()


@pytest.mark.parametrize("defect", ["missing", "unexpected", "shape"])
def test_a_release_that_does_not_fit_is_refused_whole(defect: str) -> None:
    model = dsct_on("detr_r50")
    release = release_of(model)
    if defect == "missing":
        del release.state_dict["subject_queries.content"]
    elif defect == "unexpected":
        release.state_dict["subject_queries.anchor"] = torch.ones(4, 2)
    else:
        release.state_dict["subject_queries.content"] = torch.ones(9, 16)
    with pytest.raises(UserError, match=r"the release does not fit the model; build the model from the release's own"):
        load_release_weights(model, release, EMOTIC)
    assert not model.get_parameter("heads.class_embed.bias").any()


@pytest.mark.parametrize("trained", [True, False], ids=["trained, then frozen", "frozen, then trained"])
def test_which_norms_were_frozen_makes_no_difference(trained: bool) -> None:
    """A batch norm that trains counts batches, and a frozen one does not; both have the same numbers."""
    count = {"host__backbone__norm__num_batches_tracked": ()}
    file, model = dsct_on("detr_r50", **(count if trained else {})), dsct_on("detr_r50", **({} if trained else count))
    release = release_of(file)
    release.state_dict["host.backbone.norm.num_batches_tracked"] = torch.tensor(7)
    if not trained:
        del release.state_dict["host.backbone.norm.num_batches_tracked"]
    report = load_release_weights(model, release, EMOTIC)
    assert not report.missing
    assert not report.unexpected
    assert bool((model.get_parameter("heads.class_embed.bias") == 1).all())


def test_key_models_are_small() -> None:
    assert small([2048, 1, 7]) == (128, 1, 7)
