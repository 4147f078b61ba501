"""Single-stage emotion recognition with decoupled subject and context queries (DSCT, arXiv:2404.17205).

DSCT is a plug-in: it appends learnable *subject queries* to the decoder of a detection transformer (the *host*),
lets them gather the host's own *context queries* in every decoder layer, and predicts people and their emotions
from the subjects alone. ``docs/architecture.md`` is the map of this package.
"""

__version__ = "0.1.0"
