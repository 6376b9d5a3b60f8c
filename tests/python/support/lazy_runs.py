"""Small runs in numbers, for tests of lazy queries: written in a moment, each value known."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

TASK = "lab.train"


def job_id(run: int, job: int) -> str:
    return hashlib.sha256(f"{run} {job}".encode()).hexdigest()


def run_id(run: int) -> str:
    return f"20260101_{run:06d}"


def job_line(run: int, job: int, **tags: Any) -> str:
    submitted = 1_773_921_600.0 + run * 1000 + job
    line = {
        "job_id": job_id(run, job),
        "task_id": TASK,
        "tags": {"size": job, "of_run": run, **tags},
        "timestamp": submitted,
    }
    return json.dumps(line) + "\n"


def object_lines(run: int, job: int, **fields: Any) -> str:
    """A model of its own, and the task that has it."""
    at = 2 * job + 1
    model = {"hidden_size": 2**job % 1021, "name": f"m{run}"}
    lines: list[dict[str, Any]] = [
        {"id": at, "type": "Model", "identifier": job_id(-1 - run, job), "fields": model},
        {
            "id": at + 1,
            "type": "Train",
            "identifier": job_id(run, job),
            "fields": {"model": {"type": "python", "value": at}, "rate": job / 8, **fields},
        },
    ]
    whole = [{"module": "lab", "typename": f"lab.{line['type']}", **line} for line in lines]
    return "".join(json.dumps(line) + "\n" for line in whole)


def write_run(workspace: Path, run: int, jobs: int, *, experiment: str = "grid") -> Path:
    """Writes a run of an experiment; gives its directory."""
    path = workspace / "experiments" / experiment / run_id(run)
    path.mkdir(parents=True)
    (workspace / ".__experimaestro__").touch()
    (path / "jobs.jsonl").write_text("".join(job_line(run, job) for job in range(jobs)))
    (path / "objects.jsonl").write_text("".join(object_lines(run, job) for job in range(jobs)))
    return path


def append_job(path: Path, run: int, job: int, *, fields: dict[str, Any] | None = None, **tags: Any) -> None:
    """Appends a job to a run, as experimaestro does while it runs."""
    with (path / "objects.jsonl").open("a") as objects, (path / "jobs.jsonl").open("a") as jobs:
        objects.write(object_lines(run, job, **(fields or {})))
        jobs.write(job_line(run, job, **tags))


def write_runs(workspace: Path, runs: int, jobs: int) -> Path:
    """Writes runs 0, 1, … of one experiment; gives the workspace."""
    for run in range(runs):
        write_run(workspace, run, jobs)
    return workspace
