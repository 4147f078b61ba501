"""One module for each data set that lies on a user's disk: its reader, and a ``CARD`` that says all else about it.

The catalogue finds the modules by looking into this folder; nothing is to be listed anywhere.
"""
