"""What polars asks of a lazy query, and what it is answered (``LazyFrameResolver``, polars 2).

At each ``collect`` polars gives the columns, the limit and the filters that it knows of. Filters are answered in two steps: those
that names of directories and jobs.jsonl can answer choose runs and jobs; then all of them are applied to what was read of
these. So a filter can only be answered too generously in the first step, and a Python function in a filter is called as it is,
without being pickled. Found by trying (polars 2.1):

- polars asks for the schema once in the life of a LazyFrame, and refuses a plan whose columns are others;
- a plan is kept for each triple of columns, limit and filters, and asked for again with its version key: None means that it
  still holds;
- ``head(5).filter(…)`` comes as a limit without filters, ``filter(…).head(5)`` as filters, and then, as we apply these,
  ``n_rows=5`` of what they leave;
- filters that look at several rows (``x == x.max()``) do not come;
- an error in ``schema`` or ``resolve_lazyframe``, or in a batch, comes out of ``collect`` as it is;
- the streaming engine takes batches on a thread of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl
from polars.io.plugins import register_io_source
from polars.lazyframe.resolver import FilterExpr, LazyFrameResolver, ResolvedLazyFrameProps

from xpframe import _core
from xpframe.errors import ColumnError, XpFrameError
from xpframe.lazy import Jobs, Known, ReadReport, Signature, note
from xpframe.workspace import report

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["XpScan"]

Wanted: TypeAlias = list[tuple[int, list[int] | None]]


class XpScan(LazyFrameResolver):
    """Answers polars for the jobs of some runs."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self._declared: pl.Schema | None = None

    def schema(self) -> pl.Schema:
        """The names and types of the columns, as they were when polars first asked: it does not let them change."""
        if self._declared is None:
            with told_once():
                self._declared = schema_of(self.jobs.known())
        return self._declared

    def resolve_lazyframe(
        self,
        *,
        projection: list[str] | None,
        limit: int | None,
        filters: list[FilterExpr],
        filter_columns: list[str],
        filter_drop_columns_idx: int | None,
        existing_resolved_version_key: str | None,
    ) -> tuple[pl.LazyFrame | None, ResolvedLazyFrameProps]:
        """A LazyFrame that reads these columns, that many rows or what these filters leave."""
