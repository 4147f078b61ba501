"""The sections as one page of Markdown."""

from __future__ import annotations

import re

from dsct_detrex.reference.keys import Key, Section, sections

REFRESH = "python -m dsct_detrex.reference"

_HEAD = f"""# All keys

Every key of the configs, made by `{REFRESH}` from the configs themselves and the docstrings of what they
build; a test compares. Whatever stands here is an override, in a file or on the command line: `train.max_epoch=20`.

* A key with `+` in front is left out by the configs; give it with the `+`.
* `hosts.*` is any host: `hosts.dino.num_queries=300`; `a.{{b,c}}.d` are the keys `a.b.d` and `a.c.d`.
* `${{a.b}}` takes the value of the key `a.b`.
* Where a row has several values, those in brackets say whose they are: of a host, a data set or a loader.
* In the column *detrex*: what a config of detrex's calls it; nothing where it has no such key.
* *None* in a meaning is `null` in a config.
"""

_COLUMNS = ("| key | default | meaning | detrex |", "|---|---|---|---|")


def config_page() -> str:
    """The text of ``docs/config.md``."""
    return "\n".join([_HEAD, *map(_table, sections())])


def _table(section: Section) -> str:
    lines = [f"## `{section.place}`{section.about and f': {section.about}'}", ""]
    lines += [f"Calls {section.called}.", ""] if section.called else []
    rows = [*_COLUMNS, *map(_row, section.keys)] if section.keys else ["It has no keys."]
    return "\n".join([*lines, *rows, ""])


def _row(key: Key) -> str:
    cells = (f"`{key.name}`", key.default, re.sub(r"``(.+?)``", r"`\1`", key.meaning), key.detrex)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
