"""Sweeps: every table of the paper as one command, with measured numbers beside the paper's."""

from dsct_detrex.sweep.description import Cell, Sweep, load_sweep

__all__ = ["Cell", "Sweep", "load_sweep"]
