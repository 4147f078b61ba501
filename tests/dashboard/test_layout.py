"""What the dashboard shows for either kind of emotions."""

import pytest

from dsct_detrex.dashboard import Bars, Dashboard, Lines, Section, Table, make_dashboard
from dsct_detrex.structures import CAER_S, EMOTIC, Emotions

KINDS = pytest.mark.parametrize(("emotions", "metric", "word"), [(CAER_S, "acc", "Accuracy"), (EMOTIC, "mAP", "mAP")])


def section(dashboard: Dashboard, title: str) -> Section:
    (found,) = (one for one in dashboard.sections if one.title == title)
    return found


def bars(one: Section) -> list[str]:
    return [metric for panel in one.panels if isinstance(panel, Bars) for metric in panel.metrics]


@KINDS
def test_sections_in_the_order_of_the_questions(emotions: Emotions, metric: str, word: str) -> None:
    dashboard = make_dashboard(emotions, "mine", "table_10")
    titles = [one.title for one in dashboard.sections]
    assert titles == [
        f"{word} by host",
        "Training by host",
        f"{word} by number of people",
        "AP of each emotion",
        "Predictions",
        "Cost",
    ]
    assert [one.open for one in dashboard.sections] == [True, True, False, False, False, False]
    assert bars(dashboard.sections[0]) == [f"emotion/{metric}", "bbox/recall50"]
    assert bars(dashboard.sections[2]) == [f"emotion/{metric}_n{group}" for group in ("1", "2", "3", "4", "5plus")]
    assert bars(dashboard.sections[3]) == [f"emotion/AP-{label}" for label in emotions.names]
    assert dashboard.sections[4].panels == (Table("predictions"), Table("per_class_AP"))
    assert bars(dashboard.sections[5]) == ["time", "gpu_mem_mb", "mem_mb"]
    assert dashboard.columns[0] == f"emotion/{metric}"


@KINDS
def test_evaluations_run_over_epochs_and_steps_over_iterations(emotions: Emotions, metric: str, word: str) -> None:
    curves = section(make_dashboard(emotions, "mine"), "Training by host").panels
    assert all(isinstance(curve, Lines) for curve in curves)
    over = {curve.metric: curve.over for curve in curves if isinstance(curve, Lines)}
    assert over == {
        f"emotion/{metric}": "epoch",
        "bbox/recall50": "epoch",
        **dict.fromkeys(("total_loss", "loss_class", "loss_bbox", "loss_giou", "lr", "grad_norm"), "iteration"),
    }


def test_titles_name_sweep_project_and_rows() -> None:
    assert make_dashboard(CAER_S, "mine", "table_10").title == "table_10, emotions of CAER-S"
    other = make_dashboard(EMOTIC, "mine", group_by="model.num_subjects")
    assert other.title == "mine, emotions of EMOTIC"
    assert other.sections[0].title == "mAP by model.num_subjects"


@pytest.mark.parametrize(("count", "columns", "rows"), [(0, 4, 0), (1, 4, 1), (4, 4, 1), (26, 4, 7)])
def test_a_section_has_rows_for_all_its_panels(count: int, columns: int, rows: int) -> None:
    assert Section("some", (Table("t"),) * count, columns=columns).rows == rows
