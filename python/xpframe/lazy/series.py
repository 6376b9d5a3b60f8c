"""Answers polars for the rows that jobs wrote: filters choose whose files are opened, and what is kept."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from polars.exceptions import PolarsError

from xpframe import _core
from xpframe.lazy.base import LazySource, RowReader, to_polars
from xpframe.lazy.pushdown import names_wanted, range_wanted
from xpframe.lazy.query import LazyQuery
from xpframe.lazy.report import ReadReport
from xpframe.progress import reading
from xpframe.request import title_of
from xpframe.resolve import resolve_runs
from xpframe.where import rows_where

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    import polars as pl

    from xpframe.options import Experiments, Where, Workspaces
    from xpframe.results import Result

__all__ = ["SeriesQuery", "SeriesSource"]

# a name that no column has
_INDEX = "\0index"
# how long polars waits before it checks for Ctrl-C
_PATIENCE = 0.04


@dataclass(eq=False)
class SeriesPlan:
    """The columns of the rows that some jobs wrote, and the state of their runs when these were decided."""

    plan: _core.SeriesPlan
    signatures: list[_core.RunSignature]
    title: str
    jobs: pl.DataFrame
    notes: list[str]


@dataclass
class SeriesQuery(LazyQuery[SeriesPlan]):
    """A lazy query: the arguments of ``scan_series``, and the plan they gave last."""

    experiment: Experiments
    workspace: Workspaces
    run: str | Sequence[str]
    request: _core.TableRequest
    handle: str | Result
    metrics: str | Sequence[str] | None
    task: str | Sequence[str] | None
    where: Where | None
    strict: bool
    quiet: bool

    def resolve(self) -> SeriesPlan:
        """The columns; decided again when a run has changed or was added."""
        with self._lock:
            runs, _ = resolve_runs(self.experiment, self.workspace, self.run)
            signatures = [run.signature for run in runs]
            if self._plan is None or signatures != self._plan.signatures:
                self._plan = None  # never two plans in memory
                title = title_of([(run.experiment, run.run_id) for run in runs])
                with self.counting():
                    rows = rows_where(runs, self.where, {"task": self.task, "quiet": self.quiet})
                    with reading(title, quiet=self.quiet, size=lambda: sum(run.size for run in runs)):
                        plan = _core.plan_series(runs, self.request, self.handle, self.metrics, rows=rows)
                jobs = plan.jobs()
                numbered = to_polars(jobs).with_row_index(_INDEX)
                self._plan = SeriesPlan(plan, signatures, title, numbered, jobs.warnings)
            return self._plan


class SeriesSource(LazySource[SeriesPlan]):
    """The source of one query."""

    def __init__(self, query: SeriesQuery) -> None:
        super().__init__()
        self.query = query

    def resolve(self) -> SeriesPlan:
        return self.query.resolve()

    def schema_of(self, plan: SeriesPlan) -> pl.Schema:
        return to_polars(plan.plan.empty()).schema

    def frames(
        self, plan: SeriesPlan, columns: list[str], filters: list[pl.Expr], limit: int | None
    ) -> Iterator[pl.DataFrame]:
        rows, pushed = _choose_jobs(plan.jobs, filters)
        metrics = names_wanted(filters, "metric") or names_wanted(filters, "measure")
        steps = range_wanted(filters, "step") if plan.plan.has_steps else None
        empty = to_polars(plan.plan.empty())
        # a table without columns has no number of rows
        asked = columns or [empty.columns[0]]
        expected = ReadReport(
            columns=tuple(columns),
            runs=len(plan.signatures),
            all_runs=len(plan.signatures),
            all_jobs=len(plan.jobs),
            pushed=tuple(pushed),
        )

        series = plan.plan.reader(columns=asked, metrics=metrics, steps=steps, limit=limit)
        reader = RowReader(
            plan.title, self.query.pending_reads(), strict=self.query.strict, quiet=self.query.quiet
        )
        reader.notes |= dict.fromkeys(plan.notes)
        groups = plan.plan.groups(rows, limit is not None)
        tables = _tables(series, groups, limit)
        frames = reader.frames(tables, empty[asked], expected, len(rows))
        # the columns come in the order of the plan; `select` would take "*" and "^a$" for patterns
        return (frame[columns] if columns else frame for frame in frames)


def _tables(
    series: _core.SeriesReader, groups: list[list[int]], limit: int | None
) -> Generator[tuple[int, _core.Table] | None, None, None]:
    """The tables of groups of jobs, with their number of jobs, until they have ``limit`` rows.

    On a thread of polars a table is read while the one before is used, and None comes each time that one
    takes long, so that polars can check for Ctrl-C. When nobody wants more of them, reads ahead end.
    """
    rows = 0
    if threading.current_thread() is threading.main_thread():
        for group in groups:
            table = series.read(group)
            yield len(group), table
            rows += len(table)
            if limit is not None and rows >= limit:
                return
        return
    pool = ThreadPoolExecutor(1)

    def begin(group: list[int]) -> Future[_core.Table]:
        try:
            return pool.submit(series.read, group)
        except RuntimeError:  # no thread can start
            done: Future[_core.Table] = Future()
            done.set_result(series.read(group))
            return done

    try:
        futures: list[Future[_core.Table]] = []
        for index, group in enumerate(groups):
            ahead = index + 1 + (limit is None)
            futures += [begin(later) for later in groups[len(futures) : ahead]]
            while not wait(futures[index : index + 1], _PATIENCE).done:
                yield None
            table = futures[index].result()
            futures[index] = Future()  # the rows are not kept here
            yield len(group), table
            rows += len(table)
            if limit is not None and rows >= limit:
                return
    finally:
        series.close()
        pool.shutdown(wait=False, cancel_futures=True)


def _choose_jobs(jobs: pl.DataFrame, filters: list[pl.Expr]) -> tuple[list[int], list[str]]:
    """The jobs that pass the filters that are about jobs alone, and these filters."""
    pushed = []
    for expr in filters:
        roots = set(expr.meta.root_names())
        if roots and roots <= set(jobs.columns):
            with contextlib.suppress(PolarsError):  # raised again when the whole filter is applied
                jobs = jobs.filter(expr)
                pushed.append(str(expr))
    return jobs[_INDEX].to_list(), pushed
