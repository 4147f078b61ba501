"""A dashboard as a saved view of a W&B project, through the wandb-workspaces package: built without a network, kept
as JSON, pushed with an API key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from dsct_detrex.dashboard.layout import CELL
from dsct_detrex.dashboard.panels import Bars, Dashboard, Lines, Panel, Section, Table
from dsct_detrex.errors import UserError

WORKS = "0.4.13"
"""The version of wandb-workspaces that the tests of this package ran with; giving JSON is no promise of its API."""

_MOST = 100  # runs, lines and bars of a panel; W&B's own limit of 10 would drop most of ten hosts with three seeds


@dataclass(frozen=True)
class _Library:
    """The modules of wandb-workspaces: ``ws`` workspaces, ``wr`` panels."""

    ws: Any
    wr: Any


def build_workspace(dashboard: Dashboard, entity: str, project: str) -> Any:
    """The ``wandb_workspaces.workspaces.Workspace`` of a dashboard.

    Args:
        entity, project: whose project it is shown in.

    Raises:
        UserError: a package is not installed.
    """
    library = _load_library()
    return library.ws.Workspace(
        entity=entity,
        project=project,
        name=dashboard.title,
        sections=[_section(section, dashboard.group_by, library) for section in dashboard.sections],
        settings=library.ws.WorkspaceSettings(max_runs=_MOST),
        runset_settings=_runs(dashboard, library),
    )


def workspace_json(workspace: Any) -> str:
    """The view that ``push_workspace`` sends, indented. The same dashboard gives the same text: the ids that the
    library draws for panels are numbered instead.

    Raises:
        UserError: the installed version has lost the method that gives it.
    """
    try:
        text = workspace._to_model().model_dump_json(by_alias=True, exclude_none=True)
    except AttributeError as error:
        raise UserError(
            f"wandb-workspaces {version('wandb-workspaces')} does not give its workspaces as JSON; {WORKS} does: "
            f"pip install wandb-workspaces=={WORKS}."
        ) from error
    view = json.loads(text)
    for number, section in enumerate(view["spec"]["section"]["panelBankConfig"]["sections"], 1):
        for place, panel in enumerate(section["panels"], 1):
            panel["__id__"] = f"section{number}panel{place}"
    return json.dumps(view, indent=1, ensure_ascii=False) + "\n"


def push_workspace(workspace: Any) -> str:
    """Save it as a new view of its project.

    Returns:
        Its address.

    Raises:
        UserError: W&B refuses it or cannot be reached.
    """
    try:
        workspace.save()
        return str(workspace.url)
    except (AttributeError, NameError, TypeError):
        raise  # a bug, or a version of the library that does not fit
    except Exception as error:  # of the network, the account or the server: these have no base class in common
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"W&B did not take the dashboard of {workspace.entity}/{workspace.project}: {reason.rstrip('.')}. Check "
            "--entity and --project, and that the key may write there."
        ) from error


def _load_library() -> _Library:
    try:
        import wandb_workspaces.reports.v2 as wr
        import wandb_workspaces.workspaces as ws
    except ImportError as error:
        raise UserError(
            "A dashboard needs the packages wandb and wandb-workspaces: pip install wandb wandb-workspaces."
        ) from error
    return _Library(ws, wr)


def _runs(dashboard: Dashboard, library: _Library) -> Any:
    """Which runs, in which groups, in which order, with which columns of their table.

    W&B stores each value of a config's top level in an envelope called ``value``. Grouping puts it in, filters do not.
    """
    ws = library.ws
    filters = [ws.Config("emotions.value.name") == dashboard.emotions]
    if dashboard.group is not None:
        filters.append(ws.Metric("Group") == dashboard.group)
    best = ws.Summary(dashboard.columns[0])
    return ws.RunsetSettings(
        filters=ws.And(*filters),
        groupby=[_group_key(dashboard.group_by, ws)],
        order=[ws.Ordering(best, ascending=False)],
        pinned_columns=["run:displayName", *(f"summary:{metric}" for metric in dashboard.columns)],
    )


def _group_key(group_by: str, module: Any) -> Any:
    """What runs are grouped by, in the words of the library's module for workspaces or for panels."""
    return module.Metric("JobType") if group_by == CELL else module.Config(group_by)


def _section(section: Section, group_by: str, library: _Library) -> Any:
    return library.ws.Section(
        name=section.title,
        panels=[_panel(panel, group_by, library.wr) for panel in section.panels],
        is_open=section.open,
        layout_settings=library.ws.SectionLayoutSettings(columns=section.columns, rows=section.rows),
    )


def _panel(panel: Panel, group_by: str, wr: Any) -> Any:
    if isinstance(panel, Lines):
        return _line_plot(panel, group_by, wr)
    if isinstance(panel, Bars):
        return _bar_plot(panel, group_by, wr)
    if isinstance(panel, Table):
        return wr.WeavePanelSummaryTable(table_name=panel.key)
    return wr.MarkdownPanel(markdown=panel.markdown)


def _line_plot(lines: Lines, group_by: str, wr: Any) -> Any:
    return wr.LinePlot(
        title=lines.title,
        x=lines.over,
        y=[lines.metric],
        title_x=lines.over,
        title_y=lines.unit or None,
        range_y=lines.range,
        log_y=lines.log or None,
        groupby=_group_key(group_by, wr),
        groupby_aggfunc="mean",
        groupby_rangefunc="stddev",
        smoothing_type="exponentialTimeWeighted" if lines.smoothing else "none",
        smoothing_factor=lines.smoothing,
        smoothing_show_original=True if lines.smoothing else None,
        max_runs_to_show=_MOST,
    )


def _bar_plot(bars: Bars, group_by: str, wr: Any) -> Any:
    return wr.BarPlot(
        title=bars.title,
        metrics=list(bars.metrics),
        orientation="h",
        title_x=bars.unit or None,
        range_x=bars.range,
        groupby=_group_key(group_by, wr),
        groupby_aggfunc="mean",
        groupby_rangefunc="stddev",
        max_runs_to_show=_MOST,
        max_bars_to_show=_MOST,
    )
