"""A figure a file, called as ``--figure`` calls it."""
