"""Results of jobs that several runs or experiments list: whose rows have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import xpframe
from conftest import archives, unpack
from small_runs import SmallRun, job_id

COLUMNS = ["experiment", "job_id", "result.loss", "result@file"]


def executed(run: SmallRun, *jobs: int) -> None:
    for job in jobs:
        run.submit(job)
        if not run.directory(job).exists():
            directory = run.execute(job)
            (directory / "metrics.json").write_text(json.dumps({"loss": job / 8}))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Job 1 in two runs of `first` and in `second`; jobs 2, 3 and 4 in one run each."""
    executed(SmallRun(tmp_path, "20260101_120000", "first"), 1, 2)
    executed(SmallRun(tmp_path, "20260102_120000", "first"), 1, 3)
    executed(SmallRun(tmp_path, "20260103_120000", "second"), 1, 4)
    return tmp_path


def rows(root: Path, experiments: Any, run: str) -> list[tuple[Any, ...]]:
    table = xpframe.xp_table(experiments, workspace=root, run=run, results="metrics.json", columns=COLUMNS)
    assert table.errors == []
    return list(zip(*(table.column_values(name) for name in table.column_names), strict=True))


def row(experiment: str, job: int, state: str = "read") -> tuple[Any, ...]:
    return (experiment, job_id(job), job / 8 if state == "read" else None, state)


def test_each_experiment_has_the_results_of_its_jobs(root: Path) -> None:
    """A job of two experiments has its result in both: the mean of one does not depend on the other."""
    first, second = (
        [row(name, job) for job in jobs] for name, jobs in (("first", (1, 3)), ("second", (1, 4)))
    )
    assert rows(root, ["first", "second"], "latest") == [*first, *second]
    assert rows(root, "first", "latest") == first
    distinct = [row("first", 2), *first, *second]
    assert rows(root, ["first", "second"], "distinct") == distinct


def test_all_runs_have_a_result_once(root: Path) -> None:
    """Of all runs the latest one has it: the job may have been executed anew since the others."""
    later = [row("first", 1, "later"), row("first", 2), row("first", 1, "later"), row("first", 3)]
    assert rows(root, ["first", "second"], "all") == [*later, row("second", 1), row("second", 4)]


@pytest.mark.skipif("lab_cifar" not in archives(), reason="the lab is not here")
def test_jobs_upstream_of_distinct_runs(tmp_path: Path) -> None:
    """The training behind an evaluation has its result, though a later run lists the training too."""
    columns = ["job_id", "up.learn.result.val_loss", "up.learn.result@file"]
    options: dict[str, Any] = {"task": "evaluate", "results": "results.csv", "columns": columns}
    root = tmp_path / "cifar"
    unpack("lab_cifar", tmp_path)
    of_run = {
        run: xpframe.xp_table("cifar", workspace=root, run=run, **options) for run in ("distinct", "all")
    }
    states = of_run["distinct"].column_values("up.learn.result@file")
    assert "later" not in states
    assert "later" in of_run["all"].column_values("up.learn.result@file")
    losses = dict(zip(*(of_run["distinct"].column_values(name) for name in columns[:2]), strict=True))
    latest = xpframe.xp_table("cifar", workspace=root, **options)
    for job, loss in zip(*(latest.column_values(name) for name in columns[:2]), strict=True):
        assert losses[job] == loss
    assert [loss is None for loss in losses.values()] == [state != "read" for state in states]


@pytest.mark.parametrize("run", ["latest", "distinct", "all"])
def test_filters_see_the_results_that_are_shown(run: str, root: Path) -> None:
    """`where=` keeps the rows whose shown values pass, eagerly, lazily and in parts."""
    options: dict[str, Any] = {"workspace": root, "run": run, "results": "metrics.json", "columns": COLUMNS}
    shown = rows(root, ["first", "second"], run)
    for where, expected in (
        ("result.loss > 0", [row for row in shown if row[2] is not None]),
        ("result.loss = null", [row for row in shown if row[2] is None]),
        ('result@file = "later"', [row for row in shown if row[3] == "later"]),
    ):
        table = xpframe.xp_table(["first", "second"], where=where, **options)
        assert list(zip(*(table.column_values(name) for name in COLUMNS), strict=True)) == expected
        lazy = xpframe.scan_xp(["first", "second"], where=where, **options).collect()
        assert lazy.rows() == expected
        parts = xpframe.parts(["first", "second"], rows=1, where=where, **options)
        assert [tuple(row.values()) for part in parts for row in part.arrow().to_pylist()] == expected
