"""From the name of an experiment to a DataFrame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from xpframe.backends.convert import Backend, converter_for
from xpframe.report import report
from xpframe.request import Columns, Names, read_table
from xpframe.resolve import Experiments, Workspaces, resolve_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas
    import polars
    import pyarrow

    from xpframe import _core

__all__ = ["frame_of_runs", "table_of_runs", "xp_frame", "xp_table"]


@overload
def xp_frame(
    experiment: Experiments,
    *,
    workspace: Workspaces = None,
    run: str | Sequence[str] = "latest",
    task: str | Sequence[str] | None = None,
    columns: Columns | None = None,
    backend: Literal["pandas"] = "pandas",
    names: Names = "full",
    strict: bool = False,
    max_columns: int = 2000,
    timezone: str | None = None,
    quiet: bool = False,
) -> pandas.DataFrame: ...
@overload
def xp_frame(
    experiment: Experiments,
    *,
    workspace: Workspaces = None,
    run: str | Sequence[str] = "latest",
    task: str | Sequence[str] | None = None,
    columns: Columns | None = None,
    backend: Literal["polars"],
    names: Names = "full",
    strict: bool = False,
    max_columns: int = 2000,
    timezone: str | None = None,
    quiet: bool = False,
) -> polars.DataFrame: ...
@overload
def xp_frame(
    experiment: Experiments,
    *,
    workspace: Workspaces = None,
    run: str | Sequence[str] = "latest",
    task: str | Sequence[str] | None = None,
    columns: Columns | None = None,
    backend: Literal["pyarrow"],
    names: Names = "full",
    strict: bool = False,
    max_columns: int = 2000,
    timezone: str | None = None,
    quiet: bool = False,
) -> pyarrow.Table: ...
def xp_frame(
    experiment: Experiments,
    *,
    workspace: Workspaces = None,
    run: str | Sequence[str] = "latest",
    task: str | Sequence[str] | None = None,
    columns: Columns | None = None,
    backend: Backend = "pandas",
    names: Names = "full",
    strict: bool = False,
    max_columns: int = 2000,
    timezone: str | None = None,
    quiet: bool = False,
) -> Any:
    """Reads experiments into a DataFrame: one row a job, tags and parameters as columns.

    Args:
        experiment: A name, a list of names, a glob, or the path of a run directory.

        workspace: The root of the workspace, its id in experimaestro's settings, or a list of those. Without
        one: what
            :func:`xpframe.use` was given, ``$XPFRAME_WORKSPACE``, the current directory or a parent of it,
            experimaestro's settings.

        run: ``"latest"``, ``"all"``, the identifier of a run, or a list of them.

        task: Tasks to keep: identifiers, their last component, or globs. Names and types of columns do not
        depend on it.

        columns: Names, short names or globs, one or a list; or a dict from the name a column shall have to
        the column.

        backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``.

        names: ``"short"`` strips ``tags.`` and ``config.`` from the names.

        strict: Whether to raise at the first thing that cannot be read. Otherwise what can be read comes
        back, and one
            :class:`~xpframe.errors.XpFrameWarning` says what could not.

        max_columns: More columns than this are an error.

        timezone: The IANA name of the zone of times that the files hold without one; the local zone if not
        given.

        quiet: Whether progress is not shown. Otherwise it is, of a read of more than half a second, in
            notebooks and terminals.

    Returns:
        A ``pandas.DataFrame``, ``polars.DataFrame`` or ``pyarrow.Table``; the latter with text as
        ``large_string``, for which pyarrow has functions.

    Raises:
        WorkspaceNotFoundError, ExperimentNotFoundError, RunNotFoundError: What was asked for is not there.
        ColumnError, TooManyColumnsError: The columns are not.
        MissingLibraryError: The backend is not installed.
    """
    converter_for(backend)  # says at once what is missing
    runs, several = resolve_runs(experiment, workspace, run)
    return frame_of_runs(
        runs,
        several_runs=several,
        backend=backend,
        strict=strict,
        quiet=quiet,
        task=task,
        columns=columns,
        names=names,
        max_columns=max_columns,
        timezone=timezone,
    )


def xp_table(
    experiment: Experiments,
    *,
    workspace: Workspaces = None,
    run: str | Sequence[str] = "latest",
    task: str | Sequence[str] | None = None,
    columns: Columns | None = None,
    names: Names = "full",
    strict: bool = False,
    max_columns: int = 2000,
    timezone: str | None = None,
    quiet: bool = False,
) -> _core.Table:
    """Reads experiments into an Arrow table, which any Arrow library takes without copying.

    The arguments are those of :func:`xp_frame`. What could not be read is in the table's ``errors``.
    """
    runs, several = resolve_runs(experiment, workspace, run)
    return table_of_runs(
        runs,
        several_runs=several,
        task=task,
        columns=columns,
        names=names,
        strict=strict,
        max_columns=max_columns,
        timezone=timezone,
        quiet=quiet,
    )


def table_of_runs(
    runs: list[_core.Run], *, several_runs: bool, strict: bool = False, **options: Any
) -> _core.Table:
    """The table of runs that are open already."""
    table = read_table(runs, several_runs, **options)
    report(table.errors, table.warnings, strict=strict)
    return table


def frame_of_runs(
    runs: list[_core.Run],
    *,
    several_runs: bool,
    backend: Backend = "pandas",
    strict: bool = False,
    **options: Any,
) -> Any:
    """The DataFrame of runs that are open already."""
    make = converter_for(backend)
    table = read_table(runs, several_runs, backend=backend, **options)
    report(table.errors, table.warnings, strict=strict)
    return make(table)
