"""What must not happen, tried: bad data, bad numbers, files that would run code.

Cases that are drawn are few in ``make test``; ``DSCT_CASES=20`` draws twenty times as many, and others each time.
"""
