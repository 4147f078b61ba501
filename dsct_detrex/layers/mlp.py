"""The two fully connected blocks: ``FFN`` inside transformer layers, ``MLP`` in box and reference heads.

Source: DETR, arXiv:2005.12872; constructor and parameter names as in ``detrex.layers.{FFN,MLP}``.
"""

from itertools import pairwise

from torch import Tensor, nn


class FFN(nn.Module):
    """Feed-forward network of a transformer layer: ``identity + Linear(dropout(activation(Linear(x))))``.

    An activation with parameters (PReLU) is one module shared by all hidden layers and registered under ``activation``
    too, so its weight has several names in a state dict.

    Args:
        feedforward_dim: hidden width.
        output_dim: ``embed_dim`` if None.
        num_fcs: number of linear layers, at least 2.
        activation: a module instance, used as it is; ReLU if None.
        ffn_drop: dropout after every linear layer.
        add_identity: whether the input is added to the result.

    Raises:
        ValueError: fewer than two linear layers.
    """

    def __init__(
        self,
        embed_dim: int = 256,
        feedforward_dim: int = 1024,
        output_dim: int | None = None,
        num_fcs: int = 2,
        activation: nn.Module | None = None,
        ffn_drop: float = 0.0,
        fc_bias: bool = True,
        add_identity: bool = True,
    ) -> None:
        super().__init__()
        if num_fcs < 2:
            raise ValueError(f"FFN(num_fcs=) expects at least 2. Got {num_fcs}.")
        self.embed_dim = embed_dim
        self.feedforward_dim = feedforward_dim
        self.add_identity = add_identity
        self.activation = nn.ReLU(inplace=True) if activation is None else activation
        widths = [embed_dim] + [feedforward_dim] * (num_fcs - 1)
        hidden = [
            nn.Sequential(nn.Linear(n, k, bias=fc_bias), self.activation, nn.Dropout(ffn_drop))
            for n, k in pairwise(widths)
        ]
        last = nn.Linear(feedforward_dim, embed_dim if output_dim is None else output_dim, bias=fc_bias)
        self.layers = nn.Sequential(*hidden, last, nn.Dropout(ffn_drop))

    def forward(self, x: Tensor, identity: Tensor | None = None) -> Tensor:
        """(..., embed_dim) to (..., output_dim); ``identity``, shaped like the result, replaces ``x`` in the sum."""
        out: Tensor = self.layers(x)
        if not self.add_identity:
            return out
        return (x if identity is None else identity) + out


class MLP(nn.Module):
    """Linear layers with ReLU between them; no dropout, no identity."""

    def __init__(self, input_dim: int, hidden_dim: int, output_dim: int, num_layers: int) -> None:
        super().__init__()
        widths = [input_dim] + [hidden_dim] * (num_layers - 1) + [output_dim]
        self.num_layers = num_layers
        self.layers = nn.ModuleList(nn.Linear(n, k) for n, k in pairwise(widths))

    def forward(self, x: Tensor) -> Tensor:
        """(..., input_dim) to (..., output_dim)."""
        for layer in self.layers[:-1]:
            x = layer(x).relu()
        out: Tensor = self.layers[-1](x)
        return out
