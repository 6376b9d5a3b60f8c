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
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import polars as pl
from polars.exceptions import PolarsError

from xpframe.lazy.base import LazySource, RowReader, to_polars
from xpframe.lazy.report import ReadReport
from xpframe.request import title_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from xpframe import _core
    from xpframe.lazy.query import ResolvedPlan, ScanQuery

__all__ = ["lazy_frame"]

# (index of a run, indices of its jobs or None for all) pairs
Selection: TypeAlias = list[tuple[int, list[int] | None]]

# batch size for large runs; streaming to a file keeps a few batches in memory
JOBS_PER_BATCH = 32_768
# a name that no column has
_INDEX = "\0index"


def lazy_frame(query: ScanQuery) -> pl.LazyFrame:
    """A LazyFrame for this query. The columns are decided now."""
    return Source(query).lazy_frame(str(query))


class Source(LazySource["ResolvedPlan"]):
    """The source of one query. A batch is a run, a part of a run, or several small runs."""

    def __init__(self, query: ScanQuery) -> None:
        super().__init__()
        self.query = query

    def resolve(self) -> ResolvedPlan:
        return self.query.resolve()

    def schema_of(self, plan: ResolvedPlan) -> pl.Schema:
        return to_polars(plan.plan.empty()).schema

    def frames(
        self, plan: ResolvedPlan, columns: list[str], filters: list[pl.Expr], limit: int | None
    ) -> Iterator[pl.DataFrame]:
        with self.query.counting():
            choice = _choose(plan, columns, filters)
        return _read(self.query, plan, choice, columns, limit)


def _read(
    query: ScanQuery, resolved: ResolvedPlan, choice: Choice, columns: list[str], limit: int | None
) -> Iterator[pl.DataFrame]:
    """These columns of the chosen jobs, run after run; only the first ``limit`` jobs if it is given."""
    plan = resolved.plan
    job_counts = [jobs for *_, jobs in plan.runs]
    selection = choice.selection if limit is None else _first(choice.selection, limit, job_counts)
    expected = ReadReport(
        columns=tuple(columns),
        runs=len(selection),
        all_runs=len(job_counts),
        all_jobs=sum(job_counts),
        pushed=tuple(choice.pushed),
    )
    total = sum(job_counts[run] if jobs is None else len(jobs) for run, jobs in selection)
    title = title_of([(experiment, run) for _, experiment, run, _ in plan.runs])
    reader = RowReader(title, query.pending_reads(), strict=query.strict, quiet=query.quiet)
    tables = _when_ready(plan.batches(columns, selection, JOBS_PER_BATCH))
    yield from reader.frames(tables, to_polars(plan.empty())[columns], expected, total)


def _when_ready(batches: _core.Batches) -> Generator[tuple[int, _core.Table] | None, None, None]:
    """The tables with their number of jobs. On a thread of polars, None each time that a table takes long, so
    that polars can check for Ctrl-C.
    """
    if threading.current_thread() is threading.main_thread():
        yield from ((len(table), table) for table in batches)
        return
    while len(batches):
        while not any(batches.wait() for _ in range(2)):  # 40 ms
            yield None
        table = next(batches)
        yield len(table), table


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
        jobs = to_polars(table).with_row_index(_INDEX).filter(*filters)[_INDEX]
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
