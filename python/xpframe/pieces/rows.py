"""The rows that jobs wrote in parts: the files of some jobs each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xpframe import _core
from xpframe.errors import ReadError
from xpframe.locate import open_run
from xpframe.pieces.framed import Framed
from xpframe.pieces.jobs import (
    Parts,
    Positions,
    check_rows,
    later_rows,
    listed_jobs,
    ranges,
    wanted_rows,
    without,
)
from xpframe.pieces.layout import Layout, load_pyarrow
from xpframe.report import report
from xpframe.resolve import resolve_runs
from xpframe.series import series_request
from xpframe.where import rows_where

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow

    from xpframe.options import Columns, Experiments, Where, Workspaces
    from xpframe.results import Result

__all__ = ["SeriesPart", "SeriesParts", "series_parts"]

JOBS = 1_000


@dataclass(frozen=True)
class SeriesRecipe:
    """What the parts of a call share.

    Args:
        request: The jobs, and the columns of theirs that each row repeats.
        handle: The files.
        metrics: Names or globs of metrics.
        layout: The columns.
        strict: Whether to raise the first error.
    """

    request: _core.TableRequest
    handle: str | Result
    metrics: Any
    layout: Layout
    strict: bool


@dataclass(frozen=True)
class SeriesPart(Framed):
    """The rows that some jobs of a run wrote. It can be pickled, and is read where it is asked.

    Args:
        path: The directory of the run.
        rows: The positions of the jobs, among those of the requested tasks.
        recipe: The columns.
    """

    path: str
    rows: Positions
    recipe: SeriesRecipe = field(repr=False)

    def arrow(self, columns: Sequence[str] | None = None) -> pyarrow.Table:
        """The rows as an Arrow table; with ``columns``, some of the columns."""
        pa, recipe = load_pyarrow(), self.recipe
        layout = self.layout(columns)
        runs = [open_run(self.path)]
        table = _core.read_series(
            runs, recipe.request, recipe.handle, recipe.metrics, backend="pyarrow", rows=[list(self.rows)]
        )
        report(table.errors, [], strict=recipe.strict)
        return layout.conform(renamed(pa.table(table), recipe.layout, self.path))


class SeriesParts(Parts):
    """The rows that jobs wrote in parts: a sequence of :class:`SeriesPart`."""


def series_parts(
    experiment: Experiments,
    handle: str | Result,
    *,
    rows: int = JOBS,
    metrics: str | Sequence[str] | None = None,
    columns: Columns | None = None,
    workspace: Workspaces = None,
    run: str | Sequence[str] = "latest",
    task: str | Sequence[str] | None = None,
    where: Where | None = None,
    strict: bool = False,
    quiet: bool = False,
) -> SeriesParts:
    """The rows that jobs wrote, in parts that can be pickled; see :func:`xpframe.parts`.

    The arguments and columns are those of :func:`xpframe.xp_series`. Of TensorBoard's and trec_eval's files
    the first one tells the columns; CSV files and JSON lines are all read once by this call.

    Args:
        experiment: As for :func:`xpframe.xp_frame`.
        handle: As for :func:`xpframe.xp_series`.
        rows: The number of jobs whose rows are a part, at most.
        metrics: Names or globs of the metrics or measures to keep.
        columns: Columns of the jobs that each row repeats.
        workspace: As for :func:`xpframe.parts`.
        run: ``"latest"``, ``"all"``, a run id, or a list of run ids.
        task: Keeps the jobs of these tasks only.
        where: Keeps the jobs that pass a filter, as for :func:`xpframe.xp_frame`. It is applied now.
        strict: Raises the first error instead of a warning.
        quiet: Hides progress of this call.

    Raises:
        As :func:`xpframe.xp_series`.
    """
    pa = load_pyarrow()
    check_rows(rows)
    runs, _ = resolve_runs(experiment, workspace, run)
    kept = rows_where(runs, where, {"task": task, "quiet": quiet})
    request = series_request(columns, task)
    plan = _core.plan_series(runs, request, handle, metrics, rows=kept)
    layout = Layout.of(pa.schema(plan.empty()), {})
    recipe = SeriesRecipe(request, handle, metrics, layout, strict)
    return SeriesParts(
        [
            SeriesPart(str(each.path), some, recipe)
            for each, positions in zip(runs, own_rows(runs, task, kept), strict=True)
            for some in ranges(positions, rows)
        ],
        layout,
    )


def own_rows(runs: list[_core.Run], task: Any, kept: list[list[int]] | None) -> list[Positions]:
    """For each run the positions of its jobs that no later run lists: a job's rows belong to the last run."""
    ids = listed_jobs(runs, task)
    repeated = later_rows([str(run.workspace) for run in runs], ids)
    return without(wanted_rows(ids, kept), repeated)


def renamed(table: pyarrow.Table, layout: Layout, path: str) -> pyarrow.Table:
    """A part in which a column has one type has it under the name that it has beside other types.

    Raises:
        ReadError: The part has values that no column of all parts can hold: a file was changed.
    """
    known = set(layout.schema.names)
    names = []
    for column in table.schema:
        word = type_word(column.type)
        base = column.name.removesuffix(f"@{word}")
        # where some values are floats, integers are floats too
        candidates = [column.name, f"{base}@{word}", *([base, f"{base}@float"] if word == "int" else [])]
        name = next((each for each in candidates if each in known), None)
        if name is None and table.column(column.name).null_count < len(table):
            raise ReadError(
                f"its files have a column {column.name} of type {column.type}, which they had not when the "
                "parts were made",
                file=path,
                hint="make the parts again",
            )
        names.append(name or column.name)
    return table.rename_columns(names)


def type_word(kind: pyarrow.DataType) -> str:
    """The word for a type at the end of the name of a column that several types share; empty for nulls."""
    types = load_pyarrow().types
    if types.is_boolean(kind):
        return "bool"
    if types.is_integer(kind) or types.is_decimal(kind):
        return "int"
    if types.is_floating(kind):
        return "float"
    if types.is_list(kind) or types.is_large_list(kind):
        return "list"
    return "" if types.is_null(kind) else "str"
