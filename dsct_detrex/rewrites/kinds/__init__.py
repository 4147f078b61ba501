"""One file for each rewrite; each names its classes in ``REWRITES``."""
