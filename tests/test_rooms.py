"""Who imports whom is what the table of rooms says (``docs/architecture.md``)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "dsct_detrex"
ROOMS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def table() -> list[tuple[str, str]]:
    """Room and text of the column ``imports``, row by row."""
    return re.findall(r"^\| `(\w+)/` \|.*\| (.*) \|$", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE)


def told() -> dict[str, set[str]]:
    """Room -> the rooms in its column ``imports``, without what stands in brackets."""
    return {room: set(re.findall(r"\w+", re.sub(r"\(.*?\)", "", imports))) & ROOMS for room, imports in table()}


def imported(file: Path) -> Iterator[str]:
    """First names below the package that a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dsct_detrex"):
            below = (node.module or "").split(".")[1:2]
            yield from below or [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("dsct_detrex."))


def test_a_room_has_one_row() -> None:
    rooms = [room for room, _ in table()]
    assert sorted(rooms) == sorted(ROOMS)


def test_rooms_import_what_the_map_says() -> None:
    found = {room: {name for file in (PACKAGE / room).rglob("*.py") for name in imported(file)} for room in ROOMS}
    allowed = told()
    assert set(allowed) == ROOMS
    unsaid = {room: names & ROOMS - {room} - allowed[room] for room, names in found.items()}
    assert {room: names for room, names in unsaid.items() if names} == {}


def test_only_integrations_imports_what_may_be_absent() -> None:
    words = re.compile(r"^\s*(?:import|from) (?:detrex|detectron2|fvcore)\b", re.MULTILINE)
    users = {file.relative_to(PACKAGE).parts[0] for file in PACKAGE.rglob("*.py") if words.search(file.read_text())}
    assert users == {"integrations"}
