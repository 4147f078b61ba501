"""A dashboard's JSON, as a reader sees it: sections, panels, what they show and of which runs."""

import json
from typing import Any

from dsct_detrex.dashboard import make_dashboard
from dsct_detrex.dashboard.workspace import build_workspace, workspace_json
from dsct_detrex.structures import get_emotions

View = dict[str, Any]


def make_view(emotions: str, sweep: str | None = None, **options: Any) -> View:
    dashboard = make_dashboard(get_emotions(emotions), "dsct_detrex", sweep, **options)
    view: View = json.loads(workspace_json(build_workspace(dashboard, "me", "dsct_detrex")))
    return view


def sections(view: View) -> list[dict[str, Any]]:
    """Its sections in order."""
    found: list[dict[str, Any]] = view["spec"]["section"]["panelBankConfig"]["sections"]
    return found


def panels(view: View, kind: str = "") -> list[dict[str, Any]]:
    """Settings of all panels in order, of one ``viewType`` where it is given."""
    every = [panel for section in sections(view) for panel in section["panels"]]
    return [panel["config"] for panel in every if kind in ("", panel["viewType"])]


def runs(view: View) -> dict[str, Any]:
    """Filter, grouping and table of the runs."""
    (one,) = view["spec"]["section"]["runSets"]
    found: dict[str, Any] = one
    return found


def keys(view: View) -> set[str]:
    """What runs have to log: metrics, x axes, tables, columns."""
    shown = [metric for panel in panels(view) for metric in panel.get("metrics", [])]
    shown += [panel["xAxis"] for panel in panels(view, "Run History Line Plot")]
    shown += [_table(panel) for panel in panels(view, "Weave")]
    shown += [
        column.removeprefix("summary:") for column in runs(view)["runFeed"]["columnPinned"] if "summary:" in column
    ]
    return set(shown)


def conditions(view: View) -> dict[str, Any]:
    """Key of the server -> the value that runs must have; all of them hold together."""
    filters = runs(view)["filters"]["filters"]
    assert all(one["op"] == "=" and one.get("connector", "AND") == "AND" for one in filters)
    return {f"{one['key']['section']}:{one['key']['name']}": one["value"] for one in filters}


def _table(panel: dict[str, Any]) -> str:
    """The key of ``runs.summary[key]``."""
    return str(panel["panel2Config"]["exp"]["fromOp"]["inputs"]["key"]["val"])
