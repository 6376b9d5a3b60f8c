"""The states of the jobs of a run, decided on its own from the description of the format (§8, §13.4).

Slow and simple, for 2.1 and later: one job after the other, every file read anew.
"""

from __future__ import annotations

import fcntl
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

State = tuple[str, "str | None"]
UNKNOWN: State = ("unscheduled", None)


def lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a file that are objects; others, and a cut last one, are left out."""
    found = []
    for line in path.read_bytes().split(b"\n") if path.exists() else []:
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def is_alive(run: Path) -> bool:
    """Whether somebody holds the lock of the experiment."""
    lock = run.parent / "lock"
    if not lock.exists():
        return False
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def reason(text: Any) -> str:
    return str(text or "FAILED").upper()


def scheduled(run: Path) -> dict[str, State]:
    """The last state that the scheduler of this run gave each job."""
    workspace, name = run.parents[2], run.parent.name
    numbered = sorted((run / "events").glob("event-*.jsonl"), key=lambda p: int(p.stem.rpartition("-")[2]))
    live = sorted((workspace / ".events" / "experiments").glob(f"{name}-[0-9]*.jsonl"))
    found: dict[str, State] = {}
    for file in [*numbered, *live]:
        for event in lines(file):
            if event.get("event_type") == "ExperimentJobStateEvent" and event.get("run_id") == run.name:
                state = event["scheduler_state"]
                failure = reason(event.get("failure_reason")) if state == "error" else None
                found[event["job_id"]] = ("unscheduled" if state == "submitted" else state, failure)
    return found


def of_job(directory: Path, name: str, told: State, *, alive: bool) -> State:
    """The state of one job."""
    if (directory / f"{name}.done").exists():
        return ("done", None)
    if (directory / f"{name}.failed").exists():
        return ("error", reason(read(directory / f"{name}.failed").get("reason")))
    status = read(directory / ".experimaestro" / "status.json")
    if status.get("scheduler_state") == "error":
        return ("error", reason(status.get("scheduler_failure_reason")))
    if status.get("state") == "error":
        return ("error", reason(status.get("failure_reason")))
    if told[0] == "error":
        return told
    if (directory / f"{name}.pid").exists() or "running" in (status.get("state"), told[0]):
        return ("running" if alive else "lost", None)
    state = told[0] if told[0] != "unscheduled" else status.get("scheduler_state") or "unscheduled"
    # nobody is left to start a job that waits
    is_lost = not alive and state in {"waiting", "ready", "scheduled"}
    return ("lost" if is_lost else state, None)


def states(run: Path) -> dict[str, State]:
    """{job id: (state, reason of a failure)}, in the order of jobs.jsonl."""
    workspace, alive, told = run.parents[2], is_alive(run), scheduled(run)
    found = {}
    for row in lines(run / "jobs.jsonl"):
        directory = workspace / "jobs" / row["task_id"] / row["job_id"]
        name = row["task_id"].rpartition(".")[2]
        found[row["job_id"]] = of_job(directory, name, told.get(row["job_id"], UNKNOWN), alive=alive)
    return found
