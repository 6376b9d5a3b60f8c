"""The public calls that read experiments into frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from xpframe.backends.convert import converter_for
from xpframe.options import COLUMN_DEFAULTS, NAME_DEFAULTS, REPORT_DEFAULTS, RUN_DEFAULTS, keyword_options
from xpframe.report import report
from xpframe.request import read_table, table_request
from xpframe.resolve import resolve_runs
from xpframe.where import rows_where

if TYPE_CHECKING:
    from typing import Unpack

    import pandas
    import polars
    import pyarrow

    from xpframe import _core
    from xpframe.options import Backend, Experiments, InfoOptions, TableOptions

__all__ = ["frame_of_runs", "table_of_runs", "xp_frame", "xp_table"]


@overload
def xp_frame(
    experiment: Experiments, *, backend: Literal["pandas"] = "pandas", **options: Unpack[TableOptions]
) -> pandas.DataFrame: ...
@overload
def xp_frame(
    experiment: Experiments, *, backend: Literal["polars"], **options: Unpack[TableOptions]
) -> polars.DataFrame: ...
@overload
def xp_frame(
    experiment: Experiments, *, backend: Literal["pyarrow"], **options: Unpack[TableOptions]
) -> pyarrow.Table: ...
@keyword_options(RUN_DEFAULTS, COLUMN_DEFAULTS, NAME_DEFAULTS, REPORT_DEFAULTS)
def xp_frame(
    experiment: Experiments, *, backend: Backend = "pandas", **options: Unpack[TableOptions]
) -> pandas.DataFrame | polars.DataFrame | pyarrow.Table:
    """Reads experiments into a DataFrame: one row per job, with tags and parameters as columns.

    The first call in a process also imports pandas or polars, which takes 150 to 400 ms and often longer than
    reading. States and times are found in the directory of each job, which takes long on a network: a
    selection such as ``columns=["tags.*", "config.*"]`` looks at none.

    Args:
        experiment: A name, a list of names, a glob, or the path of a run directory.
        workspace: The root of the workspace, its id in experimaestro's settings, or a list of them. By
            default the workspace set by :func:`xpframe.use`, else ``$XPFRAME_WORKSPACE``, else the current
            directory or its nearest parent that is a workspace, else experimaestro's settings.
        run: ``"latest"``, ``"all"``, ``"distinct"``, a run id, or a list of run ids. A run lists the jobs
            that were done before it too, so ``"all"`` repeats jobs: do not count or average its rows.
            ``reused`` is true where the job had ended before the run submitted it. What only a job's
            directory tells (``failure``, ``exit_code``, ``result.*``) is on the latest run that lists the
            job, and null on earlier ones. ``"distinct"`` has each job of an experiment once, on the latest
            run that lists it.
        task: Keeps the jobs of these tasks only: full names, last components, or globs. Columns that these
            jobs lack are left out; names and types of the others do not depend on it, but see ``names``.
        where: Keeps the jobs that pass a filter: a text, as in ``'@state = "done" and lr <= 0.1'``, or a dict
            from names to values, ``{"state": "done", "lr": [0.1, 0.01]}``. A name is that of a tag if any job
            has it, else that of a column, short or full. Names and types of the columns do not depend on it,
            but see ``names``.
        columns: A name, short name or glob, or a list of them. ``"*"`` means the columns that are shown by
            default. A dict gives new names: ``{"lr": "config.lr"}``, or, if a parameter was renamed,
            ``{"lr": ["config.lr", "config.learning_rate"]}``, the first value that is not null; a list may
            hold dicts. Columns of the jobs that a job comes from: ``up.<task>.<column>`` of the nearest of a
            task (``"up.learn.lr"``), ``config.<place>@job.<column>`` of the one that produced the config at
            a place (``"trained@job.epochs"``; ``"trained@job"`` is its id).
        results: What jobs wrote, as columns ``result.<key>``: a handle, which is the name of a path parameter
            or a file below the job's directory (``"metrics.json"``, ``"runs/**/events.out.tfevents.*"``); a
            dict from names to handles, for ``result.<name>.<key>``; or :class:`xpframe.Result`.
            ``result@file`` says what became of each file, ``result@path`` (by name only) where it is.
        max_columns: Raises an error if there are more columns.
        timezone: The IANA name of the time zone of times that the files hold without one. By default the
            local zone.
        naive_times: Times in UTC without a zone, as ``DataFrame.to_excel`` wants them.
        names: ``"short"`` strips the prefixes ``tags.`` and ``config.`` from the names of columns. A
            parameter with the name of a tag is left out if all jobs that are kept have equal values, else it
            keeps its full name: so the columns depend on ``task`` and ``where``, as with no other ``names``.
            ``"identifier"`` makes names for Altair, formulas, ``DataFrame.query`` and SQL: ``model_name`` for
            ``config.model.name``.
        strict: Raises the first error. By default the frame has everything that can be read, and one
            :class:`~xpframe.errors.XpFrameWarning` reports the errors.
        quiet: Hides progress. By default, reads of more than half a second show it in notebooks and
            terminals.
        backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``.

    Returns:
        A ``pandas.DataFrame``, ``polars.DataFrame`` or ``pyarrow.Table``. In the latter, strings are
        ``large_string``, for which pyarrow has compute functions.

    Raises:
        WorkspaceNotFoundError, ExperimentNotFoundError, RunNotFoundError: There is no such workspace,
            experiment or run.
        ColumnError, TooManyColumnsError: There is no such column, or there are too many.
        InvalidArgumentError: An argument has a wrong type or value.
        MissingLibraryError: The backend is not installed.
    """
    converter_for(backend)  # before reading: a missing library is an error at once
    runs, several = resolve_runs(experiment, options["workspace"], options["run"])
    return frame_of_runs(runs, options, several_runs=several, backend=backend)


@keyword_options(RUN_DEFAULTS, COLUMN_DEFAULTS, NAME_DEFAULTS, REPORT_DEFAULTS)
def xp_table(experiment: Experiments, **options: Unpack[TableOptions]) -> _core.Table:
    """Reads experiments into an Arrow table, which any Arrow library takes without copying.

    The arguments are those of :func:`xp_frame`, without ``backend``. ``errors`` of the table has what could
    not be read.
    """
    runs, several = resolve_runs(experiment, options["workspace"], options["run"])
    return table_of_runs(runs, options, several_runs=several)


def table_of_runs(
    runs: list[_core.Run],
    options: InfoOptions,
    *,
    several_runs: bool = False,
    backend: Backend = "polars",
    listed_in: str = ".errors",
) -> _core.Table:
    """Reads open runs into a table, laid out for a backend, and reports errors, which ``listed_in`` has."""
    table = read_table(
        runs,
        table_request(options),
        several_runs=several_runs,
        backend=backend,
        quiet=options.get("quiet", False),
        rows=rows_where(runs, options.get("where"), options),
    )
    report(table.errors, table.warnings, strict=options.get("strict", False), listed_in=listed_in)
    return table


def frame_of_runs(
    runs: list[_core.Run], options: InfoOptions, *, several_runs: bool = False, backend: Backend = "pandas"
) -> Any:
    """Reads open runs into a frame of a backend, and reports errors."""
    convert = converter_for(backend)
    listed_in = "xp_table(…).errors"  # a DataFrame has none
    return convert(
        table_of_runs(runs, options, several_runs=several_runs, backend=backend, listed_in=listed_in)
    )
