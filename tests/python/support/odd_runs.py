"""Runs of which a test writes the lines of jobs.jsonl itself."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

RUN = "20260101_000000"


def job_id(job: int) -> str:
    return hashlib.sha256(f"odd {job}".encode()).hexdigest()


def row(job: int, **changed: Any) -> dict[str, Any]:
    tags = {"lr": job / 8, "size": job}
    return {"job_id": job_id(job), "task_id": "lab.train", "tags": tags, "timestamp": 1.7e9 + job, **changed}


def write_run(root: Path, lines: list[str]) -> Path:
    """A run of these lines of jobs.jsonl, with a config for each of the first ten jobs."""
    run = root / "experiments" / "odd" / RUN
    run.mkdir(parents=True)
    (root / ".__experimaestro__").touch()
    (run / "jobs.jsonl").write_text("".join(f"{line}\n" for line in lines))
    config = {"module": "lab", "type": "Train", "typename": "lab.train"}
    objects = [
        {"id": job + 1, **config, "identifier": job_id(job), "fields": {"rate": job / 4}} for job in range(10)
    ]
    (run / "objects.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in objects))
    return run
