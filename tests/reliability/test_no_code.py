"""No file of data runs code: every door that opens a file, with a trap behind it that would be noticed."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from dsct_detrex.baselines import DetectedBoxes
from dsct_detrex.config import config_from_yaml, load_config
from dsct_detrex.data.sets.emotic import EmoticDataset
from dsct_detrex.engine.checkpoint import read_last
from dsct_detrex.info.weights_file import describe_file
from dsct_detrex.modalities import FrozenNetwork
from dsct_detrex.prediction.checkpoints import load
from dsct_detrex.weights import load_release, read_checkpoint
from tests.reliability.watched import deeds_of


class Trap:
    """Pickled as a call that leaves a mark."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.marker}",)


def torch_zip(trap: Trap) -> bytes:
    buffer = io.BytesIO()
    torch.save({"model": {"w": torch.ones(2)}, "format": "dsct_detrex.resume.1", "args": trap}, buffer)
    return buffer.getvalue()


def torch_legacy(trap: Trap) -> bytes:
    buffer = io.BytesIO()
    torch.save({"model": {"w": torch.ones(2)}, "args": trap}, buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


def detectron2_pickle(trap: Trap) -> bytes:
    return pickle.dumps({"model": {"stem.conv1.weight": np.ones(2, np.float32)}, "x": trap}, protocol=2)


def numpy_objects(trap: Trap) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([trap], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def numpy_archive(trap: Trap) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=np.array([trap], dtype=object))
    return buffer.getvalue()


def torch_script(trap: Trap) -> bytes:
    """A zip as TorchScript's, whose pickle of constants is the trap."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(trap, protocol=2))
        archive.writestr("archive/constants.pkl", pickle.dumps(trap, protocol=2))
        archive.writestr("archive/version", "3\n")
    return buffer.getvalue()


KINDS = [torch_zip, torch_legacy, detectron2_pickle, numpy_objects, numpy_archive, torch_script]


def _resume(path: Path) -> Any:
    path.rename(path.with_name("last.pth"))
    return read_last(path.parent)


DOORS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "convert, teachers, train.init_checkpoint": (".pth", read_checkpoint),
    "the same, whatever its suffix": (".safetensors", read_checkpoint),
    "predict, web, visualize": (".pth", load),
    "predict, a program of torch.export": (".pt2", load),
    "predict, ONNX": (".onnx", load),
    "info": (".pkl", describe_file),
    "releases": (".safetensors", load_release),
    "train --resume": (".pth", _resume),
    "frozen networks": (".pth", lambda path: FrozenNetwork("resnet18", ["layer1"], path).build("scene")),
    "boxes of a detector": (".json", lambda path: DetectedBoxes(str(path))),
    "settings": (".yaml", load_config),
    "EMOTIC's annotations": (".mat", lambda path: EmoticDataset(str(path.parent), "train", annotations=str(path))),
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("door", DOORS)
def test_no_door_opens_to_a_pickle_that_acts(door: str, kind: Callable[[Trap], bytes], tmp_path: Path) -> None:
    suffix, enter = DOORS[door]
    marker, path = tmp_path / "marker", tmp_path / f"trap{suffix}"
    (tmp_path / "mscoco").mkdir()
    path.write_bytes(kind(Trap(marker)))
    with pytest.raises(Exception, match=r"\w") as refused:  # whatever is raised: the mark is what counts here
        enter(path)
    assert not marker.exists()
    assert "Error" in type(refused.value).__name__


def test_the_trap_works(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    pickle.loads(pickle.dumps(Trap(marker)))
    assert marker.exists()


def test_the_watch_notices(tmp_path: Path) -> None:
    """What ``test_allow_list`` relies on."""
    (tmp_path / "secret").write_text("x")
    for work in (
        lambda: os.system("true"),
        lambda: (tmp_path / "new").write_text("x"),
        lambda: (tmp_path / "secret").read_text(),
        lambda: __import__("subprocess").run(["true"], check=False),
        lambda: __import__("urllib.request").request.urlopen("file:///etc/hostname"),
    ):
        deeds, _ = deeds_of(work)  # type: ignore[arg-type]
        assert deeds, work
    assert deeds_of(lambda: nn.Linear(2, 2)) == ([], "done")


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system ['{}']", "!!python/name:os.system", "!!python/module:os", "!x y"]
)
def test_yaml_makes_no_objects(tag: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    with pytest.raises(Exception, match="holds what a config may not"):
        config_from_yaml("a: " + tag.format(f"touch {marker}"))
    assert not marker.exists()


def test_an_onnx_file_reads_no_file_beside_it(tmp_path: Path) -> None:
    """Weights of ONNX may stand in other files; of a file from elsewhere they may not name any on this disk."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.full(4, 7.0, np.float32).tobytes())
    (tmp_path / "model").mkdir()
    for location in ("../secret.bin", str(secret), "link.bin"):
        (tmp_path / "model" / "link.bin").unlink(missing_ok=True)
        (tmp_path / "model" / "link.bin").symlink_to(secret)
        weight = onnx.TensorProto(name="w", data_type=1, dims=[4], data_location=onnx.TensorProto.EXTERNAL)
        weight.external_data.add(key="location", value=location)
        out = onnx.helper.make_tensor_value_info("boxes", 1, [4])
        node = onnx.helper.make_node("Identity", ["w"], ["boxes"])
        model = onnx.helper.make_model(
            onnx.helper.make_graph([node], "g", [], [out], [weight]), opset_imports=[onnx.helper.make_opsetid("", 17)]
        )
        model.ir_version = 8
        path = tmp_path / "model" / "a.onnx"
        path.write_bytes(model.SerializeToString())
        with pytest.raises(Exception, match=r"other files|outside|damaged or no ONNX") as refused:
            load(path)
        assert "without label set" not in str(refused.value), f"it was opened, with {location}"


def test_an_archive_is_never_unpacked() -> None:
    """No zip, tar or gzip is unpacked anywhere, so no name in one leads out of a folder; who adds that, adds a test."""
    package = Path(__file__).parents[2] / "dsct_detrex"
    for path in package.rglob("*.py"):
        text = path.read_text()
        for word in ("zipfile", "tarfile", "unpack_archive", "extractall", "shelve", "marshal", "dill", "joblib"):
            assert f"import {word}" not in text, path
            assert f".{word}(" not in text, path


_LOADERS = (
    "torch.load(",
    "pickle.load",
    "np.load(",
    "numpy.load(",
    "torch.jit.load",
    "torch.hub",
    "yaml.load(",
    "yaml.unsafe",
    "export.load(",
)
_KNOWN = {
    "weights/reading.py": 2,  # weights_only, and with a pickle_module of our own
    "engine/checkpoint.py": 1,  # weights_only
    "export/checking.py": 1,  # the program that this process has just written
}


def test_no_other_door_is_cut() -> None:
    """Whoever adds a loader of anything that can carry code comes by here."""
    package = Path(__file__).parents[2] / "dsct_detrex"
    found: dict[str, int] = {}
    for path in package.rglob("*.py"):
        lines = [
            line.split("#")[0]
            for line in path.read_text().splitlines()
            if not line.lstrip().startswith(("#", '"', "*"))
        ]
        times = sum(word in line for line in lines for word in _LOADERS if "``" not in line)
        if times:
            found[str(path.relative_to(package))] = times
    assert found == _KNOWN


def test_annotations_of_a_detector_are_json(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([{"image_id": 1, "bbox": [1, 2, 3, 4], "score": 10**400}]))
    with pytest.raises(Exception, match="expects a list of objects with image_id"):
        DetectedBoxes(str(tmp_path / "a.json"))
