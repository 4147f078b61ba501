"""Every host as an ONNX file and as a program: any batch, any size, the numbers of PyTorch, the model untouched."""

from dataclasses import dataclass
from pathlib import Path

import onnx
import onnxruntime
import pytest
import torch

from dsct_detrex.dsct import DSCT
from dsct_detrex.export import program_of, write_onnx, write_program
from dsct_detrex.export.checking import Run, agreement, run_onnx, run_program
from dsct_detrex.layers import levels, row_column_attention
from dsct_detrex.ops import pytorch_backend
from dsct_detrex.prediction.export_header import HEADER_KEY, ExportHeader
from dsct_detrex.rewrites import rewrite
from dsct_detrex.structures import CAER_S
from tests.dsct.tiny import HOSTS, tiny_dsct

BATCHES = ((1, 64, 96), (2, 96, 64), (3, 75, 75), (1, 130, 67))
"""(pictures, height, width): one picture and several, both orientations, sides that no stride divides."""
HEADER = ExportHeader(CAER_S, (0.5,) * 7, {"_target_": "dsct_detrex.data.eval_transforms", "size": 64})
PATCHED = (
    (levels, "make_levels"),
    (pytorch_backend, "read_levels"),
    (row_column_attention, "_weighted_sum"),
)


@dataclass
class Exported:
    """A model, and what it was before its export."""

    model: DSCT
    weights: dict[str, torch.Tensor]
    onnx: Path
    program: Path


@pytest.fixture(scope="module", params=HOSTS)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp(request.param)
    torch.manual_seed(0)
    model = tiny_dsct(request.param).train()
    rewrite(model)  # as a predictor's model has them; they must not get into the file
    before = {name: value.clone() for name, value in model.state_dict().items()}
    there = [getattr(owner, name) for owner, name in PATCHED]
    program = program_of(model)
    write_onnx(program, folder / "a.onnx", HEADER)
    write_program(program, folder / "a.pt2", HEADER)
    assert [getattr(owner, name) for owner, name in PATCHED] == there, "a patch outlived the export"
    return Exported(model, before, folder / "a.onnx", folder / "a.pt2")


@pytest.mark.parametrize("kind", ["onnx", "program"])
def test_the_file_computes_what_the_model_computes(exported: Exported, kind: str) -> None:
    run: Run = run_onnx(str(exported.onnx)) if kind == "onnx" else run_program(str(exported.program))
    found = agreement(exported.model, run, BATCHES)
    print(kind, found.sentence())
    assert found.largest < 1e-4
    assert found.differences["logits"] < 1e-3


def test_the_model_stays_as_it_was(exported: Exported) -> None:
    assert exported.model.training
    state = exported.model.state_dict()
    assert state.keys() == exported.weights.keys()
    assert all(torch.equal(state[name], value) for name, value in exported.weights.items())


def test_the_onnx_file_is_valid_pure_and_described(exported: Exported) -> None:
    model = onnx.load(exported.onnx)
    onnx.checker.check_model(model)
    assert {node.domain for node in model.graph.node} <= {"", "ai.onnx"}
    session = onnxruntime.InferenceSession(str(exported.onnx), providers=["CPUExecutionProvider"])
    (images,) = session.get_inputs()
    assert (images.name, images.shape, images.type) == ("images", ["batch", 3, "height", "width"], "tensor(float)")
    assert [output.name for output in session.get_outputs()] == ["boxes", "scores", "probabilities", "logits"]
    assert ExportHeader.from_json(session.get_modelmeta().custom_metadata_map[HEADER_KEY]) == HEADER
