"""Workspaces and what was loaded of their runs."""

from __future__ import annotations

import os
import sys
import time
from _collections_abc import ItemsView, Mapping, ValuesView  # collections.abc brings all of collections along

from xpframe import _core
from xpframe.errors import JobNotFoundError, XpFrameError, XpFrameWarning
from xpframe.locate import find_workspace

# typing, pathlib and datetime each take longer to import than a run of some hundred jobs to read
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path
    from types import FrameType
    from typing import Any

    from xpframe.changes import Changes
    from xpframe.check import Findings
    from xpframe.failed_jobs import Failures
    from xpframe.frames import Experiments
    from xpframe.plots import Plots

__all__ = ["Action", "ExperimentInfo", "Workspace", "WorkspaceStateProvider", "load_xp_info"]

# less than that is read before any progress would be shown
FEW_BYTES = 64_000


class _Configs(Mapping[str, "Any"]):
    """Configs by identifier, in experimaestro's order, each made when it is asked for."""

    def __init__(self, run: _core.Run) -> None:
        self._run = run

    def _ids(self, positions: range) -> Iterator[str]:
        raise NotImplementedError

    def _pairs(self) -> Iterator[tuple[str, Any]]:
        raise NotImplementedError

    def _one(self, identifier: str) -> Any:
        raise NotImplementedError

    def __getitem__(self, identifier: str) -> Any:
        if not isinstance(identifier, str):
            # as of a dict: `get` of any key has an answer
            raise JobNotFoundError(
                f"no {type(self).__name__.lower()[:-1]} {identifier!r}", hint="it is a str"
            )
        return self._one(identifier)

    def __iter__(self) -> Iterator[str]:
        return self._ids(range(len(self)))

    def __reversed__(self) -> Iterator[str]:
        return self._ids(range(len(self) - 1, -1, -1))

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and super().__contains__(key)

    def items(self) -> ItemsView[str, Any]:
        return _Items(self)

    def values(self) -> ValuesView[Any]:
        return _Values(self)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def __repr__(self) -> str:
        counted = f"{len(self)} {type(self).__name__.lower()}"
        return f"<{counted} of {_shown(self._run.experiment)} {_shown(self._run.run_id)}>"


class _Items(ItemsView[str, "Any"]):
    _mapping: _Configs

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return self._mapping._pairs()  # noqa: SLF001 - ours


class _Values(ValuesView["Any"]):
    _mapping: _Configs

    def __iter__(self) -> Iterator[Any]:
        return (found for _, found in self._mapping._pairs())  # noqa: SLF001 - ours


