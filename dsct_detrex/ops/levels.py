"""Where the feature maps lie inside the flattened values: read from tensors and checked."""

from torch import Tensor


def read_levels(shapes: Tensor, starts: Tensor, cells: int) -> list[tuple[int, int, int]]:
    """Height, width and first position of every level, as integers; waits for the device if the tensors live on one.

    Args:
        shapes: (L, 2) int64, height and width of each level in cells.
        starts: (L,) int64, position of each level's first cell.
        cells: number of positions there are.

    Raises:
        ValueError: a level is empty or reaches outside the positions.
    """
    levels = [(height, width, start) for (height, width), start in zip(shapes.tolist(), starts.tolist())]
    for height, width, start in levels:
        if height < 1 or width < 1 or start < 0 or start + height * width > cells:
            raise ValueError(
                f"multi_scale_deformable_attn: the level of {height} x {width} cells from position {start} on does "
                f"not fit into value with {cells} positions; check spatial_shapes and level_start_index."
            )
    return levels
