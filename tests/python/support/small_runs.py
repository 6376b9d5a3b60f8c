"""Small runs as 2.7.0 writes them, with job directories that tests move, archive and break."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

TASK = "lab.train"
# 2026-01-01T12:00:00Z
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def job_id(job: int) -> str:
    return hashlib.sha256(f"small {job}".encode()).hexdigest()


@dataclass
class SmallRun:
    """One run of the experiment ``grid`` in a workspace; the clock of its driver shows UTC."""

    root: Path
    run_id: str = "20260101_120000"
    experiment: str = "grid"
    recorded_root: str = ""
    began: datetime = NOON
    jobs: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path.mkdir(parents=True)
        (self.root / ".__experimaestro__").touch()
        self.recorded_root = self.recorded_root or str(self.root)
        self.write(
            "status.json", {"run_id": self.run_id, "status": "done", "ended_at": "2026-01-01T13:00:00"}
        )

    @property
    def path(self) -> Path:
        return self.root / "experiments" / self.experiment / self.run_id

    def write(self, name: str, content: Any) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return file

    def append(self, name: str, line: dict[str, Any]) -> None:
        with (self.path / name).open("a") as out:
            out.write(json.dumps(line) + "\n")

    def directory(self, job: int) -> Path:
        return self.root / "jobs" / TASK / job_id(job)

    def definition(self, job: int) -> dict[str, Any]:
        out = {"type": "path", "value": f"{self.recorded_root}/jobs/{TASK}/{job_id(job)}/model.pt"}
        names = {"id": job + 1, "module": "lab", "type": "Train", "typename": "lab.Train"}
        return {**names, "identifier": job_id(job), "fields": {"n": job, "out": out}}

    def submit(self, job: int, minute: int = 1, *, links: bool = True) -> None:
        """A line for a job in jobs.jsonl and objects.jsonl, and a link to its directory."""
        submitted = (self.began + timedelta(minutes=minute)).timestamp()
        self.append(
            "jobs.jsonl", {"job_id": job_id(job), "task_id": TASK, "tags": {}, "timestamp": submitted}
        )
        self.append("objects.jsonl", self.definition(job))
        link = self.path / "jobs" / TASK / job_id(job)
        link.parent.mkdir(parents=True, exist_ok=True)
        if links:
            link.symlink_to(f"{self.recorded_root}/jobs/{TASK}/{job_id(job)}")

    def execute(self, job: int, minute: int = 2, *, marker: str = "done") -> Path:
        """The directory of a job that ran for a minute."""
        directory = self.directory(job)
        (directory / ".experimaestro").mkdir(parents=True)
        started = self.began + timedelta(minutes=minute)
        ended = started + timedelta(minutes=1)
        local = [moment.replace(tzinfo=None).isoformat() for moment in (started, ended)]
        status = {
            "job_id": job_id(job),
            "path": f"{self.recorded_root}/jobs/{TASK}/{job_id(job)}",
            "state": "done" if marker == "done" else "error",
            "started_time": local[0],
            "ended_time": local[1],
            "retry_count": 0,
        }
        (directory / ".experimaestro/status.json").write_text(json.dumps(status))
        params = {"workspace": self.recorded_root, "version": 3, "objects": [self.definition(job)]}
        (directory / "params.json").write_text(json.dumps(params))
        (directory / "model.pt").write_text("weights")
        mark = directory / f"train.{marker}"
        mark.write_text("" if marker == "done" else '{"code": 3, "reason": "failed"}')
        os.utime(mark, (ended.timestamp(), ended.timestamp()))
        return directory
