"""A run lists the jobs that were done before it, too: the rows of all runs, and each job once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import xpframe
from conftest import archives, unpack
from engine import load, table
from small_runs import NOON, SmallRun, job_id
from xpframe.cli import main

if TYPE_CHECKING:
    from pathlib import Path

SECOND = "20260101_140000"


@pytest.fixture
def relaunched(tmp_path: Path) -> Path:
    """Jobs 0, 1 and 2 ran in the first run, 2 failed; the second reused 0 and 1, ran 2 again, and 3."""
    root = tmp_path / "ws"
    first = SmallRun(root)
    for job in (0, 1, 2):
        first.submit(job)
    for job in (0, 1):
        first.execute(job)
    second = SmallRun(root, run_id=SECOND, began=NOON + timedelta(hours=2))
    for job in (3, 0, 1, 2):
        second.submit(job)
    second.execute(2, marker="failed")
    second.execute(3)
    SmallRun(root, run_id="20260101_100000", experiment="other", began=NOON - timedelta(hours=2)).submit(0)
    return root


def seen(root: Path, **options: Any) -> list[tuple[int, str, bool | None]]:
    """(job, run, reused) of the rows."""
    options.setdefault("columns", ["config.n", "run", "reused"])
    rows = table("grid", workspace=root, **options).to_pylist()
    return [(row["config.n"], row["run"], row["reused"]) for row in rows]


def test_all_runs_mark_what_they_reused(relaunched: Path) -> None:
    """`run="all"` has a row per job and run; `reused` is shown: an earlier run executed the job."""
    first = "20260101_120000"
    expected = [
        *[(0, first, False), (1, first, False), (2, first, False)],
        *[(3, SECOND, False), (0, SECOND, True), (1, SECOND, True), (2, SECOND, False)],
    ]
    assert seen(relaunched, run="all") == expected
    assert "reused" in table("grid", workspace=relaunched, run="all").column_names
    assert "reused" in table("grid", workspace=relaunched, run="all", columns="*").column_names
    for run in ("latest", "distinct", SECOND):
        assert "reused" not in table("grid", workspace=relaunched, run=run).column_names
    assert seen(relaunched, run=SECOND) == expected[3:]
    frame = xpframe.xp_frame("grid", workspace=relaunched, columns=["reused"], run="all")
    assert str(frame["reused"].dtype) in ("bool", "boolean")


def test_each_job_once(relaunched: Path) -> None:
    """`run="distinct"` has each job on the last run that lists it: frames, scans, tasks, failures."""
    expected = [(3, SECOND, False), (0, SECOND, True), (1, SECOND, True), (2, SECOND, False)]
    assert seen(relaunched, run="distinct") == expected
    assert seen(relaunched, run="distinct", task="train") == expected
    columns = ["config.n", "run", "reused"]
    lazy = xpframe.scan_xp("grid", workspace=relaunched, run="distinct", columns=columns)
    assert lazy.collect().rows() == expected
    assert lazy.filter(pl.col("run") == SECOND).collect().rows() == expected
    assert len(xpframe.failures("grid", workspace=relaunched, run="distinct")) == 1
    # a job of two experiments is a row of each
    assert len(table("*", workspace=relaunched, run="distinct")) == 5


def test_each_job_once_in_the_shell(relaunched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--run distinct` is `run="distinct"`."""
    main(["frame", "grid", "--workspace", str(relaunched), "--run", "distinct", "--json", "-c", "config.n"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["config.n"] for row in rows] == [3, 0, 1, 2]


def test_what_directories_hold_is_on_the_latest_run(relaunched: Path) -> None:
    """`failure` and `exit_code` are of the last attempt: null on earlier runs, where results are `later`."""
    columns = ["config.n", "run", "state", "failure", "exit_code", "result@file"]
    rows = table("grid", workspace=relaunched, run="all", columns=columns, results="model.pt").to_pylist()
    of = {(row["config.n"], row["run"]): row for row in rows}
    early, late = of[2, "20260101_120000"], of[2, SECOND]
    assert (early["failure"], early["exit_code"], early["result@file"]) == (None, None, "later")
    assert (late["failure"], late["exit_code"]) == ("FAILED", 3)
    assert late["result@file"] != "later"
    assert early["state"] == late["state"] == "error"
    only = table("grid", workspace=relaunched, run=["20260101_120000"], columns=columns[:-1]).to_pylist()
    assert (only[2]["failure"], only[2]["exit_code"]) == ("FAILED", 3)


def test_what_is_not_known_is_null(tmp_path: Path) -> None:
    """Without a time of submission, or of the end, nobody can tell who executed a job."""
    run = SmallRun(tmp_path / "ws")
    run.submit(0)
    run.execute(0)
    lines = (run.path / "jobs.jsonl").read_text().replace('"timestamp"', '"other"')
    (run.path / "jobs.jsonl").write_text(lines)
    assert seen(tmp_path / "ws") == [(0, run.run_id, None)]
    assert load(run.path).frame(columns="job_id")["job_id"].tolist() == [job_id(0)]


@pytest.mark.slow
def test_the_lab_has_29_jobs(tmp_path: Path) -> None:
    """40 rows for 29 jobs of learning, 11 of them reused; 6 of the others failed in each run."""
    if "lab_cifar" not in archives():
        pytest.skip("the lab is not here")
    unpack("lab_cifar", tmp_path)
    root = tmp_path / "cifar"
    everything = table("cifar", workspace=root, run="all", task="learn", columns=["job_id", "run", "reused"])
    once = table("cifar", workspace=root, run="distinct", task="learn", columns=["job_id", "run", "reused"])
    jobs = everything["job_id"].to_pylist()
    assert (len(jobs), len(set(jobs))) == (40, 29)
    assert sorted(once["job_id"].to_pylist()) == sorted(set(jobs))
    reused = [row["job_id"] for row in everything.to_pylist() if row["reused"]]
    assert len(reused) == len(set(reused))
    assert set(reused) <= {job for job in jobs if jobs.count(job) == 2}
