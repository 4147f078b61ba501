"""All emotions of one person as bars of a page, those that the person shows in bold."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from dsct_detrex.structures import Person


def bars_html(person: Person, color: str, thresholds: Sequence[float] | None = None) -> str:
    """The probabilities of a person.

    Args:
        person: whose.
        color: of the bars, ``#rrggbb``: that of the person's box.
        thresholds: K least probabilities of an emotion that is shown, in the order of the label set; each is a mark on
            its bar. None: the most probable emotion is shown, whatever its probability.
    """
    marks = dict(zip(person.probabilities, thresholds or (), strict=False))
    ordered = sorted(person.probabilities.items(), key=lambda entry: -entry[1])
    rows = "".join(_row(name, value, name in person.emotions, marks.get(name)) for name, value in ordered)
    return f'<table class="bars" style="--person: {color}"><tbody>{rows}</tbody></table>'


def _row(name: str, value: float, shown: bool, threshold: float | None) -> str:
    mark = "" if threshold is None else f'<i class="mark" style="left: {100 * threshold:.1f}%"></i>'
    kind = "shown" if shown else "unshown"
    return (
        f'<tr class="{kind}"><th scope="row">{escape(name)}</th>'
        f'<td class="track"><div><b style="width: {100 * value:.1f}%"></b>{mark}</div></td>'
        f'<td class="number">{100 * value:.0f} %</td></tr>'
    )
