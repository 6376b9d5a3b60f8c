"""The call that makes a lazy query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpframe.errors import InvalidArgumentError, MissingLibraryError
from xpframe.libraries import missing_library
from xpframe.lazy.query import ScanQuery
from xpframe.resolve import Experiments, Workspaces, pin_paths

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars

    from xpframe.request import Columns

__all__ = ["scan_xp"]


def scan_xp(
    experiment: Experiments,
    *,
    workspace: Workspaces = None,
    run: str | Sequence[str] = "latest",
    task: str | Sequence[str] | None = None,
    columns: Columns | None = None,
    strict: bool = False,
    max_columns: int = 2000,
    timezone: str | None = None,
    keep_bytes: int = 256 << 20,
    quiet: bool = False,
) -> polars.LazyFrame:
    """Experiments as a polars LazyFrame, one row a job, of which only what a query needs is read.

    Filters on ``experiment``, ``run``, ``workspace``, ``job_id``, ``task``, ``submitted_at`` and tags choose
    runs and jobs before any config is looked at. :func:`last_read` tells what a query read. A Python function
    in a filter goes through cloudpickle: what it does to variables outside of it is not seen there.

    The columns are decided here: for that, the configs of all runs are looked at once, unless ``columns``
    names only tags and system columns (``["job_id", "tags.*"]``). Each ``collect`` sees the runs, jobs and
    columns that there are then; files that did not change are not read again to know the columns. Which
    workspace is meant is settled here. A run that is read again while jobs are appended to it is read as far
    as it was known; one that was replaced meanwhile ends ``collect`` with a ``ReadError`` that says to ask
    again.

    Args:
        experiment: A name, a list of names, a glob, or the path of a run directory.

        workspace: As for :func:`xpframe.xp_frame`; several have a column ``workspace``.

        run: ``"latest"``, ``"all"``, the identifier of a run, or a list of them.

        task: Tasks to keep: identifiers, their last component, or globs.

        columns: The columns that there are, as for :func:`xpframe.xp_frame`.

        strict: Whether to raise at the first thing that cannot be read.

        max_columns: More columns than this are an error.

        timezone: The IANA name of the zone of times that the files hold without one.

        keep_bytes: How many bytes of files are kept in memory once they were read to know the columns. Runs
            beyond that are read again when a query needs them, so that memory stays bounded.

        quiet: Whether progress is not shown: here, and by each ``collect``.

    Raises:
        MissingLibraryError: polars 2 is not installed.
        WorkspaceNotFoundError, ExperimentNotFoundError, RunNotFoundError: What was asked for is not there.
        ColumnError, TooManyColumnsError: The columns are not.
        InvalidArgumentError: An argument is not what it can be.
    """
    require_polars()
    if keep_bytes < 0:
        raise InvalidArgumentError(f"keep_bytes={keep_bytes}", hint="it is a number of bytes, 0 or more")
    from xpframe.lazy.source import lazy_frame

    options = {"task": task, "columns": columns, "max_columns": max_columns, "timezone": timezone}
    return lazy_frame(ScanQuery(*pin_paths(experiment, workspace), run, options, strict, keep_bytes, quiet))


def require_polars() -> None:
    """Says what to install where polars is too old or missing."""
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
    except Exception as error:  # noqa: BLE001 - a broken library may raise anything
        raise missing_library(error, "lazy queries need", "polars", hint=hint) from error
    if int(version.partition(".")[0]) < 2:
        raise MissingLibraryError(
            f"lazy queries need polars 2 or later: polars {version} is installed", hint=hint
        )
