"""What must not happen, tried: runs that lose something, hang, leak or count twice.

Tests call with small numbers what modules here do at full size: ``python -m tests.reliability.<name> --help``.
"""
