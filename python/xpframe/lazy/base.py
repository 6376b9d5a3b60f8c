"""What polars asks of a lazy query: a schema, then batches of rows (``register_io_source`` of polars 2)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import polars as pl
from polars.io.plugins import register_io_source

from xpframe.errors import XpFrameError, XpFrameWarning
from xpframe.lazy.report import Counts, ReadReport, add, read_counters, read_since, set_last_read
from xpframe.progress import Watch
from xpframe.report import report

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from xpframe import _core

__all__ = ["LazySource", "RowReader", "conjuncts", "to_polars"]

PlanT = TypeVar("PlanT")


class LazySource(ABC, Generic[PlanT]):
    """The two callbacks of polars for one query: ``schema`` and ``batches``."""

    def __init__(self) -> None:
        self._decided: tuple[PlanT, pl.Schema] | None = None
        self._failure: BaseException | None = None

    @abstractmethod
    def resolve(self) -> PlanT:
        """The plan as it is now: the same object as before if nothing has changed."""

    @abstractmethod
    def schema_of(self, plan: PlanT) -> pl.Schema:
        """The columns of a plan."""

    @abstractmethod
    def frames(
        self, plan: PlanT, columns: list[str], filters: list[pl.Expr], limit: int | None
    ) -> Iterator[pl.DataFrame]:
        """These columns of the rows, at least those that pass the filters; only the first ``limit`` rows are
        needed.
        """

    def lazy_frame(self, title: str) -> pl.LazyFrame:
        """A LazyFrame of this source. The columns are decided now."""
        self.decide()
        return register_io_source(
            self.batches,
            schema=self.schema,
            validate_schema=True,
            explain_name="xpframe",
            explain_detail=title,
        )

    def decide(self) -> tuple[PlanT, pl.Schema]:
        """The plan and its columns as they are now."""
        plan = self.resolve()
        if self._decided is None or self._decided[0] is not plan:
            self._decided = plan, self.schema_of(plan)
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
        """The rows, for polars, which means the limit to apply before the filter."""
        del batch_size
        if self._failure is not None:
            raise self._failure
        plan, schema = self._decided or self.decide()
        columns = list(schema) if with_columns is None else with_columns
        # a limit counts the rows that a filter leaves out
        filters = [] if predicate is None or n_rows is not None else conjuncts(predicate)
        remaining = n_rows
        for rows in self.frames(plan, columns, filters, n_rows):
            frame = rows if remaining is None else rows.head(remaining)
            remaining = None if remaining is None else remaining - frame.height
            yield frame if predicate is None else frame.filter(predicate)

    def __getstate__(self) -> dict[str, Any]:
        """A pickle holds the query, nothing that was read."""
        return {**vars(self), "_decided": None, "_failure": None}


class RowReader:
    """Hands the tables of one query on to polars; reports what was read since it was made, and what could not
    be read.

    Args:
        title: What is read, for progress.
        pending: What was read before, to decide the columns, and belongs to this query.
        strict: Raises the first error.
        quiet: Hides progress.
    """

    def __init__(self, title: str, pending: Counts, *, strict: bool, quiet: bool) -> None:
        self.title, self.pending, self.strict, self.quiet = title, pending, strict, quiet
        self.built = 0
        # made before the reading starts, which may be ahead of the first frame
        self.before = read_counters()
        self.errors: dict[str, XpFrameError] = {}
        self.notes: dict[str, None] = {}

    def frames(
        self,
        tables: Generator[tuple[int, _core.Table] | None, None, None],
        empty: pl.DataFrame,
        expected: ReadReport,
        total: int,
    ) -> Iterator[pl.DataFrame]:
        """The frames of tables, which come with the number of their jobs, of ``total``; ``empty`` where there
        is None, so that polars can check for Ctrl-C.
        """
        try:
            with Watch(lambda: (self.built, total, "jobs"), self.title, quiet=self.quiet) as work:
                try:
                    for ready in work.steps(tables):
                        if ready is None:
                            yield empty
                            continue
                        jobs, table = ready
                        self._collect(jobs, table)
                        self._record(expected)
                        yield to_polars(table)
                except GeneratorExit:
                    # polars has enough rows, or was interrupted: an exception raised here would only be
                    # printed. Ctrl-C is raised once more at the next call, which must be inside this `try`
                    try:  # noqa: SIM105 - `suppress` would be that next call
                        self._report()
                    except (XpFrameWarning, KeyboardInterrupt):
                        pass
                    raise
        finally:
            # the traceback of an exception keeps the generator, and with it the threads that read ahead
            tables.close()
            self._record(expected)
        self._report()

    def _collect(self, jobs: int, table: _core.Table) -> None:
        self.built += jobs
        self.errors |= {str(error): error for error in table.errors}
        self.notes |= dict.fromkeys(table.warnings)
        if self.strict and self.errors:
            self._report()

    def _report(self) -> None:
        report(list(self.errors.values()), list(self.notes), strict=self.strict)

    def _record(self, expected: ReadReport) -> None:
        files, size, objects = add(self.pending, read_since(self.before))
        set_last_read(replace(expected, jobs=self.built, files=files, bytes=size, objects=objects))


def to_polars(table: Any) -> pl.DataFrame:
    """A table as a polars DataFrame."""
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
