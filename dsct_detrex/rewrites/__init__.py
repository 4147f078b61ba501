"""Exact rewrites: the numbers of a module computed faster, its weights, keys and training left as they are."""

from dsct_detrex.rewrites.installing import Rewriting, chosen, names, plain_again, rewrite, rewritten
from dsct_detrex.rewrites.rewrite import Rewrite

__all__ = ["Rewrite", "Rewriting", "chosen", "names", "plain_again", "rewrite", "rewritten"]
