"""A sweep from its command line: what is trained, what is kept, what is told. Trainings are stubs."""

import csv
import fcntl
import json
import multiprocessing
import os
import re
import shlex
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from dsct_detrex.paths import config_folder
from dsct_detrex.sweep import load_sweep, plan
from dsct_detrex.sweep.description import table_file
from tests.sweep.conftest import commands, compose_once, main

BOTH = ["deformable_detr 0 from 0", "dino 0 from 0"]


def rows() -> list[dict[str, str]]:
    with Path("out/results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_cell_and_seed_is_trained_and_told(sweep, calls, capsys):
    assert sweep("--seeds", "2") == 0
    assert calls() == ["deformable_detr 0 from 0", "deformable_detr 1 from 0", "dino 0 from 0", "dino 1 from 0"]
    found = {(row["cell"], row["seed"]): row for row in rows()}
    assert len(found) == 4
    assert float(found["dino", "1"]["acc"]) == pytest.approx(0.52)
    assert found["dino", "1"]["parameters_total"] == "2000000"
    assert found["dino", "1"]["seconds_per_iteration"] == "0.5"
    assert found["dino", "1"]["training_seconds"] == "2.0"
    assert found["dino", "0"]["paper_per_cent"] == "89.27"
    assert found["deformable", "0"]["paper_per_cent"] == ""
    table = Path("out/table.md").read_text()
    assert "| DINO | 51.0 ± 1.4 % | 75.0 % | 2.0 M | 1.5 M | 0.500 s | 2 s | 89.27 % |" in table
    assert "| Deformable | 61.0 ± 1.4 % | 75.0 % | 2.0 M | 1.5 M | 0.500 s | 2 s | – |" in table
    assert "chance 14.5 %" in table
    assert "do not compare with the paper's CAER-S numbers" in table
    assert table in capsys.readouterr().out


def test_the_page_is_whole_and_alone(sweep):
    sweep()
    page = Path("out/report.html").read_text()
    for expected in ("Table 10: two hosts", "--output-dir out", "testland", "60.0 %", "89.27 %", "do not compare"):
        assert expected in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert 'src="' not in page.replace('src="data:', "")
    assert Path("out/plot.png").read_bytes().startswith(b"\x89PNG")


def test_finished_cells_are_kept(sweep, calls, capsys):
    sweep()
    calls()
    assert sweep() == 0
    assert calls() == []
    assert "2 of 2 runs are finished and kept" in capsys.readouterr().out


def test_more_seeds_train_only_the_new_ones(sweep, calls):
    sweep()
    calls()
    assert sweep("--seeds", "2") == 0
    assert calls() == ["deformable_detr 1 from 0", "dino 1 from 0"]


def test_a_broken_cell_is_a_row_that_says_why(sweep, calls):
    Path("out/break_dino").touch()
    assert sweep() == 1
    assert calls() == BOTH
    by_cell = {row["cell"]: row for row in rows()}
    assert by_cell["dino"]["status"] == "failed"
    assert by_cell["dino"]["reason"] == "Training stopped: loss_class is nan in iteration 1."
    assert by_cell["deformable"]["status"] == "finished"
    why = "DINO failed: Training stopped: loss_class is nan in iteration 1. (log: out/dino/seed0/train.log)"
    assert why in Path("out/table.md").read_text()
    assert why in Path("out/report.html").read_text()


def test_a_broken_cell_is_tried_again(sweep, calls, capsys):
    Path("out/break_dino").touch()
    sweep()
    calls()
    Path("out/break_dino").unlink()
    assert sweep() == 0
    assert calls() == ["dino 0 from 0"]
    assert "dino seed 0: failed earlier, tried again" in capsys.readouterr().out


def test_a_changed_command_is_trained_again_beside_the_old_one(sweep, calls, capsys):
    sweep("optimizer.lr=1e-3")
    calls()
    assert sweep("optimizer.lr=2e-3") == 0
    assert calls() == BOTH
    said = capsys.readouterr().out
    assert "dino seed 0: trained again, because its command changed" in said
    assert "now optimizer.lr=2e-3; before optimizer.lr=1e-3" in said
    kept = json.loads(Path("out/dino/seed0.before1/sweep_run.json").read_text())
    assert "optimizer.lr=1e-3" in kept["words"]


def test_only_trains_the_named_and_shows_all(sweep, calls):
    assert sweep("--only", "dino") == 0
    assert calls() == ["dino 0 from 0"]
    assert [(row["cell"], row["status"]) for row in rows()] == [("dino", "finished"), ("deformable", "not run")]
    assert "| Deformable | – |" in Path("out/table.md").read_text()


def test_a_single_run_is_named_by_its_folder(sweep, calls):
    assert sweep("--seeds", "2", "--only", "dino/seed1") == 0
    assert calls() == ["dino 1 from 0"]


def test_restart_begins_anew(sweep, calls):
    sweep()
    calls()
    assert sweep("--restart", "--only", "dino") == 0
    assert calls() == ["dino 0 from 0"]
    assert Path("out/dino/seed0.before1/summary.json").is_file()


def test_result_files_that_vanished_are_made_again(sweep, calls):
    sweep()
    calls()
    Path("out/dino/seed0/evaluation.json").unlink()
    assert sweep() == 0
    assert calls() == ["dino 0 from 0"]


def test_checkpoints_of_finished_runs_go_unless_kept(sweep):
    sweep()
    assert not Path("out/dino/seed0/last.pth").exists()
    sweep("--restart", "--keep-checkpoints")
    assert Path("out/dino/seed0/last.pth").exists()


def test_dry_run_prints_the_users_own_commands(sweep, calls, capsys):
    assert sweep("--dry-run", "--only", "dino", "optimizer.lr=1e-3") == 0
    said = commands(capsys.readouterr().out)
    assert len(said) == 1
    assert said[0].startswith("python ")
    for expected in ("--data synthetic", "host.name=dino", "hosts.dino.backbone.depth=18", "train.seed=0"):
        assert expected in said[0]
    assert said[0].index("optimizer.lr=5e-4") < said[0].index("optimizer.lr=1e-3")  # the user's word comes later
    assert said[0].endswith("train.output_dir=out/dino/seed0")
    assert calls() == []
    assert list(Path("out").iterdir()) == []


def test_dry_run_prints_the_papers_numbers_above_the_commands(sweep, capsys):
    assert sweep("--dry-run") == 0
    said = capsys.readouterr().out
    table = [line for line in said.splitlines() if line.startswith("#")]
    assert said.splitlines()[: len(table)] == table, "what follows is commands only"
    assert re.fullmatch(r"# cell +Host +row of +paper, CAER-S accuracy +what sets it apart", table[1])
    assert re.fullmatch(r"# dino +DINO +the paper +89.27 +host.name=dino", table[2])
    assert "do not compare with the paper's CAER-S numbers" in " ".join(table)
    assert shlex.split(said, comments=True)[0] == "python", "the whole is a script of the shell"


@pytest.mark.parametrize(
    ("table", "data"),
    [
        *((table, "synthetic") for table in (*map(str, range(1, 14)), "figure_2", "figure_11")),
        *((table, data) for table in ("1", "5", "12", "figure_11") for data in ("emotic", "caer_s")),
    ],
)
def test_every_table_of_the_paper_shows_its_column_before_anything_is_trained(table, data, capsys, monkeypatch):
    """Without data on the disk, on every kind of data."""
    monkeypatch.setattr(plan, "compose", compose_once)
    assert main(["--table", table, "--data", data, "--dry-run", "--seeds", "1"]) == 0
    said = capsys.readouterr().out
    heading, first, *_ = said.splitlines()[1:]
    assert "paper, " in heading
    start, end = heading.index("paper, "), heading.index("what sets it apart")
    assert re.search(r"\d\d\.\d\d|best", first[start:end])
    sweep = load_sweep(table_file(table))
    assert len(commands(said)) == len(sweep.cells)
    for label in [cell.label for cell in sweep.cells] + [quoted.label for quoted in sweep.quoted]:
        assert f"  {label}  " in said


@pytest.mark.parametrize(
    ("table", "cell", "words", "gone"),
    [
        ("6", "subjects_only", [], True),
        ("6", "contexts", [], True),
        ("6", "spatial", [], False),
        ("8", "none", [], True),
        ("10", "deformable_detr", ["model.aggregation=null"], True),
        ("10", "deformable_detr", ["model={aggregation: null}"], True),
        ("10", "deformable_detr", ["~model.aggregation"], True),
        ("7", "equal", ["model={num_subjects: 3}"], False),
    ],
)
def test_the_scale_says_nothing_about_a_fusion_that_is_off(table, cell, words, gone, capsys):
    """Words without an effect are errors of ``dsct train``."""
    options = ["--table", table, "--only", cell, "--dry-run", "--seeds", "1", "--scale", "demo"]
    assert main([*options, *words]) == 0
    (said,) = commands(capsys.readouterr().out)
    assert ("model.aggregation.k_spatial=20" not in said) is gone
    assert "hosts.deformable_detr.num_queries=60" in said


def test_the_scale_says_nothing_about_a_backbone_that_the_user_replaces(capsys):
    call = "{_target_: dsct_detrex.hosts.ResNet, depth: 34, out_features: [res3, res4, res5]}"
    backbone = f"hosts.deformable_detr.backbone={call}"
    options = ["--table", "7", "--only", "equal", "--dry-run", "--seeds", "1", "--scale", "demo"]
    assert main([*options, backbone]) == 0
    (said,) = commands(capsys.readouterr().out)
    assert f"'{backbone}'" in said
    assert "hosts.deformable_detr.backbone." not in said


def test_runs_of_a_sweep_are_a_wandb_group(sweep, capsys):
    sweep("--dry-run", "train.wandb.enabled=True")
    said = capsys.readouterr().out
    assert "train.wandb.params.group=two_hosts" in said
    assert "train.wandb.params.job_type=dino" in said
    assert "train.wandb.params.name=two_hosts-dino-seed0" in said
    assert "train.wandb.params.tags=[two_hosts,dino,synthetic,demo]" in said
    sweep("--dry-run")
    assert "wandb" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--only", "dini"],
            "--only expects cells of the sweep, or runs such as dino/seed0. Got 'dini'. Did you mean `dino`?",
        ),
        (
            ["--only", "dino/seed3"],
            "Got 'dino/seed3'. Its cells: dino, deformable.",
        ),
        (["--seeds", "0"], "--seeds expects a whole number of at least 1. Got 0."),
        (["--scale", "huge"], "--scale expects one of demo, paper, project. Got 'huge'."),
        (["--table", "10"], "Say which sweep: --table N for one of the paper, or --config FILE for any other."),
        (["train.max_itr=3"], "unknown key `train.max_itr`. Did you mean `train.max_iter`?"),
    ],
)
def test_mistakes_are_one_sentence(sweep, calls, capsys, words, sentence):
    assert sweep(*words) == 2
    assert sentence in capsys.readouterr().err
    assert calls() == []


