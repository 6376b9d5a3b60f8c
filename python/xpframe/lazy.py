"""Lazy queries: a polars LazyFrame that reads the runs, rows and columns that the query needs.

polars asks :class:`Jobs` once a query what to read (``LazyFrameResolver``, polars 2). Filters are answered as far as that is
cheap, from names of runs and from jobs.jsonl; polars then applies all of them again, so that a filter can only ever be
answered too generously here.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xpframe import _core
from xpframe.errors import MissingLibraryError, XpFrameError
from xpframe.workspace import report

if TYPE_CHECKING:
    import polars

    from xpframe.frames import Columns, Experiments

__all__ = ["ReadReport", "last_read", "scan_xp"]

# what jobs.jsonl and the names of directories tell
_OF_RUN = ("workspace", "experiment", "run")
_OF_JOB = ("job_id", "task", "submitted_at")


@dataclass(frozen=True)
class ReadReport:
    """What a lazy query was asked, and what it read.

    Args:
        columns: The columns that were built.

        runs: The runs that were read, of ``all_runs``.

        jobs: The jobs that were built, of ``all_jobs``.

        files: The files that were opened for their content while the query ran, by the whole process.

        bytes: Their bytes.

        objects: The object definitions that were understood.

        pushed: The filters that chose runs and jobs, as text.
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
    """What the last lazy query of this process read; complete once its result is there."""
    return _last


def scan_xp(
    experiment: Experiments,
    *,
    workspace: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
    run: str | Sequence[str] = "latest",
    task: str | Sequence[str] | None = None,
    columns: Columns | None = None,
    strict: bool = False,
    max_columns: int = 2000,
    timezone: str | None = None,
    keep_bytes: int = 256 << 20,
) -> polars.LazyFrame:
    """Lazy queries over experiments: a polars LazyFrame with one row a job, of which only what a query needs is read.

    Filters on ``experiment``, ``run``, ``workspace``, ``job_id``, ``task``, ``submitted_at`` and tags choose runs and jobs
    before any config is looked at. :func:`last_read` tells what a query read. Each ``collect`` sees the files as they are then.

    Args:
        experiment: A name, a list of names, a glob, or the path of a run directory.

        workspace: As for :func:`xpframe.xp_frame`, or a list of workspaces.

        run: ``"latest"``, ``"all"``, the identifier of a run, or a list of them.

        task: Tasks to keep: identifiers, their last component, or globs.

        columns: The columns that there are, as for :func:`xpframe.xp_frame`. With tags only (``"tags.*"``) no config is read,
            not even to know the columns.

        strict: Whether to raise at the first thing that cannot be read.

        max_columns: More columns than this are an error.

        timezone: The IANA name of the zone of times that the files hold without one.

        keep_bytes: How many bytes of files are kept in memory once they were read to know the columns. Runs beyond that are
            read again when a query needs them, so that memory stays bounded.

    Raises:
        MissingLibraryError: polars 2 is not installed.
        WorkspaceNotFoundError, ExperimentNotFoundError, RunNotFoundError: What was asked for is not there.
    """
    try:
        from polars.lazyframe.resolver import LazyFrameResolver
    except ImportError as error:
        raise MissingLibraryError(
            "lazy queries need polars 2 or later, which is not installed", hint="pip install 'xpframe[polars]'"
        ) from error
    options = {"task": task, "columns": columns, "max_columns": max_columns, "timezone": timezone}
    jobs = Jobs(experiment, workspace, run, options, strict, keep_bytes)
    jobs.runs()  # says at once what is not there

    class Resolver(LazyFrameResolver):
        def schema(self) -> polars.Schema:
            return jobs.schema()

        def resolve_lazyframe(self, **asked: Any) -> Any:
            return jobs.resolve(**asked)

    return Resolver().lazy()


@dataclass
class Jobs:
    """The jobs that a lazy query is about: which runs there are, their columns, and how to read them."""

    experiment: Any
    workspace: Any
    run: Any
    options: dict[str, Any]
    strict: bool
    keep_bytes: int
    _model: _core.Model | None = None
    _schema: Any = None
    _signature: tuple[object, ...] = ()
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def runs(self) -> list[_core.Run]:
        """The runs as they are now."""
        from xpframe.frames import runs_of

        return runs_of(self.experiment, self.workspace, self.run)[0]

    def model(self) -> _core.Model:
        """The columns as they are now; decided again when a file was changed or a run came."""
        from xpframe.frames import model_of

        with self._lock:
            runs, several = self._runs_and_several()
            signature = tuple(_signature(run) for run in runs)
            if self._model is None or signature != self._signature:
                self._model = model_of(runs, several, keep_bytes=self.keep_bytes, **self.options)
                self._schema, self._signature = None, signature
            return self._model

    def _runs_and_several(self) -> tuple[list[_core.Run], bool]:
        from xpframe.frames import runs_of

        return runs_of(self.experiment, self.workspace, self.run)

    def schema(self) -> polars.Schema:
        """The names and polars types of the columns."""
        import polars as pl

        with self._lock:
            model = self.model()
            if self._schema is None:
                self._schema = pl.DataFrame(model.empty()).schema
            schema: polars.Schema = self._schema
            return schema

    def resolve(
        self,
        *,
        projection: list[str] | None,
        limit: int | None,
        filters: list[Any],
        existing_resolved_version_key: Any = None,
        **_: object,
    ) -> Any:
        """What polars asks: the columns, limit and filters that it knows of, for a LazyFrame that reads accordingly."""
        import polars as pl
        from polars.io.plugins import register_io_source
        from polars.lazyframe.resolver import ResolvedLazyFrameProps

        schema = self.schema()
        model = self.model()
        version = hash((self._signature, repr(projection), limit, repr([str(one.expr) for one in filters])))
        # a limit counts rows before filters do: nothing may be left out then
        chosen = [one.expr for one in filters] if limit is None else []
        wanted, pushed = _choose(model, chosen)
        plan = _Plan(self, model, schema, wanted, pushed)
        detail = f"{len(wanted)}/{len(model.runs)} runs kept"
        lazy = register_io_source(plan.batches, schema=schema, explain_name="xpframe", explain_detail=detail)
        if limit is not None:
            lazy = lazy.head(limit)
        if projection is not None:
            lazy = lazy.select(projection)
        del pl
        return lazy, ResolvedLazyFrameProps(version_key=f"{version}-{id(plan)}")


