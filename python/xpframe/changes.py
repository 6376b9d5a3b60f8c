"""What happened to a run between two looks at it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from xpframe.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xpframe import _core
    from xpframe.frames import Backend
    from xpframe.workspace import ExperimentInfo

__all__ = ["Changes", "since"]


@dataclass(frozen=True)
class Changes:
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
        from xpframe.frames import hand_over

        names = [one.name for one in fields(self) if not one.name.startswith("_")]
        if kind is not None and kind not in names:
            raise InvalidArgumentError(f"kind={kind!r}", hint=f"it is one of {', '.join(names)}")
        return hand_over(backend)(self._table(self if kind is None else getattr(self, kind)))

    def _table(self, jobs: Iterable[str]) -> _core.Table:
        from xpframe.frames import model_of

        if self._run is None:
            raise InvalidArgumentError(
                "these changes are of no run", hint="ask info.since(previous) for some"
            )
        wanted = set(jobs)
        places = [at for at, (job_id, _) in enumerate(self._run.rows()) if job_id in wanted]
        model = model_of(
            [self._run], False, task=None, columns=None, max_columns=2000, timezone=None, keep_bytes=1 << 62
        )
        if not places:
            return model.empty()
        return next(iter(model.batches(model.column_names, [(0, places)])))

    def __str__(self) -> str:
        counts = ", ".join(f"{len(jobs)} {kind}" for kind, jobs in self.kinds().items())
        return counts or "nothing happened"

    def __repr__(self) -> str:
        return f"<Changes: {self}>"

    def _repr_html_(self) -> str:
        from xpframe import display

        return display.changes_html(self)


def since(info: ExperimentInfo, previous: ExperimentInfo) -> Changes:
    """What happened to the jobs of a run since ``previous`` was loaded, or last told their states."""
    if info.path != previous.path:
        raise InvalidArgumentError(
            f"{previous.experiment} {previous.run_id} is another run than {info.experiment} {info.run_id}",
            hint="compare a run with what info.refresh() gave of it",
        )
    run, old = info._run, previous._run  # noqa: SLF001 - the two halves of one class
    now = info.states
    known = {job_id for job_id, _ in old.rows()}
    before = previous._seen  # noqa: SLF001
    if before is None:
        # nobody asked for the states of before: what left no marker since then is as it was
        marked = set(run.marked_since(previous._loaded_at))  # noqa: SLF001
        before = {job_id: state for job_id, state in now.items() if job_id not in marked and state != "lost"}

    def became(state: str) -> tuple[str, ...]:
        return tuple(
            job_id
            for job_id, is_now in now.items()
            if is_now == state and (job_id not in known or before.get(job_id) != state)
        )

    added = tuple(job_id for job_id in now if job_id not in known)
    return Changes(added, became("running"), became("done"), became("error"), became("lost"), run)
