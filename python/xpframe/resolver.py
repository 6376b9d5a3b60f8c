"""What polars asks of a lazy query, and what it is answered (``LazyFrameResolver``, polars 2).

At each ``collect`` polars gives the columns, the limit and the filters that it knows of. Filters are answered
in two steps: those that names of directories and jobs.jsonl can answer choose runs and jobs; then all of them
are applied to what was read of these. So a filter can only be answered too generously in the first step, and
a Python function in a filter is called as it is, without being pickled. Found by trying (polars 2.1):

- polars asks for the schema once in the life of a LazyFrame, and refuses a plan whose columns are others;
- a plan with a version key is asked for again at every ``collect``, one without never;
- ``head(5).filter(…)`` comes as a limit without filters, ``filter(…).head(5)`` as filters, and then, as we
  apply these, ``n_rows=5`` of what they leave: both stop early, in both engines;
- filters that look at several rows (``x == x.max()``) do not come;
- an error in ``schema``, in ``resolve_lazyframe`` or in a batch comes out of ``collect`` as it is;
- the streaming engine takes batches on a thread of its own.
"""

from __future__ import annotations

import contextlib
import itertools
import weakref
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl
from polars.exceptions import PolarsError
from polars.io.plugins import register_io_source
from polars.lazyframe.resolver import FilterExpr, LazyFrameResolver, ResolvedLazyFrameProps

from xpframe.errors import ColumnError, XpFrameError, XpFrameWarning
from xpframe.lazy import Jobs, Known, ReadReport, counters, note, plus, since
from xpframe.workspace import report

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["XpScan"]

# no column has such a name: they are of known groups, or named by the user in words
_AT = "\0at"
# (position of a run, positions of its jobs or None for all) pairs
Wanted: TypeAlias = list[tuple[int, list[int] | None]]

_numbers = itertools.count()


class XpScan(LazyFrameResolver):
    """Answers polars for the jobs of some runs."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self._declared: pl.Schema | None = None

    def schema(self) -> pl.Schema:
        """The columns as they were when polars first asked: it does not let them change."""
        if self._declared is None:
            self._declared = _schema_of(self.jobs.known())
        return self._declared

    def resolve_lazyframe(
        self,
        *,
        projection: list[str] | None,
        limit: int | None,
        filters: list[FilterExpr],
        filter_columns: list[str],
        **_: object,
    ) -> tuple[pl.LazyFrame, ResolvedLazyFrameProps]:
        """A LazyFrame that reads these columns of that many rows, or of the rows that these filters leave."""
        schema = self.schema()
        # a limit counts rows before filters do: nothing may be left out then
        applied = [] if limit is not None else [one.expr for one in filters]
        shown = list(schema) if projection is None else projection
        needed = {*shown, *filter_columns}
        plan = Plan(self.jobs, schema, [name for name in schema if name in needed], applied)
        detail = plan.detail()
        lazy = register_io_source(plan.batches, schema=schema, explain_name="xpframe", explain_detail=detail)
        if limit is not None:
            lazy = lazy.head(limit)
        # each plan has a key of its own: without one, polars would not ask again at the next collect
        props = ResolvedLazyFrameProps(version_key=str(next(_numbers)), applied_filters=range(len(applied)))
        return lazy.select(shown), props


@dataclass(frozen=True)
class Chosen:
    """The runs and jobs that filters leave, as far as that is told without a config, and those filters."""

    wanted: Wanted
    pushed: list[str]


class Plan:
    """One query: its columns and filters, and how polars gets its batches."""

    def __init__(self, jobs: Jobs, schema: pl.Schema, needed: list[str], filters: list[pl.Expr]) -> None:
        self.jobs, self.schema, self.needed, self.filters = jobs, schema, needed, filters
        self._prepared: tuple[weakref.ref[Known], Chosen] | None = None

    def prepare(self) -> tuple[Known, Chosen]:
        """What is known of the runs now, and what to read of them."""
        known = self.jobs.known()
        _check(self.needed, self.schema, _schema_of(known))
        with self.jobs.counting():
            return known, _choose(self.jobs, known, self.needed, self.filters)

    def detail(self) -> str:
        """What ``explain`` says of the plan."""
        known, chosen = self.prepare()
        # polars keeps plans: they keep neither an old model alive nor, once they were read, the positions
        self._prepared = (weakref.ref(known), chosen)
        filters = "".join(f", {one}" for one in self.filters)
        return f"{len(chosen.wanted)}/{len(known.model.runs)} runs kept{filters}".replace("\n", " ")

    def _take(self) -> tuple[Known, Chosen]:
        prepared, self._prepared = self._prepared, None
        known = prepared[0]() if prepared else None
        return (known, prepared[1]) if prepared and known else self.prepare()

    def batches(
        self,
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        """What polars calls to read: the plan's filters, then a limit, a filter and columns."""
        del batch_size  # a batch is a run
        reading = Reading(self.jobs, *self._take())
        shown = list(self.schema) if with_columns is None else with_columns
        roots = {root for expr in self.filters for root in expr.meta.root_names()}
        columns = [name for name in self.schema if name in roots or name in set(shown)]
        # rows that a filter may still drop are not counted
        counted = None if self.filters else n_rows
        left = n_rows
        for read in reading.frames(columns, counted):
            frame = read.filter(*self.filters) if self.filters else read
            if left is not None:
                frame = frame.head(left)
                left -= frame.height
            if predicate is not None:
                frame = frame.filter(predicate)
            yield frame.select(shown)
            if left == 0:
                return


