"""Splits for a data set that has no official ones: a picture's name decides, and nothing else.

All people of a picture are in one split, every machine and every run divide alike, and pictures that are added or
removed move no other.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from dsct_detrex.data.fields import number
from dsct_detrex.errors import UserError
from dsct_detrex.names import SPLITS

SHARES = (0.7, 0.1, 0.2)
"""Of the pictures, for train, val and test; those of the DSCT paper for CAER-S."""


def check_shares(shares: object, owner: str) -> tuple[float, ...]:
    """``shares`` if they are those of train, val and test.

    Raises:
        UserError: not three numbers from 0 on that add up to 1; the message names ``owner``, whose argument it is.
    """
    listed = list(shares) if isinstance(shares, Sequence) and not isinstance(shares, str) else []
    found = tuple(share for share in map(number, listed) if share is not None and share >= 0)
    if len(found) != len(listed) or len(found) != len(SPLITS) or not math.isclose(sum(found), 1, abs_tol=1e-6):
        raise UserError(
            f"{owner}(shares=) expects three shares, of train, val and test, that add up to 1, such as "
            f"{list(SHARES)}. Got {listed or shares!r}."
        )
    return found


def split_of(picture: str, shares: Sequence[float] = SHARES) -> str:
    """The split of a picture.

    Args:
        picture: its name, without folders that may differ between disks.
        shares: see ``check_shares``.
    """
    place = int.from_bytes(hashlib.sha256(picture.encode()).digest()[:8], "big") / 2**64
    last = max(index for index, share in enumerate(shares) if share > 0)
    return next(split for i, split in enumerate(SPLITS) if i == last or place < sum(shares[: i + 1]))
