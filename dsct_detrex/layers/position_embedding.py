"""Where things are, as vectors: sine and learned embeddings of feature maps, sine embedding of points and boxes.

Source: DETR, arXiv:2005.12872, appendix (maps); Conditional DETR, arXiv:2108.06152, and DAB-DETR, arXiv:2201.12329
(points and boxes). Names and numbers as in ``detrex.layers.position_embedding``.
"""

import math

import torch
from torch import Tensor, nn


def _wavelengths(num_feats: int, temperature: float, device: torch.device) -> Tensor:
    """(num_feats,) divisors; channels 2i (sine) and 2i + 1 (cosine) share ``temperature ** (2i / num_feats)``."""
    channel = torch.arange(num_feats, dtype=torch.float32, device=device)
    divisors: Tensor = temperature ** (2 * torch.div(channel, 2, rounding_mode="floor") / num_feats)
    return divisors


def _sine_cosine(angles: Tensor) -> Tensor:
    """(..., F) angles to (..., F): sine of the even channels, cosine of the odd ones, interleaved."""
    return torch.stack([angles[..., 0::2].sin(), angles[..., 1::2].cos()], dim=-1).flatten(-2)


def get_sine_pos_embed(
    pos_tensor: Tensor, num_pos_feats: int = 128, temperature: float = 10000, exchange_xy: bool = True
) -> Tensor:
    """Sine embedding of each coordinate, side by side.

    Args:
        pos_tensor: (..., n) coordinates in [0, 1]: ``xy`` points, ``cxcywh`` boxes or any others.
        num_pos_feats: channels for each coordinate.
        exchange_xy: put y before x in the result (points: y, x; boxes: y, x, w, h); needs both.

    Returns:
        (..., n * num_pos_feats).
    """
    if exchange_xy:
        pos_tensor = torch.cat([pos_tensor[..., 1:2], pos_tensor[..., :1], pos_tensor[..., 2:]], dim=-1)
    divisors = _wavelengths(num_pos_feats, temperature, pos_tensor.device)
    return _sine_cosine(pos_tensor[..., None] * (2 * math.pi) / divisors).flatten(-2)


def row_column_centres(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Where the rows and columns of a padded map lie, as shares of its valid part.

    Args:
        mask: (B, H, W) bool, True = padding, right and below.

    Returns:
        (B, H) y of the rows' centres and (B, W) x of the columns', in [0, 1] of the unpadded image; padded ones repeat
        the last.
    """
    valid = ~mask
    y, x = (line.cumsum(1, dtype=torch.float32) for line in (valid[:, :, 0], valid[:, 0]))
    return (y - 0.5) / y[:, -1:], (x - 0.5) / x[:, -1:]


class PositionEmbeddingSine(nn.Module):
    """Sine embedding of the rows and columns of a padded map, counted over valid positions.

    Args:
        num_pos_feats: channels for each axis.
        temperature: the longest wave is this many times the shortest.
        scale: full angle of the normalised axis; unused without ``normalize``.
        eps: keeps the division finite where a whole row or column is padding (the values there mean nothing).
        offset: added to the counts before normalising; -0.5 puts positions at pixel centres (Deformable DETR).
        normalize: divide the counts by the number of valid rows or columns.

    Raises:
        ValueError: an argument that is not one positive number where it has to be.
    """

    def __init__(
        self,
        num_pos_feats: int = 64,
        temperature: float = 10000,
        scale: float = 2 * math.pi,
        eps: float = 1e-6,
        offset: float = 0.0,
        normalize: bool = False,
    ) -> None:
        super().__init__()
        if isinstance(scale, bool) or not isinstance(scale, (int, float)):
            raise ValueError(f"PositionEmbeddingSine(scale=) expects one number, an angle. Got {scale!r}.")
        for name, value in (("num_pos_feats", num_pos_feats), ("temperature", temperature)):
            if not value > 0:
                raise ValueError(f"PositionEmbeddingSine({name}=) expects a positive number. Got {value}.")
        self.num_pos_feats = num_pos_feats
        self.temperature = temperature
        self.scale = scale
        self.eps = eps
        self.offset = offset
        self.normalize = normalize

    def forward(self, mask: Tensor) -> Tensor:
        """(B, H, W) bool, True = padding, to (B, 2 * num_pos_feats, H, W): first the y half, then the x half."""
        valid = ~mask
        rows = valid.cumsum(1, dtype=torch.float32)
        columns = valid.cumsum(2, dtype=torch.float32)
        if self.normalize:
            rows = (rows + self.offset) / (rows[:, -1:, :] + self.eps) * self.scale
            columns = (columns + self.offset) / (columns[:, :, -1:] + self.eps) * self.scale
        divisors = _wavelengths(self.num_pos_feats, self.temperature, mask.device)
        y, x = (_sine_cosine(axis[..., None] / divisors) for axis in (rows, columns))
        return torch.cat([y, x], dim=-1).permute(0, 3, 1, 2)


class PositionEmbeddingLearned(nn.Module):
    """One learned vector for each row and each column of a map.

    Args:
        num_pos_feats: channels for each axis.
        row_num_embed: largest number of rows.
        col_num_embed: largest number of columns.
    """

    def __init__(self, num_pos_feats: int = 256, row_num_embed: int = 50, col_num_embed: int = 50) -> None:
        super().__init__()
        self.row_embed = nn.Embedding(row_num_embed, num_pos_feats)
        self.col_embed = nn.Embedding(col_num_embed, num_pos_feats)
        nn.init.uniform_(self.row_embed.weight)
        nn.init.uniform_(self.col_embed.weight)

    def forward(self, mask: Tensor) -> Tensor:
        """(B, H, W) bool (only its shape matters) to (B, 2 * num_pos_feats, H, W): first the x half, then the y half.

        Raises:
            ValueError: the map has more rows or columns than there are vectors.
        """
        batch, height, width = mask.shape
        most = (self.row_embed.num_embeddings, self.col_embed.num_embeddings)
        if height > most[0] or width > most[1]:
            raise ValueError(f"PositionEmbeddingLearned expects maps of at most {most}. Got {(height, width)}.")
        x = self.col_embed.weight[:width].expand(height, -1, -1)
        y = self.row_embed.weight[:height, None].expand(-1, width, -1)
        return torch.cat([x, y], dim=-1).permute(2, 0, 1).expand(batch, -1, -1, -1)
