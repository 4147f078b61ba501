"""What became of every tensor when weights met a model, told in a table that is short and one that is complete."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dsct_detrex.weights.formats import FORMATS
from dsct_detrex.weights.signatures import HOSTS

_SHOWN = 6


@dataclass(frozen=True)
class Mismatch:
    """A tensor whose place exists in another shape; the model keeps its fresh initialisation there."""

    name: str
    model_shape: tuple[int, ...]
    file_shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.model_shape}, the file has {self.file_shape}"


@dataclass(frozen=True)
class LoadReport:
    """What became of every tensor.

    Attributes:
        format: kind of model the file holds, a key of ``FORMATS``.
        loaded: model names that took their values from the file.
        renamed: those of ``loaded`` that the file calls otherwise: model name -> name in the file.
        reinitialised: model names whose shape differs.
        missing: model names without a counterpart; they keep their initialisation. A name tied to a loaded one is not
            missing.
        unexpected: names of the file without a place in the model.
        file_host: the host that the file's names are known by, a key of ``HOSTS``, or None.
        model_host: that of the model.
    """

    format: str
    loaded: tuple[str, ...]
    renamed: Mapping[str, str]
    reinitialised: tuple[Mismatch, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    file_host: str | None = None
    model_host: str | None = None

    def summary(self) -> str:
        """A table of five lines, and a note where file and model are different hosts; numbered layers are folded."""
        total = len(self.loaded) + len(self.reinitialised) + len(self.missing)
        rows = (
            ("loaded", len(self.loaded), f"of {total}, from {self.source()}"),
            ("renamed", len(self.renamed), _example_of_renaming(self.renamed)),
            ("re-initialised", len(self.reinitialised), "; ".join(str(m) for m in self.reinitialised[:4])),
            ("missing", len(self.missing), folded(self.missing)),
            ("unexpected", len(self.unexpected), folded(self.unexpected)),
        )
        lines = [f"{name:<15}{count:>5}  {detail}".rstrip() for name, count, detail in rows]
        if self.hosts_differ():
            lines.append(f"note: {self.difference()}")
        return "\n".join(lines)

    def by_module(self) -> str:
        """One line for each module of the model: how much of it was loaded, and the names of what was not."""
        loaded = Counter(module_of(name) for name in self.loaded)
        renamed = Counter(module_of(name) for name in self.renamed)
        shapes = Counter(module_of(mismatch.name) for mismatch in self.reinitialised)
        fresh = [*(mismatch.name for mismatch in self.reinitialised), *self.missing]
        lines = [f"{'module':<34}{'loaded':>12}{'renamed':>9}{'shape':>7}{'missing':>9}  not loaded"]
        for module in dict.fromkeys(map(module_of, [*self.loaded, *fresh])):
            left = [name for name in fresh if module_of(name) == module]
            counts = f"{loaded[module]}/{loaded[module] + len(left)}"
            missing = len(left) - shapes[module]
            lines.append(
                f"{module:<34}{counts:>12}{renamed[module]:>9}{shapes[module]:>7}{missing:>9}  {folded(left)}".rstrip()
            )
        over = Counter(map(module_of, self.unexpected))
        for module, count in over.items():
            names = folded(name for name in self.unexpected if module_of(name) == module)
            lines.append(f"left over in the file, {module}: {count}  {names}")
        return "\n".join(lines)

    def source(self) -> str:
        """What the file is, for messages: ``a detrex detector (DINO)``."""
        host = f" ({HOSTS[self.file_host]})" if self.file_host else ""
        return FORMATS[self.format] + host

    def hosts_differ(self) -> bool:
        """Whether file and model are both known hosts, and not the same."""
        return None not in (self.file_host, self.model_host) and self.file_host != self.model_host

    def difference(self) -> str:
        """Which hosts file and model are."""
        return f"the file looks like {_title(self.file_host)}, the model is {_title(self.model_host)}."


def module_of(name: str) -> str:
    """The part of a model that a tensor is counted with: ``host.transformer.encoder``, ``subject_queries``."""
    host = "host." if name.startswith("host.") else ""
    path = name.removeprefix("host.").split(".")[:-1]
    depth = 2 if path[:1] == ["transformer"] else 1
    return host + (".".join(part for part in path[:depth] if not part.isdigit()) or name.removeprefix("host."))


def folded(names: Iterable[str]) -> str:
    """Names with their layer numbers folded to ``#``, the most frequent first, at most six."""
    groups = Counter(re.sub(r"\.\d+(?=\.)", ".#", name) for name in names)
    shown = [f"{name} x{count}" if count > 1 else name for name, count in groups.most_common(_SHOWN)]
    return ", ".join(shown) + (f" and {len(groups) - _SHOWN} more" if len(groups) > _SHOWN else "")


def _title(host: str | None) -> str:
    return "unknown" if host is None else HOSTS[host]


def _example_of_renaming(renamed: Mapping[str, str]) -> str:
    for name, source in renamed.items():
        return f"e.g. {source} -> {name}"
    return ""
