"""What was measured as plain data: the content of ``explanation.json``, read by the table, the page and the plots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dsct_detrex.explain.checkpoint import Subject
from dsct_detrex.explain.groups import GROUPS
from dsct_detrex.explain.measuring import Measured

SCHEMA = 1
"""A change that breaks readers counts it up."""


def row_of(name: str, subject: Subject, measured: Measured) -> dict[str, Any]:
    """One checkpoint.

    Keys: ``name``, ``weights`` (the file, and which of its weights), ``scenes`` (what was drawn), ``images``,
    ``people``, ``found``, ``note`` (why there are no shares; empty where there are), ``shares`` (rows of
    ``tally.ShareTally.table``), ``changes`` (rows of ``changes.summary``).
    """
    return {
        "name": name,
        "weights": subject.origin,
        "scenes": subject.scenes.description,
        "images": measured.images,
        "people": measured.people,
        "found": measured.found,
        "note": _note(subject, measured),
        "shares": measured.shares,
        "changes": measured.changes,
    }


def _note(subject: Subject, measured: Measured) -> str:
    if measured.shares:
        return ""
    if not subject.fuses:
        return "takes in no contexts, so there is no weight to be shared"
    return "found nobody, so nobody's contexts can be looked at"


def content(command: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The whole file: ``schema``, ``command``, ``groups`` (order of the numbers of a share), ``checkpoints``."""
    return {"schema": SCHEMA, "command": command, "groups": list(GROUPS), "checkpoints": list(rows)}
