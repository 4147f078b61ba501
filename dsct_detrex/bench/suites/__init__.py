"""One file for each suite; the first line of its docstring says what it measures."""
