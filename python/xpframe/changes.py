"""What happened to a run between two looks at it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from xpframe.backends.convert import Backend, converter_for
from xpframe.displayed import Displayed
from xpframe.errors import InvalidArgumentError
from xpframe.request import read_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xpframe import _core

__all__ = ["Changes", "since"]


@dataclass(frozen=True, repr=False)
class Changes(Displayed):
    """The jobs of a run to which something happened, by their identifiers, in the order of submission.

    Made by :meth:`xpframe.ExperimentInfo.since`. It is true if anything happened. A job may be in several.

    Args:
        added: Submitted meanwhile.

        started: Running now, and not before.

        finished: Done now, and not before.

        failed: Failed now, and not before.

        lost: Lost now, and not before: the driver went away while they ran.
    """

    added: tuple[str, ...] = ()
    started: tuple[str, ...] = ()
    finished: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    _run: _core.Run | None = field(default=None, repr=False, compare=False)

    def kinds(self) -> dict[str, tuple[str, ...]]:
        """The jobs by what happened to them, without what happened to none."""
        named = {one.name: getattr(self, one.name) for one in fields(self) if not one.name.startswith("_")}
        return {name: jobs for name, jobs in named.items() if jobs}

    def __bool__(self) -> bool:
        return bool(self.kinds())

    def __len__(self) -> int:
        return len({job_id for jobs in self.kinds().values() for job_id in jobs})

    def __iter__(self) -> Iterator[str]:
        """The identifiers of the jobs, each once."""
        return iter(dict.fromkeys(job_id for jobs in self.kinds().values() for job_id in jobs))

    def frame(self, kind: str | None = None, *, backend: Backend = "pandas") -> Any:
        """The jobs to which something happened as a DataFrame, with all their columns as they are now.

        Args:
            kind: ``"added"``, ``"started"``, ``"finished"``, ``"failed"`` or ``"lost"``; all if not given.

            backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``.
        """
        names = [one.name for one in fields(self) if not one.name.startswith("_")]
        if kind is not None and kind not in names:
            raise InvalidArgumentError(f"kind={kind!r}", hint=f"it is one of {', '.join(names)}")
        return converter_for(backend)(self._table(self if kind is None else getattr(self, kind)))

    def _table(self, jobs: Iterable[str]) -> _core.Table:
        if self._run is None:
            raise InvalidArgumentError(
                "these changes are of no run", hint="ask info.since(previous) for some"
            )
        wanted = set(jobs)
        places = [at for at, (job_id, _) in enumerate(self._run.rows()) if job_id in wanted]
        model = read_model(
            [self._run], False, task=None, columns=None, max_columns=2000, timezone=None, keep_bytes=1 << 62
        )
        if not places:
            return model.empty()
        return next(iter(model.batches(model.column_names, [(0, places)])))

    def __str__(self) -> str:
        counts = ", ".join(f"{len(jobs)} {kind}" for kind, jobs in self.kinds().items())
        return counts or "nothing happened"

    def _one_line(self) -> str:
        return f"<Changes: {self}>"

    def _display(self, *, as_html: bool) -> str:
        from xpframe.display.changes import changes_html

        return changes_html(self.kinds()) if as_html else repr(self)


def since(
    run: _core.Run, states: dict[str, str], before: _core.Run, states_before: dict[str, str] | None, time: int
) -> Changes:
    """What happened to the jobs of ``run``, whose states are ``states``, since ``before`` was loaded.

    Args:
        run: The run as it is now.

        states: The state of each job now.

        before: The same run, loaded earlier.

        states_before: The states that ``before`` gave last; None if nobody asked for them.

        time: When ``before`` was loaded, in microseconds since 1970 UTC. Without ``states_before``, jobs that
            wrote no marker file since then count as unchanged.
    """
    if run.path != before.path:
        raise InvalidArgumentError(
            f"{before.experiment} {before.run_id} is another run than {run.experiment} {run.run_id}",
            hint="compare a run with what info.refresh() gave of it",
        )
    old_jobs = {job_id for job_id, _ in before.rows()}
    if states_before is None:
        marked = set(run.marked_since(time))
        unchanged = {job_id: state for job_id, state in states.items() if job_id not in marked}
        states_before = {job_id: state for job_id, state in unchanged.items() if state != "lost"}

    def became(state: str) -> tuple[str, ...]:
        return tuple(
            job_id
            for job_id, state_now in states.items()
            if state_now == state and (job_id not in old_jobs or states_before.get(job_id) != state)
        )

    added = tuple(job_id for job_id in states if job_id not in old_jobs)
    return Changes(added, became("running"), became("done"), became("error"), became("lost"), run)
