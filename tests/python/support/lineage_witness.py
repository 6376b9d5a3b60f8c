"""A slow and obvious reader of lineage: which job stands behind another one, by the witness's objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from witness import EnumName, Missing, Obj, Row, Run

SEVERAL = "several"


@dataclass(frozen=True, eq=False)
class Job:
    """A job: its object, the run that has this object, and its row where a run lists it."""

    run: Run
    obj: Obj
    row: Row | None

    @property
    def job_id(self) -> str:
        return self.obj.identifier

    @property
    def task(self) -> str:
        return self.row.task_id if self.row else self.obj.typename.lower()


class World:
    """The runs of a workspace, and the steps between their jobs, as seen from one of them."""

    def __init__(self, runs: list[Run], origin: Run) -> None:
        latest = sorted(runs, key=lambda run: (run.run_id, run.experiment), reverse=True)
        self.searched = [origin, *latest]

    def job(self, run: Run, obj: Obj) -> Job:
        """The job of an object of a run: with the row of the run asked, else of the latest that lists it."""
        for listing in self.searched:
            for row in listing.rows:
                if row.job_id == obj.identifier:
                    stub = obj.stub and row.config is not None
                    return Job(listing, row.config, row) if stub and row.config else Job(run, obj, row)
        return Job(run, obj, None)

    def producer(self, run: Run, obj: Obj) -> Job | None:
        """The job that an object is, or was produced by."""
        if isinstance(obj.task, Obj):
            return self.job(run, obj.task)
        is_job = obj.stub or any(row.job_id == obj.identifier for row in run.rows)
        return self.job(run, obj) if is_job and not isinstance(obj.task, Missing) else None

    def direct(self, job: Job) -> dict[str, Job]:
        """The jobs that a job needs directly."""
        found: dict[str, Job] = {}

        def visit(value: Any) -> None:
            if isinstance(value, Obj):
                producer = self.producer(job.run, value)
                if producer is not None:
                    found[producer.job_id] = producer
                else:
                    visit([*value.fields.values(), *value.init_tasks])
            elif isinstance(value, dict):
                visit(list(value.values()))
            elif isinstance(value, (list, tuple)) and not isinstance(value, (EnumName, Missing)):
                for item in value:
                    visit(item)

        visit([*job.obj.fields.values(), *job.obj.init_tasks])
        found.pop(job.job_id, None)
        return found

    def nearest(self, job: Job, is_meant: Callable[[str], bool]) -> Job | str | None:
        """The nearest job upstream of a task; `SEVERAL` if several are equally near."""
        level, seen = self.direct(job), {job.job_id}
        while level:
            meant = [near for near in level.values() if is_meant(near.task)]
            if meant:
                return meant[0] if len(meant) == 1 else SEVERAL
            seen |= set(level)
            level = {
                job_id: deeper
                for near in level.values()
                for job_id, deeper in self.direct(near).items()
                if job_id not in seen
            }
        return None

    def rows(self, run: Run) -> Iterator[Job]:
        """The jobs of a run that have a config."""
        for row in run.rows:
            if row.config is not None:
                yield Job(run, row.config, row)
