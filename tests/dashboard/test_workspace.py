"""The dashboard as W&B reads it: its JSON is read back; nothing here needs an account."""

import json
import sys
from typing import Any

import pytest

from dsct_detrex.dashboard import make_dashboard
from dsct_detrex.dashboard.workspace import build_workspace, push_workspace, workspace_json
from dsct_detrex.errors import UserError
from dsct_detrex.structures import CAER_S, EMOTIC
from tests.dashboard.views import conditions, keys, make_view, panels, runs, sections

ws = pytest.importorskip("wandb_workspaces.workspaces")
pytestmark = pytest.mark.usefixtures("no_account")

LINES, BARS = "Run History Line Plot", "Bar Chart"


@pytest.fixture
def workspace() -> Any:
    return build_workspace(make_dashboard(CAER_S, "mine", "table_10"), "me", "mine")


@pytest.mark.parametrize("emotions", ["caer_s", "emotic"])
def test_every_panel_arrives(emotions: str) -> None:
    view, dashboard = make_view(emotions), make_dashboard(CAER_S if emotions == "caer_s" else EMOTIC, "dsct_detrex")
    assert (view["entity"], view["project"], view["displayName"]) == ("me", "dsct_detrex", dashboard.title)
    told = [(one["name"], one["isOpen"], len(one["panels"])) for one in sections(view)]
    assert told == [(one.title, one.open, len(one.panels)) for one in dashboard.sections]
    assert keys(view) == dashboard.keys
    for one in sections(view):
        page = one["flowConfig"]["columnsPerPage"] * one["flowConfig"]["rowsPerPage"]
        assert page >= len(one["panels"]), "no panel hides on a second page"
    assert view["spec"]["section"]["settings"]["shouldAutoGeneratePanels"] is False


def test_lines_and_bars_are_means_over_seeds_with_their_spread() -> None:
    view = make_view("caer_s")
    plots = [*panels(view, LINES), *panels(view, BARS)]
    assert len(plots) == 10 + 16
    for plot in plots:
        assert (plot["groupBy"], plot["groupAgg"], plot["groupArea"]) == ("host.value.name", "mean", "stddev")
        assert plot["aggregate"] is True
        assert plot["limit"] >= 30, "ten hosts with three seeds"
    assert runs(view)["grouping"] == [{"section": "config", "name": "host.value.name"}]
    assert view["spec"]["section"]["settings"]["maxRuns"] >= 30


def test_axes_and_smoothing() -> None:
    lines = {plot["metrics"][0]: plot for plot in panels(make_view("caer_s"), LINES)}
    accuracy, loss, rate = lines["emotion/acc"], lines["loss_giou"], lines["lr"]
    assert (accuracy["xAxis"], accuracy["xAxisTitle"], accuracy["yAxisTitle"]) == ("epoch", "epoch", "Accuracy")
    assert accuracy["yAxisMin"] == 0
    assert (accuracy["smoothingType"], accuracy["smoothingWeight"]) == ("none", 0)
    assert (loss["chartTitle"], loss["xAxis"]) == ("Box loss (GIoU), last layer", "iteration")
    assert (loss["smoothingType"], loss["smoothingWeight"]) == ("exponentialTimeWeighted", 0.6)
    assert loss["showOriginalAfterSmoothing"] is True
    assert "yLogScale" not in loss
    assert rate["yLogScale"] is True
    bar = next(plot for plot in panels(make_view("emotic"), BARS) if plot["metrics"] == ["emotion/AP-Doubt/Confusion"])
    assert (bar["chartTitle"], bar["xAxisTitle"], bar["vertical"]) == ("Doubt/Confusion", "AP", False)
    assert (bar["xAxisMin"], bar["xAxisMax"]) == (0, 1)


def test_a_sweep_restricts_the_runs_to_its_group() -> None:
    kind = {"config:emotions.value.name": "emotic"}
    assert conditions(make_view("emotic")) == kind
    assert conditions(make_view("emotic", "table_10")) == {**kind, "run:group": "table_10"}
    assert make_view("emotic", "table_10")["displayName"] == "table_10, emotions of EMOTIC"


def test_the_table_of_runs_is_the_table_of_the_paper() -> None:
    table = runs(make_view("emotic"))
    assert table["runFeed"]["columnOrder"] == [
        "run:displayName",
        "summary:emotion/mAP",
        "summary:bbox/recall50",
        "summary:time",
    ]
    assert table["sort"]["keys"] == [{"key": {"section": "summary", "name": "emotion/mAP"}, "ascending": False}]


def test_another_key_sets_the_lines_apart() -> None:
    view = make_view("caer_s", group_by="model.num_subjects")
    assert {plot["groupBy"] for plot in [*panels(view, LINES), *panels(view, BARS)]} == {"model.value.num_subjects"}
    assert runs(view)["grouping"] == [{"section": "config", "name": "model.value.num_subjects"}]


def test_cells_of_a_sweep_are_job_types() -> None:
    view = make_view("caer_s", "table_6", group_by="cell")
    assert {plot["groupBy"] for plot in [*panels(view, LINES), *panels(view, BARS)]} == {"jobType"}
    assert runs(view)["grouping"] == [{"section": "run", "name": "jobType"}]
    assert sections(view)[0]["name"] == "Accuracy by cell"


def test_equal_dashboards_give_equal_text(workspace: Any) -> None:
    again = build_workspace(make_dashboard(CAER_S, "mine", "table_10"), "me", "mine")
    assert workspace_json(again) == workspace_json(workspace)
    view = json.loads(workspace_json(workspace))
    identities = [panel["__id__"] for section in sections(view) for panel in section["panels"]]
    assert len(set(identities)) == len(identities)


def test_a_library_without_the_method_is_a_sentence(workspace: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(ws.Workspace, "_to_model")
    monkeypatch.setattr("dsct_detrex.dashboard.workspace.version", lambda package: "9.9")
    with pytest.raises(UserError) as caught:
        workspace_json(workspace)
    assert str(caught.value) == (
        "wandb-workspaces 9.9 does not give its workspaces as JSON; 0.4.13 does: pip install wandb-workspaces==0.4.13."
    )


@pytest.mark.parametrize("module", ["wandb_workspaces.workspaces", "wandb_workspaces.reports.v2"])
def test_a_missing_package_is_a_sentence(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError) as caught:
        build_workspace(make_dashboard(CAER_S, "mine"), "me", "mine")
    assert str(caught.value) == (
        "A dashboard needs the packages wandb and wandb-workspaces: pip install wandb wandb-workspaces."
    )


def test_pushing_saves_and_gives_the_address(workspace: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[Any] = []
    monkeypatch.setattr(ws.Workspace, "save", lambda one: saved.append(one))
    monkeypatch.setattr(ws.Workspace, "url", "https://example.org/me/mine?nw=1")
    assert push_workspace(workspace) == "https://example.org/me/mine?nw=1"
    assert len(saved) == 1
    assert saved[0] is workspace


def test_a_bug_is_no_refusal(workspace: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ws.Workspace, "save", lambda: None)
    with pytest.raises(TypeError):
        push_workspace(workspace)


def test_a_refusal_is_a_sentence(workspace: Any) -> None:
    with pytest.raises(UserError) as caught:
        push_workspace(workspace)  # the library's own refusal, because there is no account
    assert str(caught.value) == (
        "W&B did not take the dashboard of me/mine: No API key configured. Use `wandb login` to log in. Check --entity "
        "and --project, and that the key may write there."
    )
