"""Cells that weigh class, L1 and GIoU differently: in the losses (Table 3) or in the matching costs (Table 11)."""

from .notes import paper


def weight_cells(keys, weights):
    """A cell for each triple of weights; the first is the full model's.

    Args:
        keys: of the config, for class, L1 and GIoU.
        weights: triples of numbers.
    """
    return [
        dict(
            name="class{}_l1{}_giou{}".format(*triple),
            label="{}, {}, {}".format(*triple),
            overrides=[f"{key}={weight}" for key, weight in zip(keys, triple)],
            paper=paper.full_model if triple == weights[0] else None,
        )
        for triple in weights
    ]
