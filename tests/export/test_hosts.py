"""Every host as an ONNX file and as a program: any batch, any size, the numbers of PyTorch, the model untouched."""

from dataclasses import dataclass
from pathlib import Path

import onnx
import onnxruntime
import pytest
import torch

from dsct_detrex.dsct import DSCT, FORMULAS, RelationalAggregation
from dsct_detrex.dsct.choices import Places
from dsct_detrex.dsct.relational_aggregation import Gather
from dsct_detrex.errors import UserError
from dsct_detrex.export import write_onnx
from dsct_detrex.export.checking import agreement, run_onnx
from dsct_detrex.export.tracing import lists
from dsct_detrex.layers import levels, row_column_attention
from dsct_detrex.ops import pytorch_backend
from dsct_detrex.prediction.export_header import HEADER_KEY, ExportHeader
from dsct_detrex.rewrites import rewrite
from dsct_detrex.structures import CAER_S
from tests.dsct.tiny import HOSTS, kind_of, tiny_dsct

BATCHES = ((1, 64, 96), (2, 96, 64), (3, 75, 75), (1, 130, 67))
"""(pictures, height, width): one picture and several, both orientations, sides that no stride divides."""
HEADER = ExportHeader(CAER_S, (0.5,) * 7, {"_target_": "dsct_detrex.data.eval_transforms", "size": 64})
PATCHED = (
    (levels, "make_levels"),
    (pytorch_backend, "read_levels"),
    (row_column_attention, "_weighted_sum"),
)


TEN = tuple(name for name in HOSTS if kind_of(name) == name)


@dataclass
class Exported:
    """A model, and what it was before its export."""

    model: DSCT
    weights: dict[str, torch.Tensor]
    file: Path


@pytest.fixture(scope="module", params=TEN)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp(request.param)
    torch.manual_seed(0)
    model = tiny_dsct(request.param).train()
    rewrite(model)  # as a predictor's model has them; they must not get into the file
    before = {name: value.clone() for name, value in model.state_dict().items()}
    there = [getattr(owner, name) for owner, name in PATCHED]
    standing = [module.__dict__.get("forward") for module in model.modules()]
    assert any(standing)
    write_onnx(model, folder / "a.onnx", HEADER)
    assert [getattr(owner, name) for owner, name in PATCHED] == there, "a patch outlived the export"
    assert [module.__dict__.get("forward") for module in model.modules()] == standing
    return Exported(model, before, folder / "a.onnx")


def test_there_are_ten() -> None:
    assert len(TEN) == 10


def test_the_file_computes_what_the_model_computes(exported: Exported) -> None:
    found = agreement(exported.model, run_onnx(str(exported.file)), BATCHES)
    assert found.largest < 1e-5, found.sentence()
    assert found.differences["logits"] < 1e-4


def test_the_model_stays_as_it_was(exported: Exported) -> None:
    assert exported.model.training
    state = exported.model.state_dict()
    assert state.keys() == exported.weights.keys()
    assert all(torch.equal(state[name], value) for name, value in exported.weights.items())


def test_the_onnx_file_is_valid_pure_and_described(exported: Exported) -> None:
    model = onnx.load(exported.file)
    onnx.checker.check_model(model)
    assert {node.domain for node in model.graph.node} <= {"", "ai.onnx"}
    session = onnxruntime.InferenceSession(str(exported.file), providers=["CPUExecutionProvider"])
    (images,) = session.get_inputs()
    assert (images.name, images.shape, images.type) == ("images", ["batch", 3, "height", "width"], "tensor(float)")
    assert [output.name for output in session.get_outputs()] == ["boxes", "scores", "probabilities", "logits"]
    assert ExportHeader.from_json(session.get_modelmeta().custom_metadata_map[HEADER_KEY]) == HEADER


@pytest.mark.parametrize("gather", ["contexts", "self"])
@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize(("k_spatial", "k_semantic"), [(6, 4), (0, 4), (6, 0), (0, 0), (99, 4)])
def test_lists_put_together_are_those_written_in_place(
    formula: str, k_spatial: int, k_semantic: int, gather: Gather
) -> None:
    aggregation = RelationalAggregation(formula, k_spatial, k_semantic, embed_dim=8, gather=gather)
    queries, points = torch.randn(2, 13, 8), torch.rand(2, 13, 2)
    products = queries[:, 10:] @ queries.transpose(1, 2)
    nearest, relevant = aggregation.choices(products, Places(points, 10))
    expected = aggregation.lists(products, nearest, relevant, None)
    assert torch.equal(lists(aggregation, products, nearest, relevant, None), expected)


def test_a_host_of_others_is_one_sentence() -> None:
    model = tiny_dsct("detr")
    model.host.transformer = torch.nn.Identity()
    message = (
        r"^export: only models on embedded hosts can be exported, whose transformers say what they would call their "
        r"decoder with \(decoder_inputs\)\. Got dsct_detrex\.hosts\.detr\.DETR\.$"
    )
    with pytest.raises(UserError, match=message):
        write_onnx(model, Path("a.onnx"), HEADER)
