"""From blocks of configs to the rows of a page: one section for each thing that configs call, one row a key."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

from dsct_detrex.engine.settings import TrainSettings
from dsct_detrex.reference.docstrings import meanings
from dsct_detrex.reference.values import code, dotted
from dsct_detrex.reference.walk import Block, blocks
from dsct_detrex.reference.words import DETREX, HOST_WORDS, PLAIN

_OWN_HELPERS = re.compile(r"\.(backbone|in_channels|input_shapes)\.")  # of hosts, what detrex builds in other words
_READ = re.compile(r"\$\{(?:oc\.select:)?([a-z_]\w*(?:\.\w+)*)(?:,\w+)?\}")


@dataclasses.dataclass(frozen=True)
class Key:
    """A row.

    Attributes:
        name: the dotted key; a leading ``+`` says that configs leave it out.
        default: its value or values as Markdown.
        meaning: empty where nobody says it.
        detrex: what detrex calls it; empty where it has nothing of the kind.
    """

    name: str
    default: str
    meaning: str
    detrex: str


@dataclasses.dataclass(frozen=True)
class Section:
    """A table.

    Attributes:
        place: the key of its blocks, as ``joined`` writes several.
        about: the hosts they belong to, or the name of what they call.
        called: what they call, as Markdown; empty for plain blocks.
        keys: rows.
    """

    place: str
    about: str
    called: str
    keys: tuple[Key, ...]


def sections() -> list[Section]:
    """The whole page, in the order of ``walk.blocks``."""
    found = blocks()
    read = _readers(found)
    groups: dict[Any, list[Block]] = {}
    for block in found:
        keyless = not block.values and not _is_ours(block.target)
        if not keyless and (block.target is not None or not _is_value(block, found)):
            groups.setdefault(_kind(block), []).append(block)
    return [_section(members, read) for members in groups.values()]


def _kind(block: Block) -> Any:
    """What blocks of one table share: what they call, equally deep; of hosts the place, and arguments that mean the
    same."""
    if not block.place.startswith("hosts."):
        return block.target or block.place, block.place.count(".")
    said = meanings(block.target)
    return block.place, frozenset((name, said.get(name)) for name in {*block.values, *_defaults(block.target)})


def _is_value(block: Block, found: Iterable[Block]) -> bool:
    """Whether a plain mapping is the value of a key rather than a block of keys."""
    if block.place.startswith("train"):
        return block.place != "train"
    parent, _, _ = block.place.rpartition(".")
    inside = any(other.place == parent and other.variant == block.variant for other in found)
    holds_blocks = any(isinstance(value, dict) and "_target_" in value for value in block.values.values())
    return not block.values or (inside and not holds_blocks)


def _section(members: list[Block], read: dict[str, str]) -> Section:
    if members[0].place == "train":
        return Section("train", "", "", tuple(_train_keys(TrainSettings, "train", members[0].values)))
    target = members[0].target
    names = dict.fromkeys(name for block in members for name in block.values)
    added = [name for name in _defaults(target) if name not in names] if _is_ours(target) else []
    place = joined(sorted({block.place for block in members}, key=[block.place for block in members].index))
    rows = []
    for name in [*names, *added]:
        key = f"{members[0].place}.{name}"
        meaning = _meaning(name, key, target) or read.get(key, "")
        rows.append(Key(f"{'+' * (name in added)}{place}.{name}", _default(name, members), meaning, _detrex(key)))
    hosts = place.startswith("hosts.")
    about = ", ".join(dict.fromkeys(block.variant for block in members)) if hosts else dotted(target).rpartition(".")[2]
    return Section(place, about, _called(members), tuple(rows))


def joined(places: list[str]) -> str:
    """``a.{b,c}.d`` for ``a.b.d`` and ``a.c.d``."""
    parts = [place.split(".") for place in places]
    if len({len(part) for part in parts}) > 1:
        return ", ".join(places)
    return ".".join(_braced(list(dict.fromkeys(column))) for column in zip(*parts, strict=True))


def _braced(names: list[str]) -> str:
    return names[0] if len(names) == 1 else "{" + ",".join(names) + "}"


def _called(members: list[Block]) -> str:
    """What a table's blocks call, and which hosts where they differ."""
    called: dict[str, list[str]] = {}
    for block in members:
        called.setdefault(dotted(block.target), []).append(block.variant)
    if "" in called:
        return ""
    hosts = members[0].place.startswith("hosts.") and len(called) > 1
    return "; ".join(f"`{name}`{_of(variants) if hosts else ''}" for name, variants in called.items())


