"""The rows that jobs wrote in parts: the files of some jobs each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xpframe import _core
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

    import pandas
    import polars
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
class SeriesPart:
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
        layout = recipe.layout if columns is None else recipe.layout.select(columns)
        runs = [_core.open_run(self.path)]
        table = _core.read_series(
            runs, recipe.request, recipe.handle, recipe.metrics, backend="pyarrow", rows=[list(self.rows)]
        )
        report(table.errors, [], strict=recipe.strict)
        return layout.conform(renamed(pa.table(table), layout))

    def polars(self, columns: Sequence[str] | None = None) -> polars.DataFrame:
        """The rows as a DataFrame of polars."""
        import polars as pl

        frame = pl.from_arrow(self.arrow(columns))
        assert isinstance(frame, pl.DataFrame)  # noqa: S101 - for types: a table is a frame
        return frame

    def pandas(self, columns: Sequence[str] | None = None) -> pandas.DataFrame:
        """The rows as a DataFrame of pandas, with the same types in each part."""
        layout = self.recipe.layout if columns is None else self.recipe.layout.select(columns)
        return layout.pandas(self.arrow(columns))


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


def renamed(table: pyarrow.Table, layout: Layout) -> pyarrow.Table:
    """A part in which a column has one type has it under the name that it has beside other types."""
    suffixes = {
        "int": "int",
        "double": "float",
        "bool": "bool",
        "string": "str",
        "dictionary": "str",
        "list": "list",
    }
    names = []
    for column in table.schema:
        kind = next((word for begin, word in suffixes.items() if begin in str(column.type)), "")
        split = f"{column.name}@{kind}"
        taken = column.name in layout.schema.names or split not in layout.schema.names
        names.append(column.name if taken else split)
    return table.rename_columns(names)
