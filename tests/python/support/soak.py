"""A driver and its readers, each a process: `python soak.py write ROOT SECONDS`, `… read ROOT SECONDS`.

The writer appends as experimaestro 2.7.0 does (a row of jobs.jsonl opened, written and closed each;
objects.jsonl through one buffer of 8 KiB that is flushed after each submission; status.json rewritten in
place; markers as jobs end), thousands of times faster. Every value follows from the number of its job, so a
reader knows by itself whether what it reads is right.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xpframe

if TYPE_CHECKING:
    from collections.abc import Callable

JOBS = 400  # a run; then comes the next one
LONG = 37  # each so many jobs a submission is larger than the buffer, so that half lines are seen


def job_id(run: str, n: int) -> str:
    return hashlib.sha256(f"{run} {n}".encode()).hexdigest()


def task_id(run: str) -> str:
    """A task of each run: the directories of one task are listed, and must not become more and more."""
    return f"lab.train{run[-6:]}"


def text_of(n: int) -> str:
    return f"job {n} " * (3_000 if n % LONG == 0 else 3)


# --- the writer ---


class Driver:
    """One run after the other."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "experiments" / "soak"
        self.home.mkdir(parents=True, exist_ok=True)
        (root / ".__experimaestro__").touch()

    def write(self, number: int, until: Callable[[], bool]) -> None:
        """A run, until it has all its jobs or the time is over."""
        run = self.home / f"20260101_{number:06}"
        run.mkdir()
        current = self.home / "current"
        current.unlink(missing_ok=True)
        current.symlink_to(run.name)
        with (run / "objects.jsonl").open("w", buffering=8192, encoding="utf-8") as objects:
            for n in range(JOBS):
                if until():
                    break
                self.submit(run, n, objects)
                if n % 50 == 0:
                    self.status(run, "running", n)
        self.status(run, "done", JOBS)

    def submit(self, run: Path, n: int, objects: Any) -> None:
        job = job_id(run.name, n)
        row = {"job_id": job, "task_id": task_id(run.name), "tags": {"n": n}, "timestamp": 1.5e9 + n}
        with (run / "jobs.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
        model = 1_000_000 + n // 10
        if n % 10 == 0:
            objects.write(line(model, "Model", f"m{n}", {"size": n // 10}))
        reference = {"type": "python", "value": model}
        fields = {"n": n, "half": n / 2, "text": text_of(n), "model": reference}
        objects.write(line(n, "Train", job, fields))
        objects.flush()
        directory = self.root / "jobs" / task_id(run.name) / job
        directory.mkdir(parents=True)
        if n % 3:
            (directory / f"{task_id(run.name)[4:]}.done").touch()

    def status(self, run: Path, word: str, count: int) -> None:
        states = {job_id(run.name, n): "done" for n in range(count)}
        content = {"run_id": run.name, "status": word, "started_at": None, "job_states": states}
        # not atomic, as the real one while it counts its events
        (run / "status.json").write_text(json.dumps(content, indent=2))


def line(number: int, name: str, identifier: str, fields: dict[str, Any]) -> str:
    definition = {
        "id": number,
        "module": "lab",
        "type": name,
        "typename": f"lab.{name}",
        "identifier": identifier,
        "fields": fields,
    }
    return json.dumps(definition, separators=(",", ":")) + "\n"


def write(root: Path, seconds: float) -> dict[str, int]:
    end, number = time.monotonic() + seconds, 0
    driver = Driver(root)
    while time.monotonic() < end:
        driver.write(number, lambda: time.monotonic() > end)
        number += 1
    return {"runs": number}


# --- a reader ---


def resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def check(run: str, workspace: xpframe.Workspace) -> tuple[int, int]:
    """Reads a run that may be growing; says how many jobs it had, and how many errors there were."""
    info = workspace.load_xp_info("soak", run)
    rows = list(info.tags)
    assert rows == [job_id(run, n) for n in range(len(rows))], "not a prefix of the final run"
    for key, job in info.jobs.items():
        n = info.tags[key]["n"]
        assert key == job_id(run, n) == xpframe.identifier(job)
        assert (job.n, job.half, job.text) == (n, n / 2, text_of(n)), key
        assert job.model.size == n // 10
    missing = len(rows) - len(info.jobs)
    # the row of a job is written before its objects
    assert missing <= 1, f"{missing} jobs without a config"
    assert [*info.jobs] == rows[: len(info.jobs)]
    table = info.table()
    assert len(table) == len(rows), "the info has changed"
    if rows:
        assert table.column_values("tags.n") == list(range(len(rows)))
    if info.jobs:
        expected = [*range(len(info.jobs)), *[None] * missing]
        assert table.column_values("config.n") == expected
        assert table.column_values("config.model.size") == [None if n is None else n // 10 for n in expected]
    states = info.states
    assert all(states[job_id(run, n)] == "done" for n in range(len(rows)) if n % 3 and n < len(rows) - 1)
    assert len(info.errors) <= 3, info.errors
    return len(rows), len(info.errors)


def read(root: Path, seconds: float) -> dict[str, int]:
    warnings.simplefilter("ignore")
    end = time.monotonic() + seconds
    while not list(root.glob("experiments/soak/2*")) and time.monotonic() < end:
        time.sleep(0.01)
    workspace = xpframe.Workspace(root)
    counts = {"loads": 0, "rows": 0, "errors": 0, "grown": 0}
    settled = 0
    while time.monotonic() < end:
        # mostly the run that is being written; it may not have begun
        rows, errors = check(workspace.get_current_run("soak"), workspace)
        counts = {**counts, "loads": counts["loads"] + 1, "rows": counts["rows"] + rows}
        counts["errors"] += errors
        if time.monotonic() > end - seconds * 0.6 and not settled:
            settled = resident()
    counts["grown"] = resident() - settled if settled else 0
    return counts


if __name__ == "__main__":
    act = {"write": write, "read": read}[sys.argv[1]]
    print(json.dumps(act(Path(sys.argv[2]), float(sys.argv[3]))))