class Reading:
    """One reading of the runs and jobs that a plan chose; tells what was read, and what could not be."""

    def __init__(self, jobs: Jobs, known: Known, chosen: Chosen) -> None:
        self.jobs, self.model, self.chosen = jobs, known.model, chosen
        self.counts, self.built = jobs.untold(), 0
        self.errors: dict[str, XpFrameError] = {}
        self.notes: dict[str, None] = {}

    def frames(self, columns: list[str], limit: int | None) -> Iterator[pl.DataFrame]:
        """These columns of the chosen jobs, run after run; of the first ``limit`` only if there is one."""
        jobs = [fact[3] for fact in self.model.runs]
        wanted = self.chosen.wanted if limit is None else _first(self.chosen.wanted, limit, jobs)
        whole = ReadReport(
            columns=tuple(columns),
            runs=len(wanted),
            all_runs=len(jobs),
            all_jobs=sum(jobs),
            pushed=tuple(self.chosen.pushed),
        )
        before = counters()
        try:
            for table in self.model.batches(columns, wanted):
                self._collect(table)
                yield _frame(table)
        except GeneratorExit:
            # polars has enough; nobody waits for an exception
            with contextlib.suppress(XpFrameWarning):
                self._report()
            raise
        finally:
            self._note(whole, before)
        self._report()

    def _collect(self, table: Any) -> None:
        self.built += len(table)
        self.errors |= {str(error): error for error in table.errors}
        self.notes |= dict.fromkeys(table.warnings)
        if self.jobs.strict and self.errors:
            self._report()

    def _report(self) -> None:
        report(list(self.errors.values()), list(self.notes), strict=self.jobs.strict)

    def _note(self, whole: ReadReport, before: tuple[int, int, int]) -> None:
        files, size, objects = plus(self.counts, since(before))
        note(replace(whole, jobs=self.built, files=files, bytes=size, objects=objects))


def _frame(table: Any) -> pl.DataFrame:
    return pl.DataFrame(table)


def _schema_of(known: Known) -> pl.Schema:
    return _frame(known.model.empty()).schema


def _check(needed: list[str], declared: pl.Schema, now: pl.Schema) -> None:
    """Says what a query needs and is not there any more, since its LazyFrame was made."""
    for name in needed:
        if now.get(name) != declared[name]:
            became = f"is {now[name]} now" if name in now else "is gone"
            raise ColumnError(
                f"column {name!r} was {declared[name]} when this LazyFrame was made, and {became}",
                field=name,
                hint="the files were changed: make a new one with scan_xp",
            )


def _choose(jobs: Jobs, known: Known, needed: list[str], filters: list[pl.Expr]) -> Chosen:
    """What filters leave, as far as names of directories and jobs.jsonl tell."""
    runs, of_runs, rest = _choose_runs(jobs, known, filters)
    cheap = jobs.of_jobs(known.model)
    of_jobs = [expr for expr in rest if set(expr.meta.root_names()) <= cheap]
    # a query that needs nothing else is not asked twice
    if not of_jobs or cheap.issuperset(needed):
        return Chosen([(at, None) for at in runs], of_runs)
    try:
        wanted = _choose_jobs(known, runs, of_jobs)
    except PolarsError:  # it comes again, and is told, when the whole filter is applied
        return Chosen([(at, None) for at in runs], of_runs)
    return Chosen(wanted, [*of_runs, *map(str, of_jobs)])


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
        some = list(range(limit)) if rows is None else rows[:limit]
        first.append((at, rows if there <= limit else some))
        limit -= min(there, limit)
    return first
