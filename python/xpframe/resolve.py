"""From names of experiments, workspaces and runs to the runs themselves."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from xpframe import _core
from xpframe.arguments import checked_texts
from xpframe.errors import (
    ExperimentNotFoundError,
    InvalidArgumentError,
    InvalidNameError,
    ReadError,
    RunNotFoundError,
)
from xpframe.locate import archives, expanded, find_workspace, how_to_copy
from xpframe.report import report

if TYPE_CHECKING:
    from pathlib import Path

    from xpframe.options import Experiments, Workspaces

__all__ = ["pin_paths", "resolve_runs"]


def resolve_runs(
    experiment: Experiments, workspace: Workspaces, run: str | Sequence[str]
) -> tuple[list[_core.Run], bool]:
    """Opens the runs that the arguments of ``xp_frame`` name.

    Of several experiments, one that cannot be read does not hide the others: a run without jobs stands for
    it, whose ``errors`` say why. If none can be read, the first error is raised.

    Returns:
        The runs in the order of their rows, and whether the arguments could name several: then the columns
        ``experiment`` and ``run`` are shown, even if there is only one run.
    """
    _run_words(run)
    if path := _run_directory(experiment):
        opened = _core.open_run(path, archives())
        if run not in ("latest", opened.run_id):
            raise InvalidArgumentError(
                f"run={run!r} and the path of a run: {path}",
                hint="give the name of the experiment, or leave out run",
            )
        return [opened], False
    patterns = _experiment_patterns(experiment)
    workspaces = _open_workspaces(patterns, workspace)
    runs: list[_core.Run] = []
    several = run in ("all", "distinct") or not (
        _is_single(workspace) and isinstance(experiment, str) and isinstance(run, str)
    )
    for opened_workspace, (names, globbed) in zip(
        workspaces, _match_experiments(workspaces, patterns), strict=True
    ):
        several = several or globbed
        for name in names:
            if globbed or not isinstance(experiment, str):
                runs.extend(_readable_runs(opened_workspace, name, run, must_exist=name in patterns))
            else:
                runs.extend(_runs_of_one(opened_workspace, name, run))
    if runs and not any(opened.is_readable for opened in runs):
        raise runs[0].errors()[0]
    return runs, several


def pin_paths(experiment: Experiments, workspace: Workspaces) -> tuple[Experiments, Workspaces]:
    """Replaces relative paths and implied workspaces by absolute paths, so that the current directory may
    change before they are used.
    """
    if path := _run_directory(experiment):
        return path.absolute(), None
    roots = [str(opened.root) for opened in _open_workspaces(_experiment_patterns(experiment), workspace)]
    return experiment, roots[0] if _is_single(workspace) else roots


def _is_single(workspace: Workspaces) -> bool:
    return workspace is None or isinstance(workspace, (str, os.PathLike))


def _open_workspaces(patterns: list[str], workspace: Workspaces) -> list[_core.Workspace]:
    """Opens the workspaces; two paths of the same directory count once."""
    if isinstance(workspace, (str, bytes, os.PathLike)) or not isinstance(workspace, Iterable):
        return [find_workspace(workspace, patterns[0])]
    opened = [find_workspace(path, patterns[0]) for path in workspace]
    if not opened:
        raise InvalidArgumentError("workspace is an empty list", hint="name a workspace, or leave it out")
    distinct: dict[tuple[int, int], _core.Workspace] = {}
    for candidate in opened:
        try:
            status = candidate.root.stat()
        except OSError as error:
            raise ReadError(f"cannot be read: {error.strerror}", file=str(candidate.root)) from error
        distinct.setdefault((status.st_dev, status.st_ino), candidate)
    return list(distinct.values())


def _experiment_patterns(experiment: Experiments) -> list[str]:
    """The names and globs of experiments, as a list."""
    hint = "give a name, a list of names, a glob, or the path of a run directory"
    if not isinstance(experiment, Sequence) or isinstance(experiment, (bytes, bytearray)):
        if type(experiment).__name__ == "ExperimentInfo":
            hint = "a run that is loaded has calls of its own: info.frame(), info.series(), info.failures()"
        raise InvalidArgumentError(f"experiment={experiment!r}", hint=hint)
    patterns = checked_texts("experiment", experiment, hint)
    if not patterns:
        raise InvalidArgumentError(
            "experiment is an empty list", hint="give a name, a list of names or a glob"
        )
    return patterns


def _run_directory(experiment: Experiments) -> Path | None:
    """The path of a run directory, if `experiment` is one: a path object, or a string with a separator."""
    if isinstance(experiment, os.PathLike):
        return expanded(experiment)
    if isinstance(experiment, str) and os.sep in experiment and (hint := how_to_copy(experiment)):
        raise RunNotFoundError(f"{experiment!r} is not on this machine", hint=hint)
    if isinstance(experiment, str) and (os.sep in experiment or experiment in (".", "..")):
        path = expanded(experiment)
        return path if path.is_absolute() or _may_exist(path) else None
    return None


def _may_exist(path: Path) -> bool:
    """Whether there is something, or the system does not tell: then opening it says why."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True
    return True


