"""The command ``dsct``: words in, options out; the work is named in a table and imported when it is wanted.

Nothing here imports torch or another room, so that ``--help`` answers at once and any room may use the parsers.
"""
