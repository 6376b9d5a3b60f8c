"""What polars asks of a lazy query, and what it is answered (``register_io_source`` of polars 2).

At each ``collect`` polars asks for the columns, then for batches: some of the columns, a filter, a limit.
What names of directories and jobs.jsonl can tell of the filter chooses runs and jobs; then all of it is
applied to what was read of these, so that a filter can only be answered too generously. Found by trying:

- the limit counts rows before the filter does: nothing may be left out then;
- the columns that the filter needs are among those that are asked for;
- filters that look at several rows (``x == x.max()``) do not come; functions come pickled, by cloudpickle;
- an error in a batch comes out of ``collect`` as it is, one in the schema as the text of a ``ComputeError``;
- the streaming engine takes batches on a thread of its own, and stops when ``head`` has enough;
- on that thread nobody but polars looks for Ctrl-C, and it does so between batches: while there is none yet,
  it is given empty ones.

``LazyFrameResolver``, which could choose before the plan is made, is not used. In polars 2.1 what follows it
is planned with columns that were not asked for: ``select("b", "a").slice(1).with_row_index().select("b")``
panics, ``select("b").head(1).filter(False)`` has all columns. And it never sees a new column.
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
from xpframe.frames import title_of
from xpframe.lazy import Counts, Jobs, Known, ReadReport, counters, note, plus, since
from xpframe.progress import watch
from xpframe.workspace import report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xpframe import _core

__all__ = ["lazy_frame"]

# (position of a run, positions of its jobs or None for all) pairs
Wanted: TypeAlias = list[tuple[int, list[int] | None]]

# jobs of a large run that are handed over at once: streaming to a file holds a few times so many
JOBS_AT_ONCE = 32_768
# no column has such a name
_AT = "\0at"


def lazy_frame(jobs: Jobs) -> pl.LazyFrame:
    """The LazyFrame of these jobs; their columns are decided now."""
    source = Source(jobs)
    source.decide()
    return register_io_source(
        source.batches,
        schema=source.schema,
        validate_schema=True,
        explain_name="xpframe",
        explain_detail=str(jobs),
    )


class Source:
    """Answers polars for the jobs of some runs."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self._decided: tuple[Known, pl.Schema] | None = None
        self._failure: BaseException | None = None

    def decide(self) -> tuple[Known, pl.Schema]:
        """The columns as they are now."""
        known = self.jobs.known()
        if self._decided is None or self._decided[0] is not known:
            self._decided = known, _frame(known.model.empty()).schema
        return self._decided

    def schema(self) -> pl.Schema:
        """What polars calls to know the columns.

        It would hide the type of an exception, even that of Ctrl-C: that waits until polars reads.
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
        """What polars calls to read: limit first, then filter, as it means them. A batch is a run, part of
        one, or some.
        """
        del batch_size
        if self._failure is not None:
            raise self._failure
        known, schema = self._decided or self.decide()
        columns = list(schema) if with_columns is None else with_columns
        with self.jobs.counting():
            # what a limit leaves out, it counts before the filter
            filters = [] if predicate is None or n_rows is not None else _conjuncts(predicate)
            chosen = _choose(self.jobs, known, columns, filters)
        left = n_rows
        for read in Reading(self.jobs, known, chosen).frames(columns, n_rows):
            frame = read if left is None else read.head(left)
            left = None if left is None else left - frame.height
            yield frame if predicate is None else frame.filter(predicate)

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle holds: the question, not what was read."""
        return {"jobs": self.jobs, "_decided": None, "_failure": None}


class Reading:
    """One reading of chosen runs and jobs; tells what was read, and what could not be."""

    def __init__(self, jobs: Jobs, known: Known, chosen: Chosen) -> None:
        self.jobs, self.model, self.chosen = jobs, known.model, chosen
        self.untold, self.built = jobs.untold(), 0
        self.errors: dict[str, XpFrameError] = {}
        self.notes: dict[str, None] = {}

    def frames(self, columns: list[str], limit: int | None) -> Iterator[pl.DataFrame]:
        """These columns of the chosen jobs, run after run; of the first ``limit`` if there is one."""
        jobs = [fact[3] for fact in self.model.runs]
        wanted = self.chosen.wanted if limit is None else _first(self.chosen.wanted, limit, jobs)
        whole = ReadReport(
            columns=tuple(columns),
            runs=len(wanted),
            all_runs=len(jobs),
            all_jobs=sum(jobs),
            pushed=tuple(self.chosen.pushed),
        )
        total = sum(jobs[at] if rows is None else len(rows) for at, rows in wanted)
        empty = _frame(self.model.empty()).select(columns)
        before = counters()
        try:
            with watch(lambda: (self.built, total, "jobs"), self._title(), quiet=self.jobs.quiet):
                try:
                    for table in _as_they_come(self.model.batches(columns, wanted, JOBS_AT_ONCE)):
                        if table is None:
                            yield empty
                            continue
                        self._collect(table)
                        self._note(whole, before)
                        yield _frame(table)
                except GeneratorExit:
                    # polars has enough, or was interrupted: whatever is raised here would only be printed.
                    # Ctrl-C is raised once more at the next call: let that be one inside this very `try`
                    try:  # noqa: SIM105 - `suppress` would be that call
                        self._report()
                    except (XpFrameWarning, KeyboardInterrupt):
                        pass
                    raise
        finally:
            self._note(whole, before)
        self._report()

    def _title(self) -> str:
        return title_of([(experiment, run) for _, experiment, run, _ in self.model.runs])

    def _collect(self, table: Any) -> None:
        self.built += len(table)
        self.errors |= {str(error): error for error in table.errors}
        self.notes |= dict.fromkeys(table.warnings)
        if self.jobs.strict and self.errors:
            self._report()

    def _report(self) -> None:
        report(list(self.errors.values()), list(self.notes), strict=self.jobs.strict)

    def _note(self, whole: ReadReport, before: Counts) -> None:
        files, size, objects = plus(self.untold, since(before))
        note(replace(whole, jobs=self.built, files=files, bytes=size, objects=objects))


