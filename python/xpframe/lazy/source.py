"""Answers polars for a lazy query (``register_io_source`` of polars 2).

At each ``collect`` polars asks for the schema, then for batches: some of the columns, a filter, a limit. The
parts of the filter that directory names and jobs.jsonl can answer choose runs and jobs. The whole filter is
then applied to what was read of these jobs, so the first choice may be too large but never too small.

Observed behaviour of polars that this module depends on:

- the limit counts rows before the filter does: with a limit, no job may be left out;
- the columns that the filter needs are among the requested ones;
- filters that look at several rows (``x == x.max()``) are not passed on; Python functions arrive pickled by
  cloudpickle;
- an exception raised in a batch leaves ``collect`` unchanged; one raised for the schema becomes the text of a
  ``ComputeError``;
- the streaming engine takes batches on a thread of its own, and stops when ``head`` has enough rows;
- on that thread only polars checks for Ctrl-C, between batches: while no batch is ready, it gets empty ones.

``LazyFrameResolver``, which could choose before polars makes its plan, is not used. In polars 2.1 the rest of
the plan is then made with columns that were not requested: ``select("b", "a").slice(1).with_row_index()
.select("b")`` panics, ``select("b").head(1).filter(False)`` has all columns. It also never sees a new column.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl
from polars.exceptions import PolarsError
from polars.io.plugins import register_io_source

from xpframe.errors import XpFrameError, XpFrameWarning
from xpframe.lazy.report import Counts, ReadReport, add, read_counters, read_since, set_last_read
from xpframe.progress import watch
from xpframe.report import report
from xpframe.request import title_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xpframe import _core
    from xpframe.lazy.query import ResolvedPlan, ScanQuery

__all__ = ["conjuncts", "lazy_frame"]

# (index of a run, indices of its jobs or None for all) pairs
Selection: TypeAlias = list[tuple[int, list[int] | None]]

# batch size for large runs; streaming to a file keeps a few batches in memory
JOBS_PER_BATCH = 32_768
# a name that no column has
_INDEX = "\0index"


def lazy_frame(query: ScanQuery) -> pl.LazyFrame:
    """A LazyFrame for this query. The columns are decided now."""
    source = Source(query)
    source.decide()
    return register_io_source(
        source.batches,
        schema=source.schema,
        validate_schema=True,
        explain_name="xpframe",
        explain_detail=str(query),
    )


class Source:
    """The two callbacks of polars for one query: ``schema`` and ``batches``."""

    def __init__(self, query: ScanQuery) -> None:
        self.query = query
        self._decided: tuple[ResolvedPlan, pl.Schema] | None = None
        self._failure: BaseException | None = None

    def decide(self) -> tuple[ResolvedPlan, pl.Schema]:
        """The columns as they are now."""
        resolved = self.query.resolve()
        if self._decided is None or self._decided[0] is not resolved:
            self._decided = resolved, _to_polars(resolved.plan.empty()).schema
        return self._decided

    def schema(self) -> pl.Schema:
        """The columns, for polars.

        polars would hide the type of an exception raised here, even that of Ctrl-C. So the last schema is
        returned, and ``batches`` raises the exception.
        """
        self._failure = None
        try:
            return self.decide()[1]
        except BaseException as error:
            if self._decided is None:
                raise
            self._failure = error
            return self._decided[1]

    def batches(
        self,
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        """The rows, for polars, which means the limit to apply before the filter.

        A batch is a run, a part of a run, or several small runs.
        """
        del batch_size
        if self._failure is not None:
            raise self._failure
        resolved, schema = self._decided or self.decide()
        columns = list(schema) if with_columns is None else with_columns
        with self.query.counting():
            # a limit counts the rows that a filter leaves out
            filters = [] if predicate is None or n_rows is not None else conjuncts(predicate)
            choice = _choose(resolved, columns, filters)
        remaining = n_rows
        for rows in Reader(self.query, resolved, choice).frames(columns, n_rows):
            frame = rows if remaining is None else rows.head(remaining)
            remaining = None if remaining is None else remaining - frame.height
            yield frame if predicate is None else frame.filter(predicate)

    def __getstate__(self) -> dict[str, Any]:
        """A pickle holds the query, nothing that was read."""
        return {"query": self.query, "_decided": None, "_failure": None}


class Reader:
    """Reads the chosen runs and jobs once; reports what was read and what could not be."""

    def __init__(self, query: ScanQuery, resolved: ResolvedPlan, choice: Choice) -> None:
        self.query, self.plan, self.choice = query, resolved.plan, choice
        self.pending, self.built = query.pending_reads(), 0
        self.errors: dict[str, XpFrameError] = {}
        self.notes: dict[str, None] = {}

    def frames(self, columns: list[str], limit: int | None) -> Iterator[pl.DataFrame]:
        """These columns of the chosen jobs, run after run; only the first ``limit`` jobs if it is given."""
        job_counts = [jobs for *_, jobs in self.plan.runs]
        selection = self.choice.selection
        if limit is not None:
            selection = _first(selection, limit, job_counts)
        expected = ReadReport(
            columns=tuple(columns),
            runs=len(selection),
            all_runs=len(job_counts),
            all_jobs=sum(job_counts),
            pushed=tuple(self.choice.pushed),
        )
        total = sum(job_counts[run] if jobs is None else len(jobs) for run, jobs in selection)
        empty = _to_polars(self.plan.empty()).select(columns)
        before = read_counters()
        try:
            with watch(lambda: (self.built, total, "jobs"), self._title(), quiet=self.query.quiet):
                try:
                    for table in _when_ready(self.plan.batches(columns, selection, JOBS_PER_BATCH)):
                        if table is None:
                            yield empty
                            continue
                        self._collect(table)
                        self._record(expected, before)
                        yield _to_polars(table)
                except GeneratorExit:
                    # polars has enough rows, or was interrupted: an exception raised here would only be
                    # printed. Ctrl-C is raised once more at the next call, which must be inside this `try`
                    try:  # noqa: SIM105 - `suppress` would be that next call
                        self._report()
                    except (XpFrameWarning, KeyboardInterrupt):
                        pass
                    raise
        finally:
            self._record(expected, before)
        self._report()

    def _title(self) -> str:
        return title_of([(experiment, run) for _, experiment, run, _ in self.plan.runs])

    def _collect(self, table: _core.Table) -> None:
        self.built += len(table)
        self.errors |= {str(error): error for error in table.errors}
        self.notes |= dict.fromkeys(table.warnings)
        if self.query.strict and self.errors:
            self._report()

    def _report(self) -> None:
        report(list(self.errors.values()), list(self.notes), strict=self.query.strict)

    def _record(self, expected: ReadReport, before: Counts) -> None:
        files, size, objects = add(self.pending, read_since(before))
        set_last_read(replace(expected, jobs=self.built, files=files, bytes=size, objects=objects))


def _when_ready(batches: _core.Batches) -> Iterator[_core.Table | None]:
    """The tables. On a thread of polars, None each time that a table takes long, so that polars can check for
    Ctrl-C.
    """
    if threading.current_thread() is threading.main_thread():
        yield from batches
        return
    while len(batches):
        while not any(batches.wait() for _ in range(2)):  # 40 ms
            yield None
        yield next(batches)


def _to_polars(table: Any) -> pl.DataFrame:
    return pl.DataFrame(table)


def conjuncts(predicate: pl.Expr) -> list[pl.Expr]:
    """The filters that are joined by "and"."""
    conjuncts, rest = [], [predicate]
    while rest:
        expr = rest.pop()
        inputs = expr.meta.pop()
        if len(inputs) == 2 and any((a & b).meta.eq(expr) for a, b in (inputs, inputs[::-1])):
            rest.extend(inputs)
        else:
            conjuncts.append(expr)
    return conjuncts


@dataclass(frozen=True)
class Choice:
    """The runs and jobs to read, and the filters that chose them before any config was read."""

    selection: Selection
    pushed: list[str]


def _choose(resolved: ResolvedPlan, columns: list[str], filters: list[pl.Expr]) -> Choice:
    """Applies the filters that directory names and jobs.jsonl can answer."""
    runs, pushed, rest = _choose_runs(resolved, filters)
    cheap = resolved.cheap_columns()
    of_jobs = [expr for expr in rest if (roots := set(expr.meta.root_names())) and roots <= cheap]
    # a query that needs cheap columns only would read jobs.jsonl twice
    if not of_jobs or cheap.issuperset(columns):
        return Choice([(run, None) for run in runs], pushed)
    try:
        selection = _choose_jobs(resolved, runs, of_jobs)
    except PolarsError:  # raised again when the whole filter is applied
        return Choice([(run, None) for run in runs], pushed)
    return Choice(selection, [*pushed, *map(str, of_jobs)])


def _choose_runs(
    resolved: ResolvedPlan, filters: list[pl.Expr]
) -> tuple[list[int], list[str], list[pl.Expr]]:
    """The indices of the remaining runs, the filters that were applied, and the rest of the filters."""
    facts = resolved.plan.runs
    columns = {
        name: pl.Series([fact[position] for fact in facts], dtype=pl.String)
        for name, position in resolved.run_columns().items()
    }
    runs = pl.DataFrame({_INDEX: pl.Series(range(len(facts)), dtype=pl.Int64), **columns})
    pushed, rest = [], []
    for expr in filters:
        roots = set(expr.meta.root_names())
        if not roots or not roots <= set(columns):
            rest.append(expr)
            continue
        with contextlib.suppress(PolarsError):  # raised again when the whole filter is applied
            runs = runs.filter(expr)
            pushed.append(str(expr))
    return runs[_INDEX].to_list(), pushed, rest


def _choose_jobs(resolved: ResolvedPlan, runs: list[int], filters: list[pl.Expr]) -> Selection:
    """The jobs of these runs that pass filters on jobs.jsonl; runs without such a job are left out."""
    columns = sorted({root for expr in filters for root in expr.meta.root_names()})
    selection: Selection = []
    tables = resolved.plan.batches(columns, [(run, None) for run in runs])
    for run, table in zip(runs, tables, strict=True):
        jobs = _to_polars(table).with_row_index(_INDEX).filter(*filters)[_INDEX]
        if len(jobs) == len(table):
            selection.append((run, None))
        elif len(jobs):
            selection.append((run, jobs.to_list()))
    return selection


def _first(selection: Selection, limit: int, job_counts: list[int]) -> Selection:
    """The first ``limit`` jobs of a selection; ``job_counts`` has the number of jobs of each run."""
    first: Selection = []
    for run, jobs in selection:
        if limit <= 0:
            break
        count = job_counts[run] if jobs is None else len(jobs)
        if count > limit:
            jobs = list(range(limit)) if jobs is None else jobs[:limit]  # noqa: PLW2901 - the last run
        first.append((run, jobs))
        limit -= min(count, limit)
    return first
