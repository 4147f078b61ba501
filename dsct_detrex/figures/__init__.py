"""Figures: what a model sees, drawn as in the paper; every figure is a file in ``kinds``."""
