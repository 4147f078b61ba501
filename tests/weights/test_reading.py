"""Any file a user may give: read safely, or refused in a sentence that helps."""

import argparse
import io
import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from dsct_detrex.errors import UserError
from dsct_detrex.structures import EMOTIC
from dsct_detrex.weights import read_checkpoint, save_release


def weights() -> dict[str, Tensor]:
    return {"host.transformer.level_embeds": torch.randn(4, 8), "heads.class_embed.bias": torch.randn(27)}


def arrays() -> dict[str, np.ndarray[Any, Any]]:
    return {"stem.conv1.weight": np.ones((2, 3), np.float32), "res2.0.conv1.weight": np.zeros((4, 1), np.float32)}


class Malicious:
    """Unpickling it would create a file; nothing may."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.marker}",)


def saved(path: Path, content: Any, **options: Any) -> Path:
    torch.save(content, path, **options)
    return path


def pickled(path: Path, content: Any, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


def test_our_release(tmp_path: Path) -> None:
    save_release(tmp_path / "a.safetensors", weights(), EMOTIC, "text")
    checkpoint = read_checkpoint(tmp_path / "a.safetensors")
    assert checkpoint.kind == "release"
    assert checkpoint.extras["release"].config == "text"
    assert checkpoint.state_dict.keys() == weights().keys()


def test_a_plain_safetensors_file_under_any_suffix(tmp_path: Path) -> None:
    safetensors.torch.save_file(weights(), tmp_path / "a.bin")
    assert read_checkpoint(tmp_path / "a.bin").kind == "dsct"


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_training_checkpoints_keep_what_stands_beside_the_weights(zipped: bool, tmp_path: Path) -> None:
    content = {"model": OrderedDict(weights()), "iteration": 7, "optimizer": {"state": {}, "param_groups": []}}
    path = saved(tmp_path / "model.pth", content, _use_new_zipfile_serialization=zipped)
    checkpoint = read_checkpoint(str(path))
    assert checkpoint.kind == "dsct"
    assert checkpoint.extras == {"iteration": 7, "optimizer": {"state": {}, "param_groups": []}}
    torch.testing.assert_close(checkpoint.state_dict, dict(content["model"]))


def test_official_checkpoints_carry_their_arguments(tmp_path: Path) -> None:
    args = argparse.Namespace(lr=2e-4, dec_n_sp=8)
    path = saved(tmp_path / "dsct.pth", {"model": {"query_embed_dsct.weight": torch.zeros(4, 8)}, "args": args})
    checkpoint = read_checkpoint(path)
    assert checkpoint.kind == "dsct_official"
    assert checkpoint.extras["args"].dec_n_sp == 8
    assert argparse.Namespace not in torch.serialization.get_safe_globals()  # allowed for this one file only


def test_plain_state_dicts_with_and_without_ddp(tmp_path: Path) -> None:
    names = {"conv1.weight": torch.ones(1), "layer1.0.conv1.weight": torch.ones(2)}
    checkpoint = read_checkpoint(saved(tmp_path / "resnet.pth", names))
    assert checkpoint.kind == "torchvision_resnet"
    assert checkpoint.extras == {}
    wrapped = read_checkpoint(saved(tmp_path / "ddp.pth", {f"module.{k}": v for k, v in names.items()}))
    assert wrapped.state_dict.keys() == names.keys()


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model."])
def test_names_of_wrappers_are_taken_off(prefix: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pth", {"model": {prefix + name: tensor for name, tensor in weights().items()}})
    assert read_checkpoint(path).state_dict.keys() == weights().keys()


def test_a_name_that_only_some_tensors_share_is_no_wrapper(tmp_path: Path) -> None:
    names = {"module.a": torch.ones(1), "b": torch.ones(1)}
    assert read_checkpoint(saved(tmp_path / "a.pth", names)).state_dict.keys() == names.keys()


@pytest.mark.parametrize("key", ["ema", "ema_state", "model_ema"])
def test_a_weight_average_stands_beside_the_weights(key: str, tmp_path: Path) -> None:
    average = {name: tensor + 1 for name, tensor in weights().items()}
    both = {"model": weights(), key: {f"module.{n}": t for n, t in average.items()}, "iteration": 7}
    checkpoint = read_checkpoint(saved(tmp_path / "both.pth", both))
    assert checkpoint.state_dict.keys() == weights().keys()
    assert checkpoint.average is not None
    torch.testing.assert_close(checkpoint.average["heads.class_embed.bias"], both[key]["module.heads.class_embed.bias"])
    assert checkpoint.extras == {"iteration": 7}
    alone = read_checkpoint(saved(tmp_path / "alone.pth", {key: average}))
    torch.testing.assert_close(alone.state_dict, average)
    assert alone.average is None


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_detectron2_backbones_of_every_pickle_protocol(protocol: int, tmp_path: Path) -> None:
    content = {"model": OrderedDict(arrays()), "__author__": "torchvision", "matching_heuristics": True}
    checkpoint = read_checkpoint(pickled(tmp_path / "R-50.pkl", content, protocol))
    assert checkpoint.kind == "detectron2_resnet"
    assert checkpoint.extras["__author__"] == "torchvision"
    for name, array in arrays().items():
        torch.testing.assert_close(checkpoint.state_dict[name], torch.from_numpy(array))


def test_a_pickle_that_looks_like_safetensors_is_a_pickle(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    brace_at_8 = b"\x80\x02X\x02\x00\x00\x00a{0"  # a string that is thrown away
    path.write_bytes(brace_at_8 + pickle.dumps(arrays(), protocol=2)[2:])
    assert read_checkpoint(path).state_dict.keys() == arrays().keys()


def test_numpy_1_pickles_are_read(tmp_path: Path) -> None:
    path = pickled(tmp_path / "old.pkl", {"model": arrays()}, protocol=2)
    old = path.read_bytes().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    path.write_bytes(old)
    assert read_checkpoint(path).state_dict.keys() == arrays().keys()


@pytest.mark.parametrize("container", ["torch zip", "torch legacy", "pickle", "pickle in model"])
def test_a_file_that_would_run_code_is_refused_and_runs_none(container: str, tmp_path: Path) -> None:
    marker, path = tmp_path / "marker", tmp_path / "model.pth"
    trap = Malicious(marker)
    if container.startswith("torch"):
        saved(path, {"model": weights(), "args": trap}, _use_new_zipfile_serialization=container == "torch zip")
    else:
        pickled(path, {"model": {**arrays(), "x": trap}} if "model" in container else trap)
    message = r"asks for the Python object (posix|nt)\.system, .* was not opened. Where you trust it"
    with pytest.raises(UserError, match=message):
        read_checkpoint(path)
    assert not marker.exists()
    pickle.loads(pickle.dumps(trap))  # the trap itself works
    assert marker.exists()


@pytest.mark.parametrize(
    "name",
    ["builtins\neval", "numpy.testing._private.utils\nruncommand", "numpy\nload", "functools\npartial", "torch\nload"],
)
def test_names_beside_the_few_known_ones_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(b"\x80\x02c" + name.encode() + b"\n.")
    with pytest.raises(UserError, match=f"asks for the Python object {name.replace(chr(10), '.')}"):
        read_checkpoint(path)


def test_text_is_turned_to_bytes_by_latin1_only(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.")
    with pytest.raises(UserError, match=r"asks for the Python object _codecs.encode\('rot13'\)"):
        read_checkpoint(path)


def test_whole_pickled_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"asks for the Python object torch.nn.modules.linear.Linear"):
        read_checkpoint(saved(tmp_path / "model.pth", nn.Linear(2, 2)))


@pytest.mark.parametrize("container", ["zip", "legacy", "pickle", "safetensors"])
def test_truncated_files_are_refused_at_many_lengths(container: str, tmp_path: Path) -> None:
    path, buffer = tmp_path / "cut.pth", io.BytesIO()
    if container == "pickle":
        content = pickle.dumps({"model": arrays()})
    elif container == "safetensors":
        content = safetensors.torch.save(weights())
    else:
        torch.save({"model": weights()}, buffer, _use_new_zipfile_serialization=container == "zip")
        content = buffer.getvalue()
    for length in {*range(1, len(content), max(1, len(content) // 40)), len(content) - 1}:
        path.write_bytes(content[:length])
        # a name cut in half ("collections.Ordered") reads like a name that is not allowed
        with pytest.raises(UserError, match=r"read_checkpoint: .*cut.pth (is damaged|is no checkpoint|asks for)"):
            read_checkpoint(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"read_checkpoint: there is no file .*none.pth. Check the path"):
        read_checkpoint(tmp_path / "none.pth")
    with pytest.raises(UserError, match=r"R-50.pkl is an address, and nothing is downloaded here; fetch the file"):
        read_checkpoint("detectron2://ImageNetPretrained/torchvision/R-50.pkl")
    with pytest.raises(UserError, match=r"is a folder, a file is expected; it holds no checkpoint"):
        read_checkpoint(tmp_path)
    (tmp_path / "model_final.pth").touch()
    with pytest.raises(UserError, match=r"give one of the files in it, e.g. model_final.pth"):
        read_checkpoint(tmp_path)
    with pytest.raises(UserError, match=r"model_final.pth is empty \(0 bytes\)"):
        read_checkpoint(tmp_path / "model_final.pth")


def test_what_is_no_checkpoint(tmp_path: Path) -> None:
    page = tmp_path / "page.pth"
    page.write_text("<!DOCTYPE html><html>Not found</html>")
    with pytest.raises(UserError, match=r"is no checkpoint .*: it begins with b'<!DOCTYPE"):
        read_checkpoint(page)
    with pytest.raises(UserError, match=r"holds a list, a dict of tensors is expected"):
        read_checkpoint(saved(tmp_path / "list.pth", [1, 2]))
    with pytest.raises(UserError, match=r"holds no tensors under 'model' or 'state_dict' .* \(keys: epoch\)"):
        read_checkpoint(saved(tmp_path / "empty.pth", {"model": {}, "epoch": 3}))
    with pytest.raises(UserError, match=r"holds no tensors"):
        read_checkpoint(saved(tmp_path / "nothing.pth", {}))
    with pytest.raises(UserError, match=r"holds x as an array of object, numbers are expected"):
        read_checkpoint(pickled(tmp_path / "object.pkl", {"model": {"x": np.array([None, "a"])}}))
