"""How pages write large numbers and times: as the terminal does."""

from dsct_detrex.evaluation.formatting import duration, millions

__all__ = ["duration", "millions"]
