"""Answers polars for the rows that jobs wrote: filters on jobs choose whose files are opened."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import polars as pl
from polars.exceptions import PolarsError
from polars.io.plugins import register_io_source

from xpframe.lazy.source import conjuncts
from xpframe.report import report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xpframe import _core
    from xpframe.errors import XpFrameError

__all__ = ["SeriesSource"]

# the rows of so many jobs are in memory together
JOBS_PER_BATCH = 64
# a name that no column has
_INDEX = "\0index"


class SeriesSource:
    """The callback of polars for one series."""

    def __init__(self, plan: _core.SeriesPlan, *, strict: bool) -> None:
        self.plan, self.strict = plan, strict
        table: Any = plan.jobs()
        self.jobs = pl.DataFrame(table).with_row_index(_INDEX)
        empty: Any = plan.empty()
        self.schema = pl.DataFrame(empty).schema

    def lazy_frame(self, title: str) -> pl.LazyFrame:
        """The rows as a LazyFrame."""
        return register_io_source(
            self.batches, schema=self.schema, explain_name="xpframe", explain_detail=title
        )

    def batches(
        self,
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        """The rows, for polars, which means the limit to apply before the filter."""
        del batch_size
        rows = self._chosen(predicate if n_rows is None else None)
        remaining, errors = n_rows, dict[str, "XpFrameError"]()
        # the first batch is small, for queries that stop early
        start, size = 0, 4 if n_rows is not None else JOBS_PER_BATCH
        while start < len(rows) and remaining != 0:
            table: Any = self.plan.read(rows[start : start + size])
            start, size = start + size, JOBS_PER_BATCH
            errors |= {str(error): error for error in table.errors}
            if self.strict and errors:
                break
            frame = pl.DataFrame(table)
            if remaining is not None:
                frame = frame.head(remaining)
                remaining -= frame.height
            if with_columns is not None:
                frame = frame.select(with_columns)
            yield frame if predicate is None else frame.filter(predicate)
        report(list(errors.values()), [], strict=self.strict)

    def _chosen(self, predicate: pl.Expr | None) -> list[int]:
        """The jobs that pass the parts of a filter that are about jobs alone."""
        jobs = self.jobs
        for expr in [] if predicate is None else conjuncts(predicate):
            roots = set(expr.meta.root_names())
            if roots and roots <= set(jobs.columns):
                with contextlib.suppress(PolarsError):  # raised again when the whole filter is applied
                    jobs = jobs.filter(expr)
        return jobs[_INDEX].to_list()
