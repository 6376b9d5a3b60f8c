"""A run of many jobs with directories, as experimaestro 2.7.0 leaves them."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

RUN_ID = "20260319_120000"
TASK = "lab.learn"
# 2026-03-19T12:10:16 UTC: a marker is written when its job ends
ENDED = 1773922216
# what the run's status.json says of a job that ended so
RECORDED = {"done": "done", "failed": "error:FAILED", "started": "running", "waiting": "unscheduled"}


def make_run(
    root: Path, ends: list[str], *, is_recorded: bool = True, run_id: str = RUN_ID, first: int = 0
) -> Path:
    """The directory of a run in a workspace, new if there is none. Its jobs are numbered from `first` on.

    Its jobs ended so: ``done``, ``failed``, ``started`` (a pid file and no marker) or ``waiting`` (neither).
    Without `is_recorded` the driver was killed before it wrote their states.
    """
    run = root / "experiments" / "grid" / run_id
    run.mkdir(parents=True)
    (root / ".__experimaestro__").touch()
    rows, objects, states = [], [], {}
    for number, end in enumerate(ends, first):
        job_id = hashlib.sha256(f"{number}".encode()).hexdigest()
        states[job_id] = RECORDED[end]
        tags = {"rate": number / 8}
        rows.append({"job_id": job_id, "task_id": TASK, "tags": tags, "timestamp": 1773921601.0 + number})
        head = {"id": number + 1, "module": "lab", "type": "Learn", "typename": TASK, "identifier": job_id}
        objects.append({**head, "fields": {"rate": number / 8, "epochs": 3}})
        make_directory(root / "jobs" / TASK / job_id, job_id, end, objects[-1], root)
    for name, lines in {"jobs.jsonl": rows, "objects.jsonl": objects}.items():
        (run / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    status: dict[str, Any] = {"version": 1, "experiment_id": "grid", "run_id": run_id, "status": "done"}
    status |= {"started_at": "2026-03-19T12:00:00", "ended_at": "2026-03-19T13:00:00"}
    status["job_states"] = states if is_recorded else {}
    (run / "status.json").write_text(json.dumps(status))
    (run / "environment.json").write_text(json.dumps({"run": {"status": "completed"}}))
    return run


def make_directory(directory: Path, job_id: str, end: str, config: dict[str, Any], root: Path) -> None:
    """What a job leaves that ended so."""
    (directory / ".experimaestro").mkdir(parents=True)
    state = {"done": "done", "failed": "error", "started": "running", "waiting": "unscheduled"}[end]
    status: dict[str, Any] = {"job_id": job_id, "task_id": TASK, "path": str(directory), "state": state}
    status |= {"failure_reason": None, "exit_code": None, "retry_count": 0, "progress": [], "events_count": 0}
    if end != "waiting":
        status["started_time"] = "2026-03-19T12:00:10.365599"
        params = {"workspace": str(root), "objects": [config], "tags": {}}
        (directory / "params.json").write_text(json.dumps(params))
    if end in ("done", "failed"):
        status["ended_time"] = "2026-03-19T12:10:16"
    (directory / ".experimaestro" / "status.json").write_text(json.dumps(status))
    for suffix in ("err", "out", "py"):
        (directory / f"learn.{suffix}").write_text("x\n")
    markers = {
        "done": ("done", ""),
        "failed": ("failed", '{"code": 1, "reason": "failed"}'),
        "started": ("pid", '{"type": "local", "pid": 1}'),
    }
    if end in markers:
        suffix, content = markers[end]
        marker = directory / f"learn.{suffix}"
        marker.write_text(content)
        os.utime(marker, (ENDED, ENDED))
