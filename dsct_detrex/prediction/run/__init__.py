"""One run of ``dsct predict``: its folder, its loop, its tables, and how it is split, interrupted and gone on with."""
