"""Pictures as the model reads them."""

from __future__ import annotations

from collections.abc import Sequence

from dsct_detrex.visualization.blocks import Gallery, Section

_LEAD = "What {} reads. Solid boxes and chips are predictions, dashed white boxes are annotations."


def pictures(galleries: Sequence[Gallery], name: str, chosen_by: str = "") -> Section | None:
    """One gallery under the other; None without a picture.

    Args:
        name: of the run that reads.
        chosen_by: a sentence on how the pictures were chosen.
    """
    shown = [gallery for gallery in galleries if gallery.pictures]
    if not shown:
        return None
    return Section("pictures", "Pictures", shown, " ".join(filter(None, (_LEAD.format(name), chosen_by))))
