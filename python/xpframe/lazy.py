"""Lazy queries: a polars LazyFrame that reads the runs, rows and columns that a query needs.

This module knows which runs are meant and keeps their columns; it needs no polars. What polars asks of them,
and how it is answered, is in :mod:`xpframe.lazy_polars`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from xpframe import _core
from xpframe.errors import InvalidArgumentError, MissingLibraryError
from xpframe.frames import model_of, runs_of, settled

if TYPE_CHECKING:
    import polars

    from xpframe.frames import Columns, Experiments, Workspaces

__all__ = ["ReadReport", "last_read", "scan_xp"]

Signature: TypeAlias = tuple[object, ...]
Counts: TypeAlias = tuple[int, int, int]  # files, bytes, objects


@dataclass(frozen=True)
class ReadReport:
    """What a lazy query was asked, and what it read.

    Every file that is opened is told once: those that were read to know the columns count for the first query
    after that.

    Args:
        columns: The columns that were built.

        runs: The runs that filters left, of ``all_runs``.

        jobs: The jobs that were built, of ``all_jobs``: less than those of the runs where jobs.jsonl could
            answer a filter, or where the query had enough.

        files: The files that were opened for their content, by the whole process.

        bytes: Their bytes.

        objects: The object definitions that were understood.

        pushed: The filters that chose runs and jobs before their configs were read, as text.
    """

    columns: tuple[str, ...] = ()
    runs: int = 0
    all_runs: int = 0
    jobs: int = 0
    all_jobs: int = 0
    files: int = 0
    bytes: int = 0
    objects: int = 0
    pushed: tuple[str, ...] = ()


_last = ReadReport()


def last_read() -> ReadReport:
    """What the last lazy query of this process read; complete once its result is there.

    Of a query over several scans (a join), it is the scan that was read last.
    """
    return _last


def note(report: ReadReport) -> None:
    """Makes a report the one that :func:`last_read` gives."""
    global _last  # noqa: PLW0603 - the last query of the process is what is asked for
    _last = report


def scan_xp(
    experiment: Experiments,
    *,
    workspace: Workspaces = None,
    run: str | Sequence[str] = "latest",
    task: str | Sequence[str] | None = None,
    columns: Columns | None = None,
    strict: bool = False,
    max_columns: int = 2000,
    timezone: str | None = None,
    keep_bytes: int = 256 << 20,
    quiet: bool = False,
) -> polars.LazyFrame:
    """Experiments as a polars LazyFrame, one row a job, of which only what a query needs is read.

    Filters on ``experiment``, ``run``, ``workspace``, ``job_id``, ``task``, ``submitted_at`` and tags choose
    runs and jobs before any config is looked at. :func:`last_read` tells what a query read. A Python function
    in a filter goes through cloudpickle: what it does to variables outside of it is not seen there.

    The columns are decided here: for that, the configs of all runs are looked at once, unless ``columns``
    names only tags and system columns (``["job_id", "tags.*"]``). Each ``collect`` sees the runs, jobs and
    columns that there are then; files that did not change are not read again to know the columns. Which
    workspace is meant is settled here. A run that is read again while jobs are appended to it is read as far
    as it was known; one that was replaced meanwhile ends ``collect`` with a ``ReadError`` that says to ask
    again.

    Args:
        experiment: A name, a list of names, a glob, or the path of a run directory.

        workspace: As for :func:`xpframe.xp_frame`; several have a column ``workspace``.

        run: ``"latest"``, ``"all"``, the identifier of a run, or a list of them.

        task: Tasks to keep: identifiers, their last component, or globs.

        columns: The columns that there are, as for :func:`xpframe.xp_frame`.

        strict: Whether to raise at the first thing that cannot be read.

        max_columns: More columns than this are an error.

        timezone: The IANA name of the zone of times that the files hold without one.

        keep_bytes: How many bytes of files are kept in memory once they were read to know the columns. Runs
            beyond that are read again when a query needs them, so that memory stays bounded.

        quiet: Whether progress is not shown: here, and by each ``collect``.

    Raises:
        MissingLibraryError: polars 2 is not installed.
        WorkspaceNotFoundError, ExperimentNotFoundError, RunNotFoundError: What was asked for is not there.
        ColumnError, TooManyColumnsError: The columns are not.
        InvalidArgumentError: An argument is not what it can be.
    """
    require_polars()
    if keep_bytes < 0:
        raise InvalidArgumentError(f"keep_bytes={keep_bytes}", hint="it is a number of bytes, 0 or more")
    from xpframe.lazy_polars import lazy_frame

    options = {"task": task, "columns": columns, "max_columns": max_columns, "timezone": timezone}
    return lazy_frame(Jobs(*settled(experiment, workspace), run, options, strict, keep_bytes, quiet))


def require_polars() -> None:
    """Says what to install where polars is too old or missing."""
    try:
        import polars

        found = f"polars {polars.__version__}"
    except ImportError:
        found = ""
    if not found or int(found.split()[1].partition(".")[0]) < 2:
        raise MissingLibraryError(
            f"lazy queries need polars 2 or later: {found or 'polars'} is {'' if found else 'not '}installed",
            hint="pip install 'xpframe[polars]'",
        )


@dataclass(frozen=True, eq=False)
class Known:
    """The columns of some runs, and what their files were like when these were decided."""

    model: _core.Model
    signature: Signature


@dataclass
class Jobs:
    """The jobs that a lazy query is about: their runs, and their columns, kept until a file changes."""

    experiment: Experiments
    workspace: Workspaces
    run: str | Sequence[str]
    options: dict[str, Any]
    strict: bool
    keep_bytes: int
    quiet: bool
    _known: Known | None = None
    _untold: Counts = (0, 0, 0)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __str__(self) -> str:
        """The question, in one line."""
        place = "" if self.workspace is None else f", workspace={self.workspace}"
        return f"{self.experiment}, run={self.run}{place}"

    def runs(self) -> tuple[list[_core.Run], bool]:
        """The runs that there are now, and whether the question was for several."""
        return runs_of(self.experiment, self.workspace, self.run)

    def known(self) -> Known:
        """The columns as they are now; decided again when a file was changed or a run came."""
        with self._lock:
            runs, several = self.runs()
            # before they are read: files that grow meanwhile are then read again by the next query
            signature = tuple(_signature(str(run.path)) for run in runs)
            if self._known is None or signature != self._known.signature:
                self._known = None  # not both in memory
                with self.counting():
                    model = model_of(
                        runs, several, keep_bytes=self.keep_bytes, quiet=self.quiet, **self.options
                    )
                self._known = Known(model, signature)
            return self._known

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Remembers what is read meanwhile, to be told by the next query."""
        before = counters()
        try:
            yield
        finally:
            self._untold = plus(self._untold, since(before))

    def untold(self) -> Counts:
        """What was read and not told yet."""
        counts, self._untold = self._untold, (0, 0, 0)
        return counts

    def of_runs(self, model: _core.Model) -> dict[str, int]:
        """The columns that are one value a run, by name: where it stands in the facts of ``model.runs``."""
        places = {"workspace": 0, "experiment": 1, "run": 2}
        return {name: places[origin] for name, origin in self._origins(model).items() if origin in places}

    def of_jobs(self, model: _core.Model) -> set[str]:
        """The columns that jobs.jsonl and the names of directories tell, without a config."""
        told = {"workspace", "experiment", "run", "job_id", "task", "submitted_at"}
        tags = {name for name, group in zip(model.column_names, model.groups, strict=True) if group == "tag"}
        return tags | {name for name, origin in self._origins(model).items() if origin in told}

    def _origins(self, model: _core.Model) -> dict[str, str]:
        """The system columns by the names that they have here: a mapping may have given them any."""
        columns = self.options["columns"]
        renamed = columns if isinstance(columns, Mapping) else {}
        groups = zip(model.column_names, model.groups, strict=True)
        return {name: str(renamed.get(name, name)) for name, group in groups if group == "system"}

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle holds: the question, not what was read, nor its lock."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Asks the question of a pickle anew."""
        vars(self).update(state, _known=None, _untold=(0, 0, 0), _lock=threading.RLock())


def counters() -> Counts:
    """The files, bytes and objects that this process has read so far."""
    files, size, objects, *_ = _core.progress_counters()
    return files, size, objects


def since(before: Counts) -> Counts:
    """What was read since the counters were ``before``."""
    now = counters()
    return now[0] - before[0], now[1] - before[1], now[2] - before[2]


def plus(one: Counts, other: Counts) -> Counts:
    """What was read in all."""
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _signature(run: str) -> Signature:
    """What tells whether the jobs of a run, or their configs, were changed."""
    names: Iterable[str] = ("jobs.jsonl", "objects.jsonl", "configs.json", "state.json")
    files = [_fact(os.path.join(run, name)) for name in names]  # noqa: PTH118 - 800 a query over 200 runs
    if files[0] is not None:
        return (run, *files)
    # before 2.0 the links under jobs/ are the list of jobs
    links = Path(run, "jobs")
    tasks = sorted(links.iterdir()) if links.is_dir() else []
    return (run, *files, *(_fact(path) for path in (links, *tasks)))


def _fact(path: str | Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - as above
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino
