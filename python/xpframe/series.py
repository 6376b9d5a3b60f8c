"""The rows that jobs wrote, as one long frame: metrics by step, measures by query, the rows of CSV files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from xpframe import _core
from xpframe.backends.convert import converter_for
from xpframe.errors import InvalidArgumentError
from xpframe.options import RUN_DEFAULTS, SERIES_DEFAULTS, keyword_options
from xpframe.progress import reading
from xpframe.report import report
from xpframe.request import table_request, title_of
from xpframe.resolve import pin_paths, resolve_runs
from xpframe.where import rows_where

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    import polars

    from xpframe.options import Backend, Experiments, RunSeriesOptions, SeriesOptions
    from xpframe.results import Result

__all__ = ["scan_series", "series_of", "series_request", "xp_series"]


@keyword_options(RUN_DEFAULTS, SERIES_DEFAULTS)
def xp_series(
    experiment: Experiments,
    handle: str | Result,
    *,
    backend: Backend = "pandas",
    **options: Unpack[RunSeriesOptions],
) -> Any:
    """Reads every row that jobs wrote into one long DataFrame.

    Columns: ``job_id``, those of ``columns``, ``file`` if some job has several files; then ``metric``,
    ``step``, ``wall_time`` (seconds since 1970 UTC) and ``value`` of TensorBoard's scalars; ``measure``,
    ``query`` and ``value`` of text as trec_eval writes it; the columns of CSV files and the keys of JSON
    lines by their names, where one that is called like a system column, ``file`` or ``metric`` becomes
    ``result.<name>``. Text is a dictionary.

    Of several runs that list a job, the last one has its rows.

    Args:
        experiment: As for :func:`xpframe.xp_frame`.
        handle: The name of a path parameter, a file or pattern below the job's directory, or
            :class:`xpframe.Result`.
        metrics: Names or globs of the metrics or measures to keep.
        columns: Columns of the jobs that each row repeats: names, short names or globs.
        workspace: As for :func:`xpframe.xp_frame`.
        run: ``"latest"``, ``"all"``, a run id, or a list of run ids; ``"distinct"`` is ``"all"``.
        task: Keeps the jobs of these tasks only: full names, last components, or globs.
        where: Keeps the jobs that pass a filter, as for :func:`xpframe.xp_frame`.
        backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``.
        strict: Raises the first error instead of a warning.
        quiet: Hides progress.

    Raises:
        WorkspaceNotFoundError, ExperimentNotFoundError, RunNotFoundError: There is no such workspace,
            experiment or run.
        ColumnError, TooManyColumnsError: There is no such column, or there are too many.
        InvalidArgumentError: No job has such a path parameter, or an argument has a wrong type or value.
        MissingLibraryError: The backend is not installed.
    """
    converter_for(backend)  # before reading: a missing library is an error at once
    runs, _ = resolve_runs(experiment, options["workspace"], options["run"])
    return series_of(runs, handle, options, backend=backend)


def series_of(
    runs: list[_core.Run], handle: str | Result, options: SeriesOptions, *, backend: Backend = "pandas"
) -> Any:
    """The rows that the jobs of open runs wrote, as a frame of a backend."""
    convert = converter_for(backend)
    request = series_request(options["columns"], options["task"])
    rows = rows_where(runs, options["where"], options)
    with _progress(runs, quiet=options["quiet"]):
        table = _core.read_series(runs, request, handle, options["metrics"], backend=backend, rows=rows)
    report(table.errors, table.warnings, strict=options["strict"])
    return convert(table)


@keyword_options(RUN_DEFAULTS, SERIES_DEFAULTS)
def scan_series(
    experiment: Experiments, handle: str | Result, **options: Unpack[RunSeriesOptions]
) -> polars.LazyFrame:
    """The rows that jobs wrote as a polars LazyFrame: the columns of :func:`xp_series`, read job by job.

    Filters on ``job_id`` and on joined columns choose jobs before their files are opened. Of event files,
    only the metrics and steps that filters like ``metric == "loss"`` and ``step > 10`` leave are kept.
    ``head`` stops the reading; ``sink_parquet`` keeps the rows of a few jobs in memory (of files of 32 MiB,
    or of one job). :func:`last_read` reports what a query read.

    This call decides the columns: of TensorBoard and trec text the first job with rows tells. CSV files and
    JSON lines are read once, and their rows are kept if the files have up to 64 MiB; ``Result(schema=…)``
    opens none. Of a file that grows after this call, the query reads what was there; scan again for more.

    The arguments and errors are those of :func:`xp_series`.
    """
    from xpframe.lazy.scan import require_polars

    require_polars()
    from xpframe.lazy.series import SeriesQuery, SeriesSource

    experiment, workspace = pin_paths(experiment, options["workspace"])
    query = SeriesQuery(
        experiment,
        workspace,
        options["run"],
        series_request(options["columns"], options["task"]),
        handle,
        options["metrics"],
        options["task"],
        options["where"],
        strict=options["strict"],
        quiet=options["quiet"],
    )
    return SeriesSource(query).lazy_frame(f"{experiment}, {handle}")


def series_request(columns: Any, task: str | Sequence[str] | None) -> _core.TableRequest:
    """The jobs and the columns that their rows repeat, the job first."""
    chosen: Any = ["job_id"]
    if isinstance(columns, Mapping):
        chosen = {"job_id": "job_id", **columns}
    elif isinstance(columns, str):
        chosen = ["job_id", columns]
    elif isinstance(columns, Iterable) and not isinstance(columns, bytes):
        chosen = ["job_id", *columns]
    elif columns is not None:
        hint = "it is the name of a column, a glob, a list of them, or a dict from new names to columns"
        raise InvalidArgumentError(f"columns={columns!r}", hint=hint)
    return table_request({"columns": chosen, "task": task})


def _progress(runs: list[_core.Run], *, quiet: bool) -> Any:
    title = title_of([(run.experiment, run.run_id) for run in runs])
    return reading(title, quiet=quiet, size=lambda: sum(run.size for run in runs))
