"""Tests of ``dsct_detrex.config``; a package, so that ``callables.py`` has an importable name."""
