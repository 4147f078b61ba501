"""Feed-forward blocks: golden numbers and names of detrex."""

import golden_io
import pytest
from torch import nn

from dsct_detrex.layers.mlp import FFN, MLP


@pytest.fixture(scope="module")
def golden():
    return golden_io.load("layers/ffn_mlp")


def make(golden, prefix):
    module = {
        "ffn.": lambda: FFN(16, 40),
        "ffn_prelu.": lambda: FFN(16, 40, activation=nn.PReLU()),
        "ffn3_plain.": lambda: FFN(16, 24, output_dim=10, num_fcs=3, add_identity=False),
        "mlp.": lambda: MLP(16, 24, 4, 3),
    }[prefix]()
    module.load_state_dict(golden.state_dict(prefix))
    return module.eval()


@pytest.mark.parametrize("name", ["ffn", "ffn_prelu", "ffn3_plain", "mlp"])
def test_matches_detrex(golden, name):
    out = make(golden, f"{name}.")(golden["in.x"])
    assert golden_io.max_abs_diff(out.detach(), golden[f"out.{name}"]) <= golden.meta["tolerance"]["abs"]


def test_explicit_identity_matches_detrex(golden):
    out = make(golden, "ffn.")(golden["in.x"], golden["in.identity"])
    assert golden_io.max_abs_diff(out.detach(), golden["out.ffn_identity"]) <= golden.meta["tolerance"]["abs"]


def test_activation_weight_is_one_parameter_under_two_names():
    ffn = FFN(4, 8, activation=nn.PReLU())
    names = dict(ffn.named_parameters(remove_duplicate=False))
    assert names["activation.weight"] is names["layers.0.1.weight"]


def test_one_linear_layer_is_no_feed_forward():
    with pytest.raises(ValueError, match=r"^FFN\(num_fcs=\) expects at least 2\. Got 1\.$"):
        FFN(4, 8, num_fcs=1)
