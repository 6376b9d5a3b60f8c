"""The public call that makes a lazy query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpframe.errors import InvalidArgumentError, MissingLibraryError
from xpframe.lazy.narrow import narrow
from xpframe.lazy.query import ScanQuery
from xpframe.libraries import missing_library
from xpframe.options import COLUMN_DEFAULTS, NAME_DEFAULTS, REPORT_DEFAULTS, RUN_DEFAULTS, keyword_options
from xpframe.request import table_request
from xpframe.resolve import pin_paths

if TYPE_CHECKING:
    from typing import Unpack

    import polars

    from xpframe.options import Experiments, ScanOptions

__all__ = ["scan_xp"]


@keyword_options(RUN_DEFAULTS, COLUMN_DEFAULTS, NAME_DEFAULTS, REPORT_DEFAULTS)
def scan_xp(
    experiment: Experiments, *, keep_bytes: int = 256 << 20, **options: Unpack[ScanOptions]
) -> polars.LazyFrame:
    """Experiments as a polars LazyFrame, one row per job, which reads only what a query needs.

    Filters on ``experiment``, ``run``, ``workspace``, ``job_id``, ``task``, ``submitted_at`` and tags choose
    runs and jobs before any config is read. :func:`last_read` reports what a query read. polars pickles a
    Python function in a filter with cloudpickle: its changes to variables outside are lost.

    The columns are decided by this call. It reads the configs of all runs once, unless ``columns`` names only
    tags and system columns (``["job_id", "tags.*"]``). It also fixes the workspace. Each ``collect`` sees the
    runs, jobs and columns of that moment; to decide the columns again, it reads only files that changed. If
    jobs are appended to a run during a query, the query reads the jobs it knew; if the run was replaced,
    ``collect`` raises a ``ReadError`` that says to run the query again.

    Args:
        experiment: A name, a list of names, a glob, or the path of a run directory.
        workspace: As for :func:`xpframe.xp_frame`; several workspaces give a column ``workspace``.
        run: ``"latest"``, ``"all"``, ``"distinct"``, a run id, or a list of run ids. A run lists the jobs
            that were done before it too, so ``"all"`` repeats jobs: do not count or average its rows.
            ``reused`` is true where the job had ended before the run submitted it. What only a job's
            directory tells (``failure``, ``exit_code``, ``result.*``) is on the latest run that lists the
            job, and null on earlier ones. ``"distinct"`` has each job of an experiment once, on the latest
            run that lists it.
        task: Keeps the jobs of these tasks only: full names, last components, or globs.
        where: Keeps the jobs that pass a filter, as for :func:`xpframe.xp_frame`: a filter of polars.
        columns: The columns of the LazyFrame, as for :func:`xpframe.xp_frame`.
        results: What jobs wrote, as columns ``result.<key>``: a handle, which is the name of a path parameter
            or a file below the job's directory (``"metrics.json"``, ``"runs/**/events.out.tfevents.*"``); a
            dict from names to handles, for ``result.<name>.<key>``; or :class:`xpframe.Result`.
            ``result@file`` says what became of each file, ``result@path`` (by name only) where it is.
        max_columns: Raises an error if there are more columns.
        timezone: The IANA name of the time zone of times that the files hold without one.
        naive_times: Times in UTC without a zone.
        names: As for :func:`xpframe.xp_frame`. With ``"short"``, a parameter that has the short name of a tag
            keeps its full name, whatever its values.
        strict: Raises the first error instead of a warning.
        quiet: Hides progress, here and in each ``collect``.
        keep_bytes: The number of bytes of files to keep in memory after the columns are decided. Runs beyond
            it are read again when a query needs them, so that memory stays bounded.

    Raises:
        MissingLibraryError: polars 2 is not installed.
        WorkspaceNotFoundError, ExperimentNotFoundError, RunNotFoundError: There is no such workspace,
            experiment or run.
        ColumnError, TooManyColumnsError: There is no such column, or there are too many.
        InvalidArgumentError: An argument has a wrong type or value.
    """
    require_polars()
    size: object = keep_bytes
    if not isinstance(size, int) or not 0 <= keep_bytes < 1 << 63:
        raise InvalidArgumentError(f"keep_bytes={keep_bytes!r}", hint="it is a number of bytes, 0 or more")
    from xpframe.lazy.source import lazy_frame

    experiment, workspace = pin_paths(experiment, options["workspace"])
    narrowed = narrow(experiment, workspace, options)
    if narrowed is not None:
        options = narrowed.options
    query = ScanQuery(
        experiment,
        workspace,
        options["run"],
        table_request(options),
        strict=options["strict"],
        keep_bytes=keep_bytes,
        quiet=options["quiet"],
        filtered={} if narrowed is None else narrowed.names,
    )
    frame = lazy_frame(query)
    return frame if narrowed is None else narrowed.apply(frame)


def require_polars() -> None:
    """Raises an error that says what to install if polars is missing or too old."""
    hint = "pip install 'xpframe[polars]'"
    try:
        import polars

        version = polars.__version__
    except ModuleNotFoundError as error:
        if error.name == "polars":
            raise MissingLibraryError(
                "lazy queries need polars 2 or later: polars is not installed", hint=hint
            ) from error
        raise missing_library(error, "lazy queries need", "polars", hint=hint) from error
    except Exception as error:
        raise missing_library(error, "lazy queries need", "polars", hint=hint) from error
    if int(version.partition(".")[0]) < 2:
        raise MissingLibraryError(
            f"lazy queries need polars 2 or later: polars {version} is installed", hint=hint
        )
