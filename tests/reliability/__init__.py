"""What must not happen, tried: runs that lose something, hang, leak or count twice; files that would run code.

Tests call with small numbers what modules here do at full size: ``python -m tests.reliability.<name> --help``. Cases
that are drawn are few in ``make test``; ``DSCT_CASES=20`` draws twenty times as many, and others each time.
"""
