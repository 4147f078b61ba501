"""``dsct info --fusion``: what fusion adds to subjects in every decoder layer, and on which way contexts learn."""