class Jobs(_Configs):
    """The configs of the jobs of a run, by job id, in experimaestro's order."""

    def _ids(self, positions: range) -> Iterator[str]:
        return map(self._run.job_id, positions)

    def _pairs(self) -> Iterator[tuple[str, Any]]:
        before = None
        for position in range(len(self)):
            found = self._run.job_at(position)
            yield found
            # a job shares much with the one before it: what that one holds need not be made again
            before = found  # noqa: F841 - held, not used

    def __len__(self) -> int:
        return self._run.job_count()

    def _one(self, identifier: str) -> _core.Config:
        return self._run.job(identifier)

    def _repr_html_(self) -> str:
        from xpframe import display

        return display.jobs_html(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        from xpframe import display

        printer.text(repr(self) if cycle or printer.indentation else display.jobs_text(self))


class Actions(_Configs):
    """The actions of a run, by identifier, in experimaestro's order."""

    def _ids(self, positions: range) -> Iterator[str]:
        return map(self._run.action_ids().__getitem__, positions)

    def _pairs(self) -> Iterator[tuple[str, Any]]:
        return ((identifier, self._one(identifier)) for identifier in self)

    def __len__(self) -> int:
        return len(self._run.action_ids())

    def _one(self, identifier: str) -> Action:
        return Action(*self._run.action(identifier))

    def _repr_html_(self) -> str:
        from xpframe import display

        return display.actions_html(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        from xpframe import display

        printer.text(repr(self) if cycle or printer.indentation else display.actions_text(self))


class Action:
    """An action of a run: its config's fields are its attributes.

    Args:
        config: The config of the action.

        description: What ``describe()`` gave when the experiment ran.

        typename: Its class, ``module.Class``.
    """

    __slots__ = ("_config", "_description", "_typename")

    def __init__(self, config: _core.Config, description: str, typename: str) -> None:
        self._config, self._description, self._typename = config, description, typename

    def describe(self) -> str:
        """What ``describe()`` gave when the experiment ran; no code is run."""
        return self._description

    @property
    def config(self) -> _core.Config:
        """The config of the action."""
        return self._config

    def __getattr__(self, name: str) -> Any:
        return getattr(self._config, name)

    def __dir__(self) -> list[str]:
        return ["config", "describe", *dir(self._config)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Action) and other._config == self._config

    def __hash__(self) -> int:
        return hash(self._config)

    def __reduce__(self) -> tuple[type[Action], tuple[_core.Config, str, str]]:
        return Action, (self._config, self._description, self._typename)

    def __repr__(self) -> str:
        return f"<action {_shown(self._typename)}: {_shown(self._description)}>"

    def _repr_html_(self) -> str:
        from xpframe import display

        return display.action_html(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        from xpframe import display

        printer.text(repr(self) if cycle or printer.indentation else display.action_text(self))


class ExperimentInfo:
    """A run of an experiment: its jobs and actions as objects, its facts, and what could not be read.

    Made by :func:`load_xp_info` and :meth:`Workspace.load_xp_info`. Its jobs are those that there were when
    it was loaded; :meth:`refresh` gives those that there are now.
    """

    def __init__(self, run: _core.Run, loaded_at: int | None = None) -> None:
        self._run = run
        # what `since` compares with: when it was loaded, and the states that it told last
        self._loaded_at = time.time_ns() // 1000 if loaded_at is None else loaded_at
        self._seen: dict[str, str] | None = None
        self.jobs = Jobs(run)
        self.actions = Actions(run)

    @property
    def experiment(self) -> str:
        """The name of the experiment."""
        return self._run.experiment

    @property
    def run_id(self) -> str:
        """The identifier of the run."""
        return self._run.run_id

    @property
    def path(self) -> Path:
        """The directory of the run."""
        return self._run.path

    @property
    def tags(self) -> dict[str, dict[str, Any]]:
        """The tags of each job that has some, by job id."""
        return self._run.tags_map()

    @property
    def dependencies(self) -> dict[str, list[str]]:
        """The jobs that each job needs, by job id, for the jobs that need some."""
        return self._run.dependencies_map()

    @property
    def states(self) -> dict[str, str]:
        """The state of each job, by job id: done, error, running, waiting, ready, scheduled, unscheduled,
        transient or lost.
        """
        self._seen = {job_id: state for job_id, (state, _) in self._run.states().items()}
        return dict(self._seen)

    @property
    def saved(self) -> list[str]:
        """The names under which ``xp.save`` saved something."""
        return self._run.saved_names()

    def load(self, saved: str = "default") -> Any:
        """What ``xp.save`` saved under a name: a config, or lists and dicts of them.

        Raises:
            JobNotFoundError: Nothing was saved under that name.
        """
        return self._run.saved(saved)

    def refresh(self, *, strict: bool = False, quiet: bool = False) -> ExperimentInfo:
        """The same run as it is now. This one stays as it is, so that the two can be compared: see
        :meth:`since`. Jobs and configs are read again only if their files were changed.

        Args:
            strict: Whether to raise at the first thing that cannot be read.

            quiet: Whether progress is not shown.
        """
        return _loaded(self._run.renewed, strict=strict, quiet=quiet)

    def since(self, previous: ExperimentInfo) -> Changes:
        """What happened to the jobs since ``previous``: which were added, started, finished, failed or lost.

        The states of before are those that ``previous`` told last. If it was never asked for ``states``, a
        job that left no marker file since it was loaded counts as unchanged, and all that are lost now count
        as lost since.

        Args:
            previous: The same run, loaded earlier.

        Raises:
            InvalidArgumentError: It is another run.
        """
        from xpframe.changes import since

        return since(self, previous)

    @property
    def status(self) -> str | None:
        """How far the driver is: ``running``, ``done`` or ``failed``; a killed driver stays ``running``, see
        ``alive``.
        """
        status: str | None = self._run.record()["status"]
        return status

    @property
    def alive(self) -> bool | None:
        """Whether the driver is there now; None when that cannot be told."""
        alive: bool | None = self._run.record()["alive"]
        return alive

    @property
    def hostname(self) -> str | None:
        """Where the driver ran."""
        hostname: str | None = self._run.record()["hostname"]
        return hostname

    @property
    def started_at(self) -> datetime | None:
        """When the driver started, in UTC."""
        return _time(self._run.record()["started_at"])

    @property
    def ended_at(self) -> datetime | None:
        """When the driver ended, in UTC; None if it runs or was killed."""
        return _time(self._run.record()["ended_at"])

    @property
    def environment(self) -> dict[str, Any]:
        """What the driver ran with: ``python_version``, ``packages`` and ``git`` (a list of repositories)."""
        record = self._run.record()
        return {name: record[name] for name in ("python_version", "packages", "git", "run_tags")}

    @property
    def errors(self) -> list[XpFrameError]:
        """What could not be read, of what was read so far."""
        return self._run.errors()

    @property
    def plot(self) -> Plots:
        """Pictures of the jobs: ``plot.states()``, ``plot.parallel()``, ``plot.timeline()``,
        ``plot.tasks()``.
        """
        from xpframe.plots import Plots

        return Plots(self._run)

    def table(self, **options: Any) -> _core.Table:
        """The jobs as an Arrow table; the options of :func:`xpframe.xp_table`."""
        from xpframe.frames import table_of_runs

        return table_of_runs([self._run], several_runs=False, **options)

    def frame(self, **options: Any) -> Any:
        """The jobs as a DataFrame; the options of :func:`xpframe.xp_frame`."""
        from xpframe.frames import frame_of_runs

        return frame_of_runs([self._run], several_runs=False, **options)

    def failures(
        self, *, task: str | Sequence[str] | None = None, strict: bool = False, quiet: bool = False
    ) -> Failures:
        """Why jobs of the run failed, by cause; it shows itself, and ``.frame()`` has a row a job.

        Args:
            task: Tasks to keep: identifiers, their last component, or globs.

            strict: Whether to raise at the first log that cannot be read.

            quiet: Hide progress.
        """
        from xpframe.failed_jobs import failures_of

        return failures_of([self._run], task=task, strict=strict, quiet=quiet)

    def __repr__(self) -> str:
        counts = f"{len(self.jobs)} jobs, {len(self.actions)} actions"
        return f"<ExperimentInfo {_shown(self.experiment)} {_shown(self.run_id)}: {counts}>"

    def _repr_html_(self) -> str:
        from xpframe import display

        return display.info_html(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        from xpframe import display

        printer.text(repr(self) if cycle or printer.indentation else display.info_text(self))


def _shown(text: str) -> str:
    """A name of the user's in a prompt: one line that moves no cursor."""
    from xpframe.display.text import visible

    return visible(text)


def _time(microseconds: int | None) -> datetime | None:
    if microseconds is None:
        return None
    from datetime import UTC, datetime

    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).replace(
        microsecond=microseconds % 1_000_000
    )


def load_xp_info(
    path: str | os.PathLike[str], *, strict: bool = False, quiet: bool = False
) -> ExperimentInfo:
    """Loads a run by the path of its directory.

    Args:
        path: As in ``ws/experiments/grid-search/20260319_120000``; the ``current`` link and ``ws/xp/NAME`` do
        too.

        strict: Whether to raise at the first thing that cannot be read, rather than to list it in ``errors``.

        quiet: Whether progress is not shown, as for :func:`xpframe.xp_frame`.

    Returns:
        The jobs and actions, read when they are touched.

    Raises:
        RunNotFoundError: There is no run at that path.
    """
    where = os.path.expanduser(path) or os.curdir  # noqa: PTH111 - pathlib takes longer than to read a small run
    return _loaded(lambda: _core.open_run(where), strict=strict, quiet=quiet)


def _loaded(opened: Callable[[], _core.Run], *, strict: bool, quiet: bool) -> ExperimentInfo:
    # file systems stamp a file with a clock that is some milliseconds behind
    started = time.time_ns() // 1000 - 10_000
    run = opened()
    if quiet or run.size < FEW_BYTES:
        run.load()
    else:
        from xpframe.progress import reading

        with reading(run.experiment):
            run.load()
    report(run.errors(), [], strict=strict)
    return ExperimentInfo(run, started)


def report(errors: list[XpFrameError], notes: list[str], *, strict: bool) -> None:
    """Raises the first error if ``strict``; else tells of all, and of the notes, in one warning."""
    if strict and errors:
        raise errors[0]
    if not errors and not notes:
        return
    told = list(notes)
    if errors:
        rest = f" (and {len(errors) - 1} more, see .errors)" if len(errors) > 1 else ""
        told.insert(0, f"could not be read: {errors[0]}{rest}")
    import warnings

    warnings.warn(XpFrameWarning("; ".join(told), errors), stacklevel=_outside())


def _outside() -> int:
    """How many calls up the code is that called into this package: the line that a warning should name."""
    from pathlib import Path

    here = str(Path(__file__).parent)
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - inspect would cost 5 ms to import
    level = 1
    while frame is not None and frame.f_code.co_filename.startswith(here):
        frame, level = frame.f_back, level + 1
    return level


class Workspace:
    """A workspace: its experiments, their runs, and what they hold. Nothing in it is ever changed.

    Args:
        path: The root; without one, the workspace that :func:`xpframe.xp_frame` would use.

    Raises:
        WorkspaceNotFoundError: There is no workspace.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._workspace = find_workspace(path)

    @property
    def path(self) -> Path:
        """The root directory."""
        return self._workspace.root

    def experiments(self) -> list[str]:
        """The names of the experiments, sorted."""
        return self._workspace.experiments()

    def runs(self, experiment: str) -> list[str]:
        """The identifiers of the runs of an experiment, newest first."""
        return [run.run_id for run in self._workspace.runs(experiment)]

    def get_current_run(self, experiment: str) -> str:
        """The identifier of the latest run of an experiment: what ``current`` names, else the newest."""
        return self._workspace.latest(experiment).run_id

    def load_xp_info(
        self, experiment: str, run_id: str | None = None, *, strict: bool = False, quiet: bool = False
    ) -> ExperimentInfo:
        """Loads a run, the latest unless ``run_id`` names another.

        Raises:
            ExperimentNotFoundError: There is no such experiment.
            RunNotFoundError: There is no such run.
        """
        return _loaded(lambda: self._run(experiment, run_id), strict=strict, quiet=quiet)

    def get_tags_map(self, experiment: str, run_id: str | None = None) -> dict[str, dict[str, Any]]:
        """The tags of each job that has some, by job id, in the order of submission."""
        return self._run(experiment, run_id).tags_map()

    def get_dependencies_map(self, experiment: str, run_id: str | None = None) -> dict[str, list[str]]:
        """The jobs that each job needs, by job id, where it needs some; rebuilt from configs."""
        return self._run(experiment, run_id).dependencies_map()

    def load(self, experiment: str, saved: str = "default", run_id: str | None = None) -> Any:
        """What ``xp.save`` saved under a name in a run, the latest unless ``run_id`` names another.

        Raises:
            JobNotFoundError: Nothing was saved under that name.
        """
        return self._run(experiment, run_id).saved(saved)

    def check(
        self, experiment: Experiments | None = None, *, run: str | Sequence[str] = "all", quiet: bool = False
    ) -> Findings:
        """Looks for what is wrong: dangling references, ids that Python used twice, jobs without configs,
        states that disagree with marker files, runs cut short, paths that are gone, and more. Every config is
        compared with the params.json of its job. Nothing is written.

        Args:
            experiment: A name, a list of names or a glob; all experiments, and what lies around their runs,
                if not given.

            run: ``"all"``, ``"latest"``, the identifier of a run, or a list of them.

            quiet: Whether progress is not shown.

        Returns:
            The findings, as a sequence, a frame (``frame()``) and text (``print``); ``is_clean`` when there
            is no error and no warning.

        Raises:
            ExperimentNotFoundError, RunNotFoundError: What was asked for is not there.
            ReadError: The experiments cannot be listed.
        """
        from xpframe.check import check

        return check(self._workspace, experiment, run, quiet=quiet)

    def _run(self, experiment: str, run_id: str | None) -> _core.Run:
        if run_id is None:
            return self._workspace.latest(experiment)
        return self._workspace.run(experiment, run_id)

    def __repr__(self) -> str:
        return f"<Workspace {_shown(str(self.path))}>"

    def _repr_html_(self) -> str:
        from xpframe import display

        return display.workspace_html(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        from xpframe import display

        printer.text(repr(self) if cycle or printer.indentation else display.workspace_text(self))


WorkspaceStateProvider = Workspace