@pytest.fixture
def start(sweep):
    """Start the sweep in a process of its own, with slow trainings; returns once the first is at work."""

    def begin() -> BaseProcess:
        Path("out/slow").touch()

        def work() -> None:
            os.setpgrp()  # so that a test can do what a terminal does: interrupt the group
            signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background of a shell ignore it
            os._exit(sweep("--jobs", "1"))

        child = multiprocessing.get_context("fork").Process(target=work)
        child.start()
        wait_for(Path("out/dino/seed0/metrics.jsonl"))
        Path("out/calls.txt").unlink()
        return child

    return begin


def wait_for(path: Path) -> None:
    until = time.monotonic() + 60
    while not (path.exists() and path.stat().st_size):
        assert time.monotonic() < until, f"{path} did not appear"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("interrupt", "status"),
    [(lambda pid: os.killpg(pid, signal.SIGINT), 130), (lambda pid: os.kill(pid, signal.SIGTERM), 143)],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_interrupted_in_the_middle_and_continued(sweep, start, calls, interrupt, status, capsys):
    process = start()
    interrupt(process.pid)
    process.join(60)
    assert process.exitcode == status
    done = int(Path("out/dino/seed0/last.pth").read_text())
    assert 1 <= done < 4
    assert [(row["cell"], row["status"]) for row in rows()] == [("dino", "unfinished"), ("deformable", "not run")]
    Path("out/slow").unlink()
    assert sweep() == 0
    assert "dino seed 0: left unfinished, continued" in capsys.readouterr().out
    assert calls() == ["deformable_detr 0 from 0", f"dino 0 from {done}"]


