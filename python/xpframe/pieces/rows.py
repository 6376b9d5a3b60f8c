"""The rows that jobs wrote in parts: the files of some jobs each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xpframe import _core
from xpframe.locate import open_run
from xpframe.pieces.framed import Framed
from xpframe.pieces.jobs import (
    Parts,
    Positions,
    check_rows,
    later_rows,
    listed_jobs,
    listed_later,
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
        paths: What decided the columns over all jobs, as the engine gives it.
        layout: The columns.
        strict: Whether to raise the first error.
    """

    request: _core.TableRequest
    handle: str | Result
    metrics: Any
    paths: bytes
    layout: Layout
    strict: bool


@dataclass(frozen=True)
class SeriesPart(Framed):
    """The rows that some jobs of a run wrote. It can be pickled, and is read where it is asked.

    Args:
        path: The directory of the run.
        rows: The positions of the jobs, among those of the requested tasks.
        listed_later: The positions, among all jobs of the run, of those that a later run lists too.
        recipe: The columns.
    """

    path: str
    rows: Positions
    listed_later: tuple[int, ...] = field(repr=False)
    recipe: SeriesRecipe = field(repr=False)

    def arrow(self, columns: Sequence[str] | None = None) -> pyarrow.Table:
        """The rows as an Arrow table; with ``columns``, some of the columns.

        Raises:
            ReadError: Files were changed since the part was made, and have values that no column can hold.
        """
        pa, recipe = load_pyarrow(), self.recipe
        table = _core.read_series(
            [open_run(self.path)],
            recipe.request,
            recipe.handle,
            recipe.metrics,
            backend="pyarrow",
            rows=[list(self.rows)],
            paths=recipe.paths,
            listed_later=[list(self.listed_later)],
        )
        report(table.errors, [], strict=recipe.strict)
        return self.layout(columns).conform(pa.table(table))


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
    # by full names no glob means other columns in a part
    request = series_request(dict(plan.job_columns), task)
    recipe = SeriesRecipe(request, handle, metrics, plan.paths(), layout, strict)
    jobs = listed_jobs(runs, task)
    # a job's rows belong to the last run that lists it
    positions = without(wanted_rows(jobs, kept), later_rows([str(each.workspace) for each in runs], jobs))
    later = listed_later(runs, task, jobs, run)
    return SeriesParts(
        [
            SeriesPart(str(each.path), some, repeated, recipe)
            for each, whole, repeated in zip(runs, positions, later, strict=True)
            for some in ranges(whole, rows)
        ],
        layout,
    )
