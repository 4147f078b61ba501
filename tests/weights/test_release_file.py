"""Release files: what goes in comes out, from one file, written whole or not at all."""

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from dsct_detrex.errors import UserError
from dsct_detrex.structures import CAER_S, EMOTIC, Emotions, MultiClassEmotions
from dsct_detrex.weights import Provenance, load_release, save_release, writing

CONFIG = "model:\n  num_subjects: 4\nemotions: {name: emotic}  # größer\n"


def weights() -> dict[str, Tensor]:
    shared = torch.randn(3, 5)
    return {
        "heads.class_embed.weight": shared,
        "host.class_embed.weight": shared,
        "norm.running_var": torch.tensor([1e-9, 7e4, 1.0]),
        "counter": torch.tensor(12),
        "half_of_it": shared[:, :2],
        "empty": torch.zeros(0, 4),
    }


def test_everything_comes_back(tmp_path: Path) -> None:
    provenance = Provenance("train.py --config-file x.py", 12, {"emotion/mAP": 0.3621})
    saved, path = weights(), tmp_path / "new folder" / "best.safetensors"
    save_release(path, saved, EMOTIC, CONFIG, [i / 26 for i in range(26)], provenance)
    loaded = load_release(path)
    assert loaded.state_dict.keys() == saved.keys()
    for name, tensor in saved.items():
        torch.testing.assert_close(loaded.state_dict[name], tensor, atol=0, rtol=0)
    assert loaded.emotions == EMOTIC
    assert loaded.config == CONFIG
    assert loaded.thresholds == tuple(i / 26 for i in range(26))
    assert loaded.provenance == provenance
    assert loaded.provenance.package_version


@pytest.mark.parametrize("emotions", [CAER_S, MultiClassEmotions("moods", ("good", "bad"))])
def test_label_sets_of_any_kind_and_name(emotions: Emotions, tmp_path: Path) -> None:
    save_release(tmp_path / "a.safetensors", weights(), emotions, "")
    loaded = load_release(tmp_path / "a.safetensors")
    assert loaded.emotions == emotions
    assert loaded.thresholds is None


def test_tied_tensors_are_stored_once_and_tied_again(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_release(path, weights(), EMOTIC, "")
    stored = safetensors.torch.load_file(path)
    assert "host.class_embed.weight" not in stored
    loaded = load_release(path).state_dict
    assert loaded["host.class_embed.weight"].data_ptr() == loaded["heads.class_embed.weight"].data_ptr()
    assert loaded["half_of_it"].data_ptr() != loaded["heads.class_embed.weight"].data_ptr()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_files_return_float32(dtype: torch.dtype, tmp_path: Path) -> None:
    saved = {**weights(), "large": torch.full((2, 2), 1e6)}
    path = tmp_path / "small.safetensors"
    save_release(path, saved, EMOTIC, "", dtype=dtype)
    stored = safetensors.torch.load_file(path)
    assert stored["heads.class_embed.weight"].dtype == dtype
    assert stored["norm.running_var"].dtype == torch.float32
    loaded = load_release(path).state_dict
    assert {t.dtype for name, t in loaded.items() if name != "counter"} == {torch.float32}
    expected = saved["heads.class_embed.weight"].to(dtype).float()
    torch.testing.assert_close(loaded["heads.class_embed.weight"], expected, atol=0, rtol=0)
    torch.testing.assert_close(loaded["norm.running_var"], saved["norm.running_var"], atol=0, rtol=0)
    torch.testing.assert_close(loaded["large"], saved["large"], rtol=1e-2, atol=0)
    assert loaded["counter"].item() == 12


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "best.safetensors"
    save_release(path, weights(), EMOTIC, "old")

    def half_written(_tensors: object, target: str, _metadata: object) -> None:
        Path(target).write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(writing, "save_file", half_written)
    with pytest.raises(OSError, match="no space left"):
        save_release(path, weights(), EMOTIC, "new")
    assert load_release(path).config == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["best.safetensors"]


def test_damaged_files_are_refused_at_every_length(tmp_path: Path) -> None:
    path, cut = tmp_path / "a.safetensors", tmp_path / "cut.safetensors"
    save_release(path, weights(), EMOTIC, CONFIG)
    content = path.read_bytes()
    for length in (0, 4, 8, 9, 100, len(content) // 2, len(content) - 1):
        cut.write_bytes(content[:length])
        with pytest.raises(UserError, match=r"load_release: .*cut.safetensors is damaged or no safetensors file"):
            load_release(cut)


def test_files_that_are_no_release(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"load_release: .*none.safetensors is not a file"):
        load_release(tmp_path / "none.safetensors")
    plain = tmp_path / "plain.safetensors"
    safetensors.torch.save_file({"a": torch.zeros(1)}, plain)
    with pytest.raises(UserError, match=r"holds weights but no label set or config"):
        load_release(plain)


def test_a_newer_format_or_a_spoilt_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    safetensors.torch.save_file({"a": torch.zeros(1)}, path, {"dsct_detrex": json.dumps({"format_version": 99})})
    with pytest.raises(UserError, match=r"has format version 99, .* reads up to 2; upgrade the package"):
        load_release(path)
    for spoilt in ("{", json.dumps({"format_version": 1}), "[]"):
        safetensors.torch.save_file({"a": torch.zeros(1)}, path, {"dsct_detrex": spoilt})
        with pytest.raises(UserError, match=r"load_release: the header of .*a.safetensors is damaged"):
            load_release(path)


def test_wrong_arguments(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with pytest.raises(
        ValueError, match=r"save_release\(path=\) expects a name that ends in .safetensors. Got 'a.pth'."
    ):
        save_release(tmp_path / "a.pth", weights(), EMOTIC, "")
    with pytest.raises(ValueError, match=r"save_release\(state_dict=\) expects at least one tensor. Got none."):
        save_release(path, {}, EMOTIC, "")
    with pytest.raises(ValueError, match=r"save_release\(dtype=\) expects a floating point type. Got torch.int8."):
        save_release(path, weights(), EMOTIC, "", dtype=torch.int8)
    with pytest.raises(ValueError, match=r"save_release\(thresholds=\) expects one for each of 26 emotions. Got 7."):
        save_release(path, weights(), EMOTIC, "", [0.5] * 7)
    assert not path.exists()


def test_a_release_is_as_readable_as_any_other_new_file(tmp_path: Path) -> None:
    save_release(tmp_path / "a.safetensors", weights(), CAER_S, CONFIG)
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "a.safetensors").stat().st_mode == (tmp_path / "plain").stat().st_mode