def test_killed_without_warning_and_continued(sweep, start, calls, capsys):
    process = start()
    process.kill()
    process.join(60)
    assert sweep() == 2  # the training has outlived the sweep
    assert (
        "dino seed 0: another process is still running and writes out/dino/seed0/train.log" in capsys.readouterr().err
    )
    Path("out/slow").unlink()
    wait_for(Path("out/dino/seed0/summary.json"))
    with Path("out/dino/seed0/train.log").open() as log:
        fcntl.flock(log, fcntl.LOCK_EX)  # the training holds it as long as it lives
    calls()
    assert sweep() == 0
    assert calls() == ["deformable_detr 0 from 0", "dino 0 from 4"]  # nothing was left to train there


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["host.name=detr"], r"host\.name=dino of dino; host\.name=deformable_detr of deformable"),
        (["host.name=dino"], r"would not count: host\.name=deformable_detr of deformable\. Leave it out, or .*--only"),
        (["host={name: dino}"], r"would not count: host\.name=deformable_detr of deformable\."),
        (["train.seed=4"], r"train\.seed=4 has no effect in a sweep.* use --seeds"),
        (["train.output_dir=there"], "use --output-dir"),
        (["train.wandb.enabled=True", "train.wandb.params.group=mine"], "it is the sweep"),
        (["host.name=dino", "--only", "dino"], None),
        (["train.max_epoch=2"], None),  # what it silences is the scale's, not the user's
    ],
)
def test_what_all_rows_are_told_leaves_the_rows_what_they_are_called(sweep, capsys, words, sentence):
    assert sweep("--dry-run", *words) == (0 if sentence is None else 2)
    said = capsys.readouterr()
    assert re.search(sentence, said.err) if sentence else said.err == ""


