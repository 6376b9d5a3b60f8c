"""From the name of an experiment to a DataFrame."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from xpframe import _core
from xpframe.errors import ExperimentNotFoundError, InvalidArgumentError, MissingLibraryError
from xpframe.locate import expanded, find_workspace
from xpframe.workspace import report

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pandas
    import polars
    import pyarrow

__all__ = ["xp_frame", "xp_table"]

Experiments: TypeAlias = str | os.PathLike[str] | Sequence[str]
Workspaces: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None
Columns: TypeAlias = str | Sequence[str] | Mapping[str, str]
Backend: TypeAlias = Literal["pandas", "polars", "pyarrow"]
Names: TypeAlias = Literal["full", "short"]


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
    hand_over(backend)  # says at once what is missing
    runs, several = runs_of(experiment, workspace, run)
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
    runs, several = runs_of(experiment, workspace, run)
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
    table = _read(runs, several_runs, **options)
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
    make = hand_over(backend)
    table = _read(runs, several_runs, backend=backend, **options)
    report(table.errors, table.warnings, strict=strict)
    return make(table)


def model_of(
    runs: list[_core.Run], several_runs: bool, *, keep_bytes: int, quiet: bool = False, **options: Any
) -> _core.Model:
    """The columns of runs, for lazy queries."""
    asked = question(several_runs, **options)
    with _watched(runs, quiet=quiet):
        return _core.read_model(runs, asked, keep_bytes=keep_bytes)


def _read(
    runs: list[_core.Run],
    several_runs: bool,
    *,
    backend: Backend = "polars",
    quiet: bool = False,
    **options: Any,
) -> _core.Table:
    asked = question(several_runs, **options)
    with _watched(runs, quiet=quiet):
        return _core.read_table(runs, asked, backend=backend)


def question(
    several_runs: bool,
    *,
    task: str | Sequence[str] | None = None,
    columns: Columns | None = None,
    names: Names = "full",
    max_columns: int = 2000,
    timezone: str | None = None,
) -> dict[str, object]:
    """What is asked of runs, as the engine takes it."""
    if names not in ("full", "short"):
        raise InvalidArgumentError(f"names={names!r}", hint="it is 'full' or 'short'")
    return {
        "several_runs": several_runs,
        "tasks": [task] if isinstance(task, str) else task and list(task),
        "columns": _chosen(columns),
        "max_columns": max_columns,
        "short_names": names == "short",
        "zone": timezone,
    }


def title_of(runs: Sequence[tuple[str, str]]) -> str:
    """What is read, in a few words: of these (experiment, run) pairs."""
    experiments = {experiment for experiment, _ in runs}
    named = next(iter(experiments)) if len(experiments) == 1 else f"{len(experiments):,} experiments"
    return named if len(runs) == len(experiments) else f"{named}, {len(runs):,} runs"


def _watched(runs: list[_core.Run], *, quiet: bool) -> AbstractContextManager[None]:
    """Shows how far the reading of runs is."""
    from xpframe.progress import reading

    title = title_of([(run.experiment, run.run_id) for run in runs])
    return reading(title, quiet=quiet, size=lambda: sum(map(_size, runs)))


def _size(run: _core.Run) -> int:
    """The bytes of the files that hold the jobs of a run, as far as there are such."""
    files = [run.path / "jobs.jsonl", run.path / "objects.jsonl"]
    return sum(file.stat().st_size for file in files if file.is_file())


def _chosen(columns: Columns | None) -> list[tuple[str, str | None]] | None:
    """The columns as (pattern, new name) pairs."""
    if columns is None:
        return None
    if isinstance(columns, str):
        return [(columns, None)]
    if isinstance(columns, Mapping):
        return [(pattern, name) for name, pattern in columns.items()]
    return [(pattern, None) for pattern in columns]


def runs_of(
    experiment: Experiments, workspace: Workspaces, run: str | Sequence[str]
) -> tuple[list[_core.Run], bool]:
    """The runs that are meant, and whether the question was for several."""
    if path := _run_directory(experiment):
        found = _core.open_run(path)
        if run not in ("latest", found.run_id):
            raise InvalidArgumentError(
                f"run={run!r} and the path of a run: {path}",
                hint="give the name of the experiment, or no run",
            )
        return [found], False
    asked = _asked(experiment)
    places = _places(asked, workspace)
    runs: list[_core.Run] = []
    one = _is_one(workspace) and isinstance(experiment, str) and isinstance(run, str)
    several = not one or run == "all"
    for place, (names, globbed) in zip(places, _names_in(places, asked), strict=True):
        several = several or globbed
        for name in names:
            # what a glob found may have no run yet, or none any more
            if name in asked or run != "latest" or place.runs(name):
                runs.extend(_runs_of(place, name, run))
    return runs, several


def settled(experiment: Experiments, workspace: Workspaces) -> tuple[Experiments, Workspaces]:
    """The same experiments and workspaces, by paths that mean the same from any current directory."""
    if path := _run_directory(experiment):
        return path.absolute(), None
    roots = [str(place.root) for place in _places(_asked(experiment), workspace)]
    return experiment, roots[0] if _is_one(workspace) else roots


def _is_one(workspace: Workspaces) -> bool:
    return workspace is None or isinstance(workspace, (str, os.PathLike))


def _places(asked: list[str], workspace: Workspaces) -> list[_core.Workspace]:
    """The workspaces that are meant, each once."""
    if workspace is None or isinstance(workspace, (str, os.PathLike)):
        return [find_workspace(workspace, asked[0])]
    places = [find_workspace(where, asked[0]) for where in workspace]
    if not places:
        raise InvalidArgumentError("no workspace was named", hint="give a path, some, or leave it out")
    distinct: dict[tuple[int, int], _core.Workspace] = {}
    for place in places:
        found = place.root.stat()
        distinct.setdefault((found.st_dev, found.st_ino), place)
    return list(distinct.values())


def _asked(experiment: Experiments) -> list[str]:
    asked = [experiment] if isinstance(experiment, str) else [str(name) for name in _sequence(experiment)]
    if not asked:
        raise InvalidArgumentError("no experiment was named", hint="give a name, a list of names or a glob")
    for name in asked:
        if any("\ud800" <= character <= "\udfff" for character in name):
            raise InvalidArgumentError(
                f"experiment={name!r} has an unpaired surrogate", hint="no experiment can be called like this"
            )
    return asked


def _run_directory(experiment: Experiments) -> Path | None:
    """The path of a run directory, if that was given: a path object, or text with a separator."""
    if isinstance(experiment, os.PathLike):
        return expanded(experiment)
    if isinstance(experiment, str) and (os.sep in experiment or experiment in (".", "..")):
        path = expanded(experiment)
        return path if path.is_absolute() or path.exists() else None
    return None


def _sequence(experiment: Experiments) -> Sequence[str]:
    if isinstance(experiment, Sequence):
        return experiment
    raise InvalidArgumentError(
        f"experiment={experiment!r}",
        hint="give a name, a list of names, a glob, or the path of a run directory",
    )


def _names_in(places: list[_core.Workspace], asked: list[str]) -> list[tuple[list[str], bool]]:
    """For each workspace, the experiments that are meant there, and whether there was a glob.

    What is asked has to be in one of the workspaces, not in all.
    """
    if len(places) == 1:
        return [_names(places[0], asked)]
    known = [place.experiments() for place in places]
    there = [[pattern for pattern in asked if _means_one_of(pattern, names)] for names in known]
    missing = [pattern for pattern in asked if not any(pattern in patterns for patterns in there)]
    if missing:
        roots = ", ".join(str(place.root) for place in places)
        near = ", ".join(_core.near_misses(missing[0], sorted({name for names in known for name in names})))
        raise ExperimentNotFoundError(
            f"no experiment matches {missing[0]!r} in {roots}", hint=f"did you mean {near}?" if near else None
        )
    return [_names(place, patterns) for place, patterns in zip(places, there, strict=True)]


def _means_one_of(pattern: str, names: list[str]) -> bool:
    return pattern in names or any(_core.glob_matches(pattern, name) for name in names)


def _names(place: _core.Workspace, asked: list[str]) -> tuple[list[str], bool]:
    """The experiments that names and globs mean, each once, and whether there was a glob."""
    names: dict[str, None] = {}
    globbed = False
    for pattern in asked:
        if not any(mark in pattern for mark in "*?["):
            names[pattern] = None
            continue
        known = place.experiments()
        if pattern in known:
            names[pattern] = None
            continue
        globbed = True
        found = [name for name in known if _core.glob_matches(pattern, name)]
        if not found:
            raise ExperimentNotFoundError(
                f"no experiment matches {pattern!r}",
                file=str(place.root),
                hint=f"it has {', '.join(known[:10]) or 'none'}",
            )
        names.update(dict.fromkeys(found))
    return list(names), globbed


def _runs_of(place: _core.Workspace, name: str, run: str | Sequence[str]) -> list[_core.Run]:
    """The runs of one experiment; all of them oldest first, as time goes."""
    if not isinstance(run, str):
        return [place.run(name, run_id) for run_id in dict.fromkeys(run)]
    if run == "latest":
        return [place.latest(name)]
    if run == "all":
        return place.runs(name)[::-1]
    return [place.run(name, run)]


def hand_over(backend: str) -> Callable[..., Any]:
    """What makes a backend's frame of a table; says at once if the backend is not installed."""
    try:
        if backend == "pandas":
            from xpframe.frames_pandas import to_pandas

            return to_pandas
        if backend == "polars":
            import polars

            return polars.DataFrame
        if backend == "pyarrow":
            import pyarrow

            # an enum that runs have different names of would be refused by group_by and join
            return lambda table: pyarrow.table(table._arrow_for_pyarrow()).unify_dictionaries()  # noqa: SLF001 - ours
    except ImportError as error:
        extra = "pandas" if backend == "pyarrow" else backend
        raise MissingLibraryError(
            f"backend={backend!r} needs {error.name}, which is not installed",
            hint=f"pip install 'xpframe[{extra}]'",
        ) from error
    raise InvalidArgumentError(f"backend={backend!r}", hint="it is 'pandas', 'polars' or 'pyarrow'")
