"""A loaded run: its jobs and actions as objects, and its facts."""

from __future__ import annotations

import os
import time
from _collections_abc import ItemsView, Mapping, ValuesView  # collections.abc brings all of collections along

from xpframe import _core
from xpframe.displayed import Displayed
from xpframe.errors import InvalidArgumentError, JobNotFoundError, XpFrameError
from xpframe.report import report
from xpframe.text import visible

# typing, pathlib and datetime each take longer to import than a run of some hundred jobs to read
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path
    from typing import Any

    from xpframe.changes import Changes
    from xpframe.failed_jobs import Failures
    from xpframe.plots import Plots

__all__ = ["Action", "Actions", "ExperimentInfo", "Jobs", "load_xp_info", "open_info"]

# less than that is read before any progress would be shown
FEW_BYTES = 64_000


class _Configs(Displayed, Mapping[str, "Any"]):
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
        kind = type(self).__name__.lower()[:-1]
        # as of a dict: `get` of any key has an answer
        if not isinstance(identifier, str):
            raise JobNotFoundError(f"no {kind} {identifier!r}", hint="it is a str")
        try:
            return self._one(identifier)
        except UnicodeEncodeError as error:
            hint = "it has an unpaired surrogate, and no identifier has"
            raise JobNotFoundError(f"no {kind} {identifier!r}", hint=hint) from error

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

    def _one_line(self) -> str:
        counted = f"{len(self)} {type(self).__name__.lower()}"
        return f"<{counted} of {visible(self._run.experiment)} {visible(self._run.run_id)}>"


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

    def _display(self, *, as_html: bool) -> str:
        from xpframe.display.jobs import jobs_html, jobs_text

        return (jobs_html if as_html else jobs_text)(self._run)


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

    def _display(self, *, as_html: bool) -> str:
        from xpframe.display.actions import actions_html, actions_text

        return (actions_html if as_html else actions_text)(self._run)


class Action(Displayed):
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

    def _one_line(self) -> str:
        return f"<action {visible(self._typename)}: {visible(self._description)}>"

    def _display(self, *, as_html: bool) -> str:
        from xpframe.display.actions import action_html, action_text

        return (action_html if as_html else action_text)(self._config, self._description)


class ExperimentInfo(Displayed):
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
        return open_info(self._run.refreshed, strict=strict, quiet=quiet)

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

        return since(self._run, self.states, previous._run, previous._seen, previous._loaded_at)

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

    def _one_line(self) -> str:
        counts = f"{len(self.jobs)} jobs, {len(self.actions)} actions"
        return f"<ExperimentInfo {visible(self.experiment)} {visible(self.run_id)}: {counts}>"

    def _display(self, *, as_html: bool) -> str:
        from xpframe.display.info import info_html, info_text

        return (info_html if as_html else info_text)(self._run)


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
    try:
        where = os.path.expanduser(path) or os.curdir  # noqa: PTH111 - pathlib takes longer than to read a small run
    except TypeError as error:
        raise InvalidArgumentError(f"{path!r} is not a path", hint="give a str or a pathlib.Path") from error
    return open_info(lambda: _core.open_run(where), strict=strict, quiet=quiet)


def open_info(opened: Callable[[], _core.Run], *, strict: bool, quiet: bool) -> ExperimentInfo:
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