def _match_experiments(
    workspaces: list[_core.Workspace], patterns: list[str]
) -> list[tuple[list[str], bool]]:
    """For each workspace, the experiments that match, and whether a glob matched them.

    Each pattern must match in one of the workspaces, not in all.
    """
    if len(workspaces) == 1:
        return [_match_in(workspaces[0], patterns)]
    available = [workspace.experiments() for workspace in workspaces]
    matching = [[pattern for pattern in patterns if _matches_any(pattern, names)] for names in available]
    missing = [pattern for pattern in patterns if not any(pattern in some for some in matching)]
    if missing:
        roots = ", ".join(str(workspace.root) for workspace in workspaces)
        all_names = sorted({name for names in available for name in names})
        near = ", ".join(_core.near_misses(missing[0], all_names))
        raise ExperimentNotFoundError(
            f"no experiment matches {missing[0]!r} in {roots}", hint=f"did you mean {near}?" if near else None
        )
    return [_match_in(workspace, some) for workspace, some in zip(workspaces, matching, strict=True)]


def _matches_any(pattern: str, names: list[str]) -> bool:
    return pattern in names or any(_core.glob_matches(pattern, name) for name in names)


def _match_in(workspace: _core.Workspace, patterns: list[str]) -> tuple[list[str], bool]:
    """The experiments of one workspace that match, each once, and whether a glob matched them."""
    names: dict[str, None] = {}
    globbed = False
    for pattern in patterns:
        if not any(wildcard in pattern for wildcard in "*?["):
            names[pattern] = None
            continue
        available = workspace.experiments()
        if pattern in available:
            names[pattern] = None
            continue
        globbed = True
        report(workspace.unreadable_experiments(), [], strict=False, listed_in="Workspace(…).errors")
        matching = [name for name in available if _core.glob_matches(pattern, name)]
        if not matching:
            raise ExperimentNotFoundError(
                f"no experiment matches {pattern!r}",
                file=str(workspace.root),
                hint=f"it has {', '.join(available[:10]) or 'none'}",
            )
        names.update(dict.fromkeys(matching))
    return list(names), globbed


def _readable_runs(
    workspace: _core.Workspace, name: str, run: str | Sequence[str], *, must_exist: bool
) -> list[_core.Run]:
    """The runs of one experiment of several."""
    try:
        return [
            opened
            for which in dict.fromkeys(checked_texts("run", "all" if run == "distinct" else run))
            for opened in workspace.readable_runs(name, which)
        ]
    except RunNotFoundError:
        # an experiment that only a glob matched may have no run yet, or none any more
        if must_exist or run != "latest":
            raise
        return []


def _runs_of_one(workspace: _core.Workspace, name: str, run: str | Sequence[str]) -> list[_core.Run]:
    """The runs of the only experiment; of ``NAME/RUN`` the error says how to write it."""
    try:
        return _select_runs(workspace, name, run)
    except InvalidNameError as error:
        experiment, _, run_id = name.partition("/")
        if experiment in workspace.experiments():
            error.hint = f"give the name {experiment!r} and run={run_id!r}"
        raise


def _select_runs(workspace: _core.Workspace, name: str, run: str | Sequence[str]) -> list[_core.Run]:
    """The runs of one experiment, each once; ``"all"`` and ``"distinct"`` give the oldest first."""
    runs: dict[str, _core.Run] = {}
    for word in _run_words(run):
        if word == "latest":
            chosen = [workspace.latest(name)]
        elif word in ("all", "distinct"):
            chosen = workspace.runs(name)[::-1]
        else:
            chosen = [_named_run(workspace, name, word)]
        for each in chosen:
            runs.setdefault(each.run_id, each)
    return list(runs.values())


def _named_run(workspace: _core.Workspace, name: str, word: str) -> _core.Run:
    try:
        return workspace.run(name, word)
    except RunNotFoundError as error:
        if near := _core.near_misses(word, ["latest", "all", "distinct"]):
            error.hint = " ".join(filter(None, (f"did you mean {near[0]}?", error.hint)))
        raise


def _run_words(run: object) -> list[str]:
    """The argument ``run``: one word or several."""
    words = checked_texts("run", run, 'it is "latest", "all", "distinct", a run id, or a list of them')
    if not words:
        raise InvalidArgumentError("run is an empty list", hint="name a run, or leave it out")
    if "distinct" in words and run != "distinct":
        raise InvalidArgumentError(f"run={run!r}", hint='run="distinct" is of all runs: it stands alone')
    return words
