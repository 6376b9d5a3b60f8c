"""What happened to the jobs of a run between two loads."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from xpframe.backends.convert import converter_for
from xpframe.displayed import Displayed
from xpframe.errors import InvalidArgumentError
from xpframe.request import plan_scan, table_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xpframe import _core
    from xpframe.options import Backend

__all__ = ["Changes", "since"]


@dataclass(frozen=True, repr=False)
class Changes(Displayed):
    """The ids of the jobs that changed, by kind of change, in the order of submission.

    :meth:`xpframe.ExperimentInfo.since` returns it. It is true if a job changed. A job may be in several
    kinds.

    Args:
        added: Jobs submitted since then.
        started: Jobs that are running now, and were not.
        finished: Jobs that are done now, and were not.
        error: Jobs that have failed now, and had not.
        lost: Jobs that are lost now, and were not: the driver ended while they ran.
    """

    added: tuple[str, ...] = ()
    started: tuple[str, ...] = ()
    finished: tuple[str, ...] = ()
    error: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    _run: _core.Run | None = field(default=None, repr=False, compare=False)

    @property
    def failed(self) -> tuple[str, ...]:
        """The earlier name of ``error``."""
        return self.error

    def kinds(self) -> dict[str, tuple[str, ...]]:
        """The jobs by kind of change; kinds without jobs are left out."""
        named = {
            item.name: getattr(self, item.name) for item in fields(self) if not item.name.startswith("_")
        }
        return {name: jobs for name, jobs in named.items() if jobs}

    def __bool__(self) -> bool:
        return bool(self.kinds())

    def __len__(self) -> int:
        return len({job_id for jobs in self.kinds().values() for job_id in jobs})

    def __iter__(self) -> Iterator[str]:
        """The ids of the jobs, each once."""
        return iter(dict.fromkeys(job_id for jobs in self.kinds().values() for job_id in jobs))

    def frame(self, kind: str | None = None, *, backend: Backend = "pandas") -> Any:
        """The changed jobs as a DataFrame, with all their columns as they are now.

        Args:
            kind: ``"added"``, ``"started"``, ``"finished"``, ``"error"`` or ``"lost"``; by default all.
            backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``.
        """
        names = [item.name for item in fields(self) if not item.name.startswith("_")]
        if kind is not None and kind not in names:
            raise InvalidArgumentError(f"kind={kind!r}", hint=f"it is one of {', '.join(names)}")
        return converter_for(backend)(self._table(self if kind is None else getattr(self, kind)))

    def _table(self, jobs: Iterable[str]) -> _core.Table:
        if self._run is None:
            raise InvalidArgumentError(
                "these changes have no run", hint="info.since(previous) returns changes with a run"
            )
        job_ids = set(jobs)
        rows = [row for row, (job_id, _) in enumerate(self._run.rows()) if job_id in job_ids]
        plan = plan_scan([self._run], table_request())
        return next(iter(plan.batches(plan.column_names, [(0, rows)]))) if rows else plan.empty()

    def __str__(self) -> str:
        counts = ", ".join(f"{len(jobs)} {kind}" for kind, jobs in self.kinds().items())
        return counts or "nothing happened"

    def _one_line(self) -> str:
        return f"<Changes: {self}>"

    def _display(self, *, as_html: bool) -> str:
        from xpframe.display.changes import changes_html, changes_text

        return (changes_html if as_html else changes_text)(self.kinds(), self._run)


def since(run: _core.Run, before: _core.Run, time: int) -> Changes:
    """What happened to the jobs of ``run`` since ``before`` was loaded.

    Args:
        run: The run as it is now.

        before: The same run, loaded earlier.

        time: When ``before`` was loaded, in microseconds since 1970 UTC. If nobody asked ``before`` for
            states, jobs that left no sign of a change since then count as unchanged.
    """
    if run.path != before.path:
        raise InvalidArgumentError(
            f"cannot compare {run.experiment} {run.run_id} with {before.experiment} {before.run_id}",
            hint="give the same run, as info.refresh() returns it, or see previous.compare(info)",
        )
    old_jobs = {job_id for job_id, _ in before.rows()}
    states_before = before.told_states()
    states = {job_id: state for job_id, (state, _) in run.states().items()}
    if states_before is None:
        changed = set(run.changed_since(time))
        unchanged = {job_id: state for job_id, state in states.items() if job_id not in changed}
        states_before = {job_id: state for job_id, state in unchanged.items() if state != "lost"}

    def became(state: str) -> tuple[str, ...]:
        return tuple(
            job_id
            for job_id, state_now in states.items()
            if state_now == state and (job_id not in old_jobs or states_before.get(job_id) != state)
        )

    added = tuple(job_id for job_id in states if job_id not in old_jobs)
    return Changes(added, became("running"), became("done"), became("error"), became("lost"), run)
