"""The descriptions as lines for a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from dsct_detrex.evaluation.formatting import percent, whole
from dsct_detrex.info.machine import OPTIONAL, REQUIREMENTS

_WIDTH = 79
_LABEL = 14


def machine_lines(found: Mapping[str, Any]) -> list[str]:
    """Of ``describe_machine``."""
    operator, detrex = found["operator"], found["detrex"]
    lines = [
        *_line("dsct_detrex", f"{found['dsct_detrex']['version']} in {found['dsct_detrex']['folder']}"),
        *_line("python", f"{found['python']['version']}, {found['python']['executable']}"),
        *_line("system", found["system"]),
        *_line("packages", ", ".join(f"{name} {known or 'missing'}" for name, known in found["packages"].items())),
        *_line("cores", f"{found['cores']}; torch computes on {found['threads']} threads"),
        *_line("cuda", f"torch is built for CUDA {found['cuda']}" if found["cuda"] else "torch is built without CUDA"),
        "",
        *_lines("devices", [f"{one['name']}  {one['description']}" for one in found["devices"]]),
        *_line("auto", f"--device auto takes {found['devices'][0]['name']}"),
        "",
        *_line("operator", operator["used"] or operator["problem"]),
        *_lines("", [f"not {name}: {why}" for name, why in operator.get("others", {}).items()]),
        "",
    ]
    if detrex["found"]:
        lines += [*_line("detrex", detrex["detrex"]), *_line("detectron2", detrex["detectron2"])]
        lines += _line("", f"operator: {detrex['operator']}; projects: {detrex['projects'] or 'not found'}")
    else:
        lines += [*_line("detrex", f"not in use, and not needed. {detrex['problem']}"), *_line("to install", "")]
        lines += [f"  {command}" for command in _commands(detrex["install"])]
    return [*lines, "", "optional packages", *_optional_lines(found["optional"])]


def _optional_lines(known: Mapping[str, str | None]) -> list[str]:
    """A package a line; below, how to get those that are missing."""
    width = max(map(len, OPTIONAL))
    lines = [f"  {name:<{width}}  {known[name] or 'missing':<9} {use}" for name, use in OPTIONAL.items()]
    missing = [REQUIREMENTS.get(name, name) for name in OPTIONAL if not known[name]]
    wanted = [f"pip install {' '.join(missing)}"] if missing else []
    return [*lines, *(f"  {line}" for line in _commands(wanted))]


def file_lines(found: Mapping[str, Any]) -> list[str]:
    """Of ``describe_file``."""
    host = found.get("host")
    counted = f"{whole(found['parameters'])} parameters in {found['tensors']} tensors"
    lines = [
        *_line("file", f"{found['file']}, {found['bytes'] / 2**20:.1f} MiB"),
        *_line("kind", found["kind"]),
        *_line("names of", found["made_by"]),
        *_line("host", f"{host['title']} ({host['name']})" if host else "none recognised"),
        *_line("weights", counted + (", and their average" if found.get("average") else "")),
    ]
    if "emotions" in found:
        lines += _emotion_lines(found["emotions"], found.get("thresholds"))
    if "calibration" in found:
        lines += _line("calibrated", _calibration(found["calibration"]))
    lines += _line("trained", _trained(found)) if _trained(found) else []
    for name, value in found.get("metrics", {}).items():
        lines += _line("measured", f"{name} {percent(value)}" if 0 <= value <= 1 else f"{name} {value:.4g}")
    if "data" in found:
        lines += _line("data", ", ".join(found["data"].values()))
    if "start" in found:
        lines += _line("started from", found["start"])
    if "card" in found:
        lines += _line("card", found["card"])
    if "command" in found:
        lines += _line("by", found["command"])
    if "versions" in found:
        lines += _line("with", ", ".join(f"{name} {known}" for name, known in found["versions"].items()))
    return lines


def _emotion_lines(emotions: Mapping[str, Any], thresholds: Mapping[str, float] | None) -> list[str]:
    names = emotions.get("names", [])
    kind = f", {len(names)}, {emotions['kind']}" if names else ""
    lines = _line("emotions", f"{emotions['name']}{kind}")
    if names:
        shown = [f"{name} {thresholds[name]:.2f}" if thresholds else str(name) for name in names]
        lines += _line("thresholds" if thresholds else "", ", ".join(shown))
    return lines


def _calibration(calibration: Mapping[str, Any]) -> str:
    """Temperature, and where the file says it what was chosen on which people, and what it changed."""
    parts = [f"temperature {calibration['temperature']:.3g}"]
    if "data" in calibration:
        data = calibration["data"]
        split = f" ({data['split']} split)" if data["split"] else ""
        parts.append(f"thresholds for {calibration['thresholds_for']}")
        parts.append(f"on {whole(data['found'])} people of {data['name']}{split}")
        errors = [percent(calibration[when]["ECE"]) for when in ("before", "after")]
        parts.append(f"ECE {errors[0]} before, {errors[1]} after")
    return ", ".join(parts)


def _trained(found: Mapping[str, Any]) -> str:
    parts = []
    if "iteration" in found:
        parts.append(f"{found['iteration']} iterations" + (f" of {found['max_iter']}" if "max_iter" in found else ""))
    elif "max_iter" in found:
        parts.append(f"at most {found['max_iter']} iterations")
    if found.get("epoch"):
        parts.append(f"to epoch {found['epoch']}")
    if "max_epoch" in found:
        parts.append(f"at most {found['max_epoch']:g} epochs")
    return ", ".join(parts)


def _line(label: str, text: str) -> list[str]:
    """One fact, wrapped; a word that is too long for a line, a path, stays whole."""
    indent = " " * _LABEL
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=f"{label:<{_LABEL}}",
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [label]


def _lines(label: str, several: Iterable[str]) -> list[str]:
    return [line for number, text in enumerate(several) for line in _line("" if number else label, text)]


def _commands(commands: Iterable[str]) -> list[str]:
    """Commands of a shell, long ones on several lines that still paste as one."""
    wrapped = [
        textwrap.wrap(one, _WIDTH - 6, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
        for one in commands
    ]
    return [line + (" \\" if number < len(lines) - 1 else "") for lines in wrapped for number, line in enumerate(lines)]
