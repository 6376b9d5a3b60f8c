"""A job by the names of experimaestro's provider."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xpframe.report import report
from xpframe.request import plan_scan, table_request
from xpframe.state import State
from xpframe.text import at_microseconds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from xpframe import _core

__all__ = ["Job", "job_of", "jobs_of", "time_of"]

JOB_COLUMNS = [
    "job_id",
    "task",
    "path",
    "state",
    "failure",
    "submitted_at",
    "started_at",
    "ended_at",
    "exit_code",
    "retries",
]


@dataclass(frozen=True)
class Job:
    """A job, by the names that experimaestro gives its facts. Times are in UTC.

    Attributes:
        identifier: Its id.
        task_id: Its task.
        path: Its directory.
        state: Its state, with ``failure_reason``.
        submittime: When it was submitted; None if no run lists the job.
        starttime: When it began to run, None if it never did.
        endtime: When it ended.
        exit_code: Its exit code, if it failed with one.
        retry_count: How many times it was run again.
        tags: Its tags in the run.
        experiment_id: The experiment of the run; empty if no run lists the job.
        run_id: The run.
    """

    identifier: str
    task_id: str
    path: Path
    state: State
    submittime: datetime | None = None
    starttime: datetime | None = None
    endtime: datetime | None = None
    exit_code: int | None = None
    retry_count: int = 0
    tags: dict[str, Any] = field(default_factory=dict)
    experiment_id: str = ""
    run_id: str = ""

    @property
    def failure_reason(self) -> State | None:
        """Why it failed, as ``TIMEOUT``; None if it did not."""
        return self.state.failure_reason

    @property
    def full_id(self) -> str:
        """``task:job``, which is unique in the workspace."""
        return f"{self.task_id}:{self.identifier}"

    @property
    def locator(self) -> str:
        """``task/job``, its path below ``jobs/``."""
        return f"{self.task_id}/{self.identifier}"

    @property
    def last_time(self) -> datetime | None:
        """The last time that is known of it."""
        return max((time for time in (self.submittime, self.starttime, self.endtime) if time), default=None)


def jobs_of(run: _core.Run, positions: Sequence[int] | None = None) -> list[Job]:
    """The jobs of a run, or those at some positions, in the order of submission."""
    plan = plan_scan([run], table_request({"columns": JOB_COLUMNS}), quiet=True)
    names, tags, jobs = plan.column_names, run.tags_map(), []
    for table in plan.batches(names, [(0, positions)]):
        report(table.errors, table.warnings, strict=False)
        rows = zip(*(table.column_values(name) for name in names), strict=True)
        facts = (dict(zip(names, row, strict=True)) for row in rows)
        jobs += [job_of(fact, tags.get(fact["job_id"], {}), (run.experiment, run.run_id)) for fact in facts]
    return jobs


def job_of(fact: dict[str, Any], tags: dict[str, Any], origin: tuple[str, str]) -> Job:
    """A job of its columns, its tags, and the names of its experiment and run."""
    return Job(
        identifier=fact["job_id"],
        task_id=fact["task"],
        path=Path(fact["path"] or ""),
        state=State(fact["state"], fact["failure"]),
        submittime=time_of(fact["submitted_at"]),
        starttime=time_of(fact["started_at"]),
        endtime=time_of(fact["ended_at"]),
        exit_code=fact["exit_code"],
        retry_count=fact["retries"] or 0,
        tags=tags,
        experiment_id=origin[0],
        run_id=origin[1],
    )


def time_of(microseconds: int | None) -> datetime | None:
    """A time of microseconds since 1970, in UTC."""
    return None if microseconds is None else at_microseconds(microseconds)
