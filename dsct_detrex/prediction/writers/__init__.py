"""Tables of rows in formats of others; files without a leading ``_`` are named as ``--format``."""
