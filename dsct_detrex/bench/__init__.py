"""``dsct bench``: candidates for the same work, timed in turns, beside what this machine could do at best."""
