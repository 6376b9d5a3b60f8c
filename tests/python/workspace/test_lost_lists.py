"""Runs whose jobs.jsonl is lost: configs.json lists their jobs too; of others the loss is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import xpframe
from engine import load, table
from small_runs import TASK, SmallRun, job_id

if TYPE_CHECKING:
    from pathlib import Path


def with_configs(root: Path, *jobs: int) -> SmallRun:
    """A run of 2.2 that has only its configs.json."""
    run = SmallRun(root)
    objects = [run.definition(job) for job in jobs]
    data = {job_id(job): {"type": "python", "value": job + 1} for job in jobs}
    tags = {job_id(jobs[0]): {"lr": 0.5}}
    (run.path / "status.json").unlink()
    run.write("configs.json", {"objects": objects, "data": data, "tags": tags})
    return run


def test_a_run_with_only_configs_json(tmp_path: Path) -> None:
    """Its jobs, tags and parameters are read; the task is that of the directory, else the class; no times."""
    run = with_configs(tmp_path / "ws", 3, 1)
    run.execute(1)
    (tmp_path / "ws" / "jobs" / TASK).rename(tmp_path / "ws" / "jobs" / "my.task")
    info = load(run.path)
    assert list(info.jobs) == [job_id(3), job_id(1)]
    assert info.tags == {job_id(3): {"lr": 0.5}}
    (error,) = info.errors
    assert "jobs.jsonl: is missing, so the jobs have no times of submission" in str(error)
    rows = table("grid", workspace=tmp_path / "ws", columns=["task", "tags.lr", "config.n", "submitted_at"])
    assert rows.to_pylist() == [
        {"task": "lab.train", "tags.lr": 0.5, "config.n": 3, "submitted_at": None},
        {"task": "my.task", "tags.lr": None, "config.n": 1, "submitted_at": None},
    ]


def test_a_broken_configs_json_is_told(tmp_path: Path) -> None:
    """It gives no jobs, and an error: never silence."""
    run = with_configs(tmp_path / "ws", 3)
    (run.path / "configs.json").write_text('{"objects": [')
    assert [str(error.file) for error in load(run.path).errors] == [str(run.path / "configs.json")] * 2


def test_a_lost_jobs_jsonl_is_told(tmp_path: Path) -> None:
    """The links of the run tell its jobs, without tags and times: an error says so."""
    run = SmallRun(tmp_path / "ws")
    run.submit(0)
    run.execute(0)
    (run.path / "jobs.jsonl").unlink()
    info = load(run.path)
    assert list(info.jobs) == [job_id(0)]
    (error,) = info.errors
    assert (error.file, "jobs.jsonl" in str(error)) == (str(run.path / "jobs.jsonl"), True)
    assert json.dumps(str(error))
    assert not xpframe.Workspace(tmp_path / "ws").check().is_clean
