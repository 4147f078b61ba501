"""``dsct convert`` end to end: files in, files out, and what the official DSCT model then says."""

import subprocess
import sys
from pathlib import Path

import golden_io
import pytest
import safetensors.torch
import torch
from key_models import KeyModel, numbered, read_keys
from torch import Tensor

from dsct_detrex.errors import UserError
from dsct_detrex.structures import EMOTIC
from dsct_detrex.weights import convert_checkpoint, load_weights, read_checkpoint, save_release
from tests.commands import convert as main
from tests.dsct.official import official_model, run

ROOT = Path(__file__).parents[2]
HOST = "deformable_detr_box_refine_r50"


def saved(path: Path, weights: dict[str, Tensor], **beside: object) -> Path:
    torch.save({"model": weights, **beside}, path)
    return path


def full_size(name: str) -> dict[str, Tensor]:
    """Real names and shapes in the smallest type; the loader looks at shapes alone."""
    weights: dict[str, Tensor] = {}
    for key, entry in read_keys(name).items():
        owner = entry.get("alias_of")
        weights[key] = weights[owner] if owner else torch.zeros(entry["shape"], dtype=torch.uint8)
    return weights


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_the_script_turns_the_official_model_into_one_that_computes_the_same(suffix: str, tmp_path: Path) -> None:
    """``golden/dsct/model``, from the file its authors' code would write to our layer outputs."""
    fixture = golden_io.load("dsct/model")
    source = saved(tmp_path / "official.pth", fixture.state_dict(), epoch=49)
    output = tmp_path / f"ours{suffix}"
    command = [sys.executable, str(ROOT / "scripts" / "convert_checkpoint.py"), str(source), str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "under the names of a DSCT model" in done.stdout
    assert "from the official DSCT code (Deformable-DETR)" in done.stdout
    model = official_model(fixture)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    report = load_weights(model, read_checkpoint(output).state_dict)
    assert all(name.startswith(("host.class_embed", "host.bbox_embed")) for name in report.missing)
    layers, _ = run(model.eval(), fixture)
    tolerance = fixture.meta["tolerance"]["abs"]
    for name, expected in (("logits", "out.pred_logits"), ("boxes", "out.pred_boxes")):
        mine = torch.stack([getattr(layer, name) for layer in layers]).detach()
        torch.testing.assert_close(mine, fixture[expected], atol=tolerance, rtol=0)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_every_value_survives_and_ties_are_kept(suffix: str, tmp_path: Path) -> None:
    weights = numbered(read_keys(HOST))
    source = saved(tmp_path / "host.pth", weights)
    done = convert_checkpoint(source, tmp_path / f"dsct{suffix}", to="dsct")
    assert (done.target, len(done.report.loaded), done.report.unexpected) == ("dsct", len(weights), ())
    model = KeyModel.of(read_keys(HOST), "host.")
    assert not load_weights(model, read_checkpoint(tmp_path / f"dsct{suffix}").state_dict).missing
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(tensor, weights[name.removeprefix("host.")], atol=0, rtol=0)
    back = convert_checkpoint(tmp_path / f"dsct{suffix}", tmp_path / "back.pth", to="detrex")
    assert back.target == "detrex"
    kept = read_checkpoint(tmp_path / "back.pth").state_dict
    assert all(torch.equal(tensor, weights[name]) for name, tensor in kept.items())
    assert len(kept) == (len(weights) if suffix == ".pth" else len({t.data_ptr() for t in weights.values()}))


def test_a_release_gives_its_host_back_and_names_what_stays_behind(tmp_path: Path) -> None:
    weights = {f"host.{n}": t for n, t in numbered(read_keys("detr_r50")).items()}
    save_release(tmp_path / "run.safetensors", weights | {"heads.class_embed.bias": torch.zeros(27)}, EMOTIC, "")
    done = convert_checkpoint(tmp_path / "run.safetensors", tmp_path / "host.pth", to="detrex")
    assert done.report.unexpected == ("heads.class_embed.bias",)
    assert set(torch.load(tmp_path / "host.pth", weights_only=True)["model"]) == set(read_keys("detr_r50"))


@pytest.mark.parametrize(
    ("to", "name"), [("detrex", "backbone.stem.conv1.weight"), ("dsct", "host.backbone.stem.conv1.weight")]
)
def test_a_bare_resnet_finds_its_place(to: str, name: str, tmp_path: Path) -> None:
    body = {"conv1.weight": torch.zeros(1), "layer1.0.conv1.weight": torch.zeros(1), "fc.weight": torch.zeros(1)}
    torch.save(body, tmp_path / "resnet.pth")
    done = convert_checkpoint(tmp_path / "resnet.pth", tmp_path / "out.safetensors", to=to)
    assert name in safetensors.torch.load_file(tmp_path / "out.safetensors")
    assert len(done.weights) == 2


def test_a_host_by_name_decides_what_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = full_size("deformable_detr_official_box_refine_r50")
    weights["query_embed.weight"] = torch.zeros(100, 512, dtype=torch.uint8)
    source, output = saved(tmp_path / "official.pth", weights), tmp_path / "out.safetensors"
    arguments = [str(source), str(output), "--to", "dsct", "--host", "deformable_detr_box_refine", "--report"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "re-initialised     1  host.query_embedding.weight (300, 512), the file has (100, 512)" in said
    assert "host.backbone" in said
    assert "host.query_embedding.weight" not in safetensors.torch.load_file(output)


def test_a_config_decides_what_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, output = saved(tmp_path / "official.pth", full_size("dsct_official_caer_r50")), tmp_path / "out.pth"
    config = str(ROOT / "projects" / "deformable_detr_dsct.py")
    assert main([str(source), str(output), "--config", config]) == 0
    assert "subject_queries.content" in torch.load(output, weights_only=True)["model"]
    assert main([str(source), str(output), "--config", config, "--to", "detrex", "--force"]) == 0
    written = torch.load(output, weights_only=True)["model"]
    assert "transformer.level_embeds" in written
    assert not any(name.startswith(("host.", "subject_queries.")) for name in written)
    assert "unexpected" in capsys.readouterr().out


def test_the_wrong_host_is_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = saved(tmp_path / "dab.pth", full_size("dab_detr_r50"))
    assert main([str(source), str(tmp_path / "out.pth"), "--host", "dino"]) == 2
    assert "looks like a DAB-DETR checkpoint; the model is DINO: use host.name=dab_detr" in capsys.readouterr().err
    assert not (tmp_path / "out.pth").exists()


def test_users_mistakes_are_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = saved(tmp_path / "a.pth", {"heads.class_embed.bias": torch.zeros(3)})
    for arguments, message in (
        ([str(source), "out.bin"], "the name of the output decides its format and ends in .safetensors or .pth"),
        ([str(source), str(source)], "a.pth exists; choose another name, or replace it with --force"),
        ([str(tmp_path / "none.pth"), str(tmp_path / "b.pth")], "there is no file"),
        ([str(source), str(tmp_path / "b.pth"), "--to", "detrex"], "holds no host"),
        ([str(source), str(tmp_path / "b.pth"), "--host", "dinno"], "Got 'dinno'. Did you mean `dino`?"),
        (
            [str(source), str(tmp_path / "b.pth"), "--config", str(ROOT / "configs/common/schedule.py")],
            "no DSCT `model`",
        ),
    ):
        assert main(arguments) == 2
        assert message in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pth"]


def test_an_output_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    source = saved(tmp_path / "a.pth", numbered(read_keys(HOST)))
    output = tmp_path / "out.safetensors"
    convert_checkpoint(source, output)
    before = output.read_bytes()
    with pytest.raises(UserError, match="no host"):
        convert_checkpoint(saved(tmp_path / "b.pth", {"heads.x": torch.zeros(1)}), output, to="detrex", force=True)
    assert output.read_bytes() == before
    convert_checkpoint(source, output, to="dsct", force=True)
    assert output.read_bytes() != before


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_half_the_size(suffix: str, tmp_path: Path) -> None:
    """Matrices in float16; what a vector or a large number would lose stays, and tied tensors are stored once."""
    tied = torch.linspace(-3, 3, 4096).reshape(64, 64)
    weights = {"host.a.weight": tied, "host.b.weight": tied, "host.a.bias": torch.linspace(0, 1, 64)}
    weights |= {"host.large": torch.full((2, 2), 1e6), "host.count": torch.tensor([[3]])}
    source = saved(tmp_path / "source.pth", weights)
    convert_checkpoint(source, tmp_path / f"half{suffix}", half=True)
    read = read_checkpoint(tmp_path / f"half{suffix}").state_dict
    if suffix == ".pth":
        assert read["host.b.weight"].data_ptr() == read["host.a.weight"].data_ptr()
        del read["host.b.weight"]
    assert {name: tensor.dtype for name, tensor in read.items()} == {
        "host.a.weight": torch.float16,
        "host.a.bias": torch.float32,
        "host.large": torch.float32,
        "host.count": torch.int64,
    }
    torch.testing.assert_close(read["host.a.weight"].float(), tied, atol=2e-3, rtol=0)
    assert torch.equal(read["host.a.bias"], weights["host.a.bias"])
    main([str(source), str(tmp_path / f"again{suffix}"), "--half"])
    assert read_checkpoint(tmp_path / f"again{suffix}").state_dict["host.a.weight"].dtype == torch.float16