@pytest.mark.parametrize(
    ("table", "word", "lost"),
    [
        ("5", "model.num_subjects=3", "model.num_subjects=1 of n1"),
        ("8", "model.use_contexts=False", "model.fusion_layers=[5] of last"),
        ("7", "model={aggregation: null}", "model.aggregation.reweighting=equal of equal"),
        ("7", "~model.aggregation", "model.aggregation.reweighting=equal of equal"),
        ("7", "model.aggregation.gather=self", "model.aggregation.reweighting=equal of equal"),
        ("9", "host.name=dino", "hosts.deformable_detr.backbone.depth=18 of r18"),
    ],
)
def test_no_row_of_the_paper_loses_what_sets_it_apart(capsys, table, word, lost):
    assert main(["--table", table, "--dry-run", word]) == 2
    assert lost in capsys.readouterr().err


def test_what_a_row_says_without_effect_by_itself_is_nobody_elses_loss(capsys):
    """A control says all that its row says, and one word more."""
    assert main(["--config", str(config_folder() / "sweeps" / "fusions.py"), "--dry-run", "optimizer.lr=1e-4"]) == 0
    control = next(line for line in capsys.readouterr().out.splitlines() if "projected_control/seed0" in line)
    assert "scale_products=True" in control
    assert "optimizer.lr=1e-4" in control


def test_a_row_is_not_told_about_what_it_switches_off(capsys):
    """Nothing fuses in ``none``: the word would be an unknown key there."""
    options = ["--table", "8", "--only", "none", "last", "--seeds", "1", "--dry-run"]
    assert main([*options, "model.aggregation.formula=paper"]) == 0
    last, none = sorted(commands(capsys.readouterr().out), key=lambda line: "model.aggregation=null" in line)
    assert "model.aggregation.formula=paper" in last
    assert "model.aggregation.formula" not in none