def _of(names: Iterable[str]) -> str:
    listed = ", ".join(dict.fromkeys(filter(None, names)))
    return f" ({listed})" if listed else ""


def _meaning(name: str, key: str, target: Any) -> str:
    if key in PLAIN:
        return PLAIN[key]
    if target is None:
        return ""
    if not _is_ours(target):
        return f"as of `{dotted(target)}`"
    parameters = inspect.signature(target).parameters
    taken = [name] if name in parameters else [p.name for p in parameters.values() if p.kind is p.VAR_KEYWORD]
    found = next(filter(None, map(meanings(target).get, taken)), "")
    return found or (HOST_WORDS.get(name, "") if key.startswith("hosts.") else "")


def _detrex(key: str) -> str:
    if key.startswith("hosts.") and not _OWN_HELPERS.search(key):
        return f"`model.{key.removeprefix('hosts.*.')}`"
    return DETREX.get(key, "")


def _train_keys(kind: type, prefix: str, values: Mapping[str, Any]) -> Iterable[Key]:
    said = meanings(kind)
    for field in dataclasses.fields(kind):
        key, given = f"{prefix}.{field.name}", field.name in values
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        if dataclasses.is_dataclass(default):
            yield from _train_keys(type(default), key, values.get(field.name, {}))
        else:
            shown = code(values.get(field.name, default))
            yield Key(key if given else f"+{key}", shown, said.get(field.name, ""), DETREX.get(key, ""))


def _default(name: str, members: list[Block]) -> str:
    """One value; or each with the hosts, data sets or places that have it, the most common first."""
    having: dict[str, list[Block]] = {}
    for block in members:
        defaults = _defaults(block.target)
        left_out = code(defaults[name]) if name in defaults else "–"
        having.setdefault(code(block.values[name]) if name in block.values else left_out, []).append(block)
    if len(having) == 1:
        return next(iter(having))
    by_place = _tells(having.values(), "place")
    attribute = "place" if by_place and not _tells(having.values(), "variant") else "variant"
    apart = _distinct([block.place for block in members])
    ordered = sorted(having.items(), key=lambda item: -len(item[1]))
    return "; ".join(
        value + _of(apart[block.place] if attribute == "place" else block.variant for block in blocks)
        for value, blocks in ordered
    )


def _tells(groups: Iterable[list[Block]], attribute: str) -> bool:
    """Whether an attribute alone says which group a block is in."""
    seen = [{getattr(block, attribute) for block in group} for group in groups]
    return sum(map(len, seen)) == len(set().union(*seen))


def _distinct(places: list[str]) -> dict[str, str]:
    """Place -> the parts of it that not all places have."""
    shared = set.intersection(*(set(place.split(".")) for place in places))
    return {place: ".".join(part for part in place.split(".") if part not in shared) or place for place in places}


def _defaults(target: Any) -> dict[str, Any]:
    if target is None:
        return {}
    parameters = inspect.signature(target).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty and not p.name.startswith("_")}


def _readers(found: Iterable[Block]) -> dict[str, str]:
    """Key -> the meaning of the argument that is nothing but its value."""
    read: dict[str, str] = {}
    for block in found:
        said = meanings(block.target) if block.target else {}
        for name, value in block.values.items():
            match = _READ.fullmatch(value) if isinstance(value, str) else None
            if match and said.get(name):
                read.setdefault(match[1], said[name])
    return read


def _is_ours(target: Any) -> bool:
    return target is not None and target.__module__.startswith("dsct_detrex.")
