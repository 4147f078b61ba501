"""Says at the end how many cases were tried, where somebody asked for more than the usual ones."""

from __future__ import annotations

from typing import Any

from tests.reliability.drawing import TIMES, tried


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if TIMES > 1 and tried:
        terminalreporter.write_line(f"cases tried: {sum(tried.values()):,}")
        for name, count in sorted(tried.items()):
            terminalreporter.write_line(f"  {count:>7,} {name}")