def _as_they_come(batches: _core.Batches) -> Iterator[_core.Table | None]:
    """The tables; None each time that one takes long, if polars must look for Ctrl-C meanwhile."""
    if threading.current_thread() is threading.main_thread():
        yield from batches
        return
    while len(batches):
        while not any(batches.wait() for _ in range(2)):  # 40 ms
            yield None
        yield next(batches)


def _frame(table: Any) -> pl.DataFrame:
    return pl.DataFrame(table)


def _conjuncts(predicate: pl.Expr) -> list[pl.Expr]:
    """The filters that are joined by "and"."""
    found, rest = [], [predicate]
    while rest:
        expr = rest.pop()
        parts = expr.meta.pop()
        if len(parts) == 2 and any((a & b).meta.eq(expr) for a, b in (parts, parts[::-1])):
            rest.extend(parts)
        else:
            found.append(expr)
    return found


@dataclass(frozen=True)
class Chosen:
    """The runs and jobs that filters leave, as far as that is told without a config, and those filters."""

    wanted: Wanted
    pushed: list[str]


def _choose(jobs: Jobs, known: Known, columns: list[str], filters: list[pl.Expr]) -> Chosen:
    """What filters leave, as far as names of directories and jobs.jsonl tell."""
    runs, pushed, rest = _choose_runs(jobs, known, filters)
    told = jobs.of_jobs(known.model)
    of_jobs = [expr for expr in rest if (roots := set(expr.meta.root_names())) and roots <= told]
    # a query that needs nothing else would read jobs.jsonl twice
    if not of_jobs or told.issuperset(columns):
        return Chosen([(at, None) for at in runs], pushed)
    try:
        wanted = _choose_jobs(known, runs, of_jobs)
    except PolarsError:  # it comes again, and is told, when the whole filter is applied
        return Chosen([(at, None) for at in runs], pushed)
    return Chosen(wanted, [*pushed, *map(str, of_jobs)])


def _choose_runs(
    jobs: Jobs, known: Known, filters: list[pl.Expr]
) -> tuple[list[int], list[str], list[pl.Expr]]:
    """The runs that are left, the filters that told, and the others."""
    facts = known.model.runs
    columns = {
        name: pl.Series([fact[place] for fact in facts], dtype=pl.String)
        for name, place in jobs.of_runs(known.model).items()
    }
    runs = pl.DataFrame({_AT: pl.Series(range(len(facts)), dtype=pl.Int64), **columns})
    pushed, rest = [], []
    for expr in filters:
        roots = set(expr.meta.root_names())
        if not roots or not roots <= set(columns):
            rest.append(expr)
            continue
        with contextlib.suppress(PolarsError):  # as in _choose
            runs = runs.filter(expr)
            pushed.append(str(expr))
    return runs[_AT].to_list(), pushed, rest


def _choose_jobs(known: Known, runs: list[int], filters: list[pl.Expr]) -> Wanted:
    """The jobs of these runs that filters on jobs.jsonl leave; runs without any are left out."""
    columns = sorted({root for expr in filters for root in expr.meta.root_names()})
    wanted: Wanted = []
    for at, table in zip(runs, known.model.batches(columns, [(at, None) for at in runs]), strict=True):
        kept = _frame(table).with_row_index(_AT).filter(*filters)[_AT]
        if len(kept) == len(table):
            wanted.append((at, None))
        elif len(kept):
            wanted.append((at, kept.to_list()))
    return wanted


def _first(wanted: Wanted, limit: int, jobs: list[int]) -> Wanted:
    """As many jobs as ``limit``, from the first; ``jobs`` are the numbers of jobs of the runs."""
    first: Wanted = []
    for at, rows in wanted:
        if limit <= 0:
            break
        there = jobs[at] if rows is None else len(rows)
        some = list(range(min(limit, there))) if rows is None else rows[:limit]
        first.append((at, rows if there <= limit else some))
        limit -= min(there, limit)
    return first