def _signature(run: _core.Run) -> tuple[object, ...]:
    """What tells whether the files of a run were changed."""
    found: list[object] = [run.path]
    for name in ("jobs.jsonl", "objects.jsonl", "configs.json", "state.json"):
        try:
            stat = os.stat(Path(run.path, name))
        except OSError:
            found.append(None)
        else:
            found.append((stat.st_size, stat.st_mtime_ns, stat.st_ino))
    return tuple(found)


def _choose(model: _core.Model, filters: list[Any]) -> tuple[list[tuple[int, list[int] | None]], list[str]]:
    """The runs and jobs that filters leave, as far as that can be told without looking at a config, and those filters."""
    import polars as pl

    names = set(model.column_names)
    facts = model.runs
    runs = pl.DataFrame(
        facts, schema={"workspace": pl.String, "experiment": pl.String, "run": pl.String, "_jobs": pl.Int64}, orient="row"
    ).with_row_index("_at")
    pushed = []
    of_jobs = []
    tags = {name for name, group in zip(model.column_names, model.groups, strict=True) if group == "tag"}
    for expr in filters:
        roots = set(expr.meta.root_names())
        if roots and roots <= names and roots <= set(_OF_RUN):
            runs = runs.filter(expr)
            pushed.append(str(expr))
        elif roots and roots <= names and roots <= {*_OF_RUN, *_OF_JOB, *tags}:
            of_jobs.append(expr)
            pushed.append(str(expr))
    kept = runs["_at"].to_list()
    if not of_jobs:
        return [(at, None) for at in kept], pushed
    cheap = sorted({root for expr in of_jobs for root in expr.meta.root_names()})
    wanted: list[tuple[int, list[int] | None]] = []
    for at, table in zip(kept, model.batches(cheap, [(at, None) for at in kept]), strict=True):
        frame = pl.DataFrame(table).with_row_index("_at").filter(*of_jobs)
        if frame.height == facts[at][3]:
            wanted.append((at, None))
        elif frame.height:
            wanted.append((at, frame["_at"].to_list()))
    return wanted, pushed


class _Plan:
    """One resolved query: the runs and jobs to read, and how polars gets their batches."""

    def __init__(
        self,
        jobs: Jobs,
        model: _core.Model,
        schema: polars.Schema,
        wanted: list[tuple[int, list[int] | None]],
        pushed: list[str],
    ) -> None:
        self.jobs, self.model, self.schema, self.wanted, self.pushed = jobs, model, schema, wanted, pushed

    def batches(
        self, with_columns: list[str] | None, predicate: polars.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[polars.DataFrame]:
        """What polars calls to read: limit first, then filter, then select, as polars means them."""
        import polars as pl

        del batch_size  # a batch is a run
        columns = self.model.column_names if with_columns is None else with_columns
        wanted = self.wanted if n_rows is None else self._first(n_rows)
        before, errors, notes = _core.progress_counters(), [], {}
        built = 0
        left = n_rows
        for table in self.model.batches(columns, wanted):
            errors.extend(table.errors)
            notes.update(dict.fromkeys(table.warnings))
            built += len(table)
            frame = pl.DataFrame(table)
            if left is not None:
                frame = frame.head(left)
                left -= frame.height
            if predicate is not None:
                frame = frame.filter(predicate)
            self._note(columns, wanted, built, before)
            yield frame if with_columns is None else frame.select(with_columns)
        self._note(columns, wanted, built, before)
        report(_once(errors), list(notes), strict=self.jobs.strict)

    def _first(self, n_rows: int) -> list[tuple[int, list[int] | None]]:
        """As many jobs as ``n_rows`` needs, from the first."""
        facts = self.model.runs
        wanted: list[tuple[int, list[int] | None]] = []
        for at, rows in self.wanted:
            if n_rows <= 0:
                break
            jobs = facts[at][3] if rows is None else len(rows)
            first = list(range(n_rows)) if rows is None else rows[:n_rows]
            wanted.append((at, rows if jobs <= n_rows else first))
            n_rows -= min(jobs, n_rows)
        return wanted

    def _note(
        self, columns: list[str], wanted: list[tuple[int, list[int] | None]], built: int, before: tuple[int, ...]
    ) -> None:
        global _last
        facts = self.model.runs
        files, size, objects, *_ = (now - then for now, then in zip(_core.progress_counters(), before, strict=True))
        _last = ReadReport(
            columns=tuple(columns),
            runs=len(wanted),
            all_runs=len(facts),
            jobs=built,
            all_jobs=sum(fact[3] for fact in facts),
            files=files,
            bytes=size,
            objects=objects,
            pushed=tuple(self.pushed),
        )


def _once(errors: list[XpFrameError]) -> list[XpFrameError]:
    """The errors, each once: every batch of a run tells those of the run."""
    return list({str(error): error for error in errors}.values())
