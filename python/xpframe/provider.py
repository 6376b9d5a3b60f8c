"""A workspace with the reading methods of experimaestro's ``WorkspaceStateProvider``."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from xpframe import _core
from xpframe.arguments import checked_text
from xpframe.errors import (
    ExperimentNotFoundError,
    InvalidArgumentError,
    ReadError,
    RunNotFoundError,
    WorkspaceNotFoundError,
    XpFrameError,
)
from xpframe.experiment import Actions, refuse_empty
from xpframe.locate import expanded
from xpframe.provided_job import Job, job_of, jobs_of, time_of
from xpframe.report import report
from xpframe.service import services_of
from xpframe.state import State
from xpframe.summary import STATES
from xpframe.workspace import Workspace

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from xpframe.experiment import ExperimentInfo
    from xpframe.service import Service

__all__ = ["ExperimentRun", "Job", "WorkspaceStateProvider"]


class ExperimentRun:
    """A run of an experiment, by the names that experimaestro gives its facts. They are read when they are
    first asked for.

    ``load_xp_info`` returns the configs of its jobs.
    """

    def __init__(self, run: _core.Run, runs_count: int | None = None) -> None:
        self._run, self._runs_count = run, runs_count

    @property
    def experiment_id(self) -> str:
        """The name of the experiment."""
        return self._run.experiment

    @property
    def run_id(self) -> str:
        """The identifier of the run; ``v1`` for an experiment of version 1."""
        return self._run.run_id

    @property
    def workdir(self) -> Path:
        """The directory of the run."""
        return self._run.path

    run_dir = workdir

    @property
    def runs_count(self) -> int | None:
        """The number of runs of the experiment; None for a run that was not asked for by its experiment."""
        return self._runs_count

    @cached_property
    def _record(self) -> Any:
        return self._run.record()

    @property
    def status(self) -> State | None:
        """The state of the driver: ``running`` (or killed: see ``alive``), ``done`` or ``failed``."""
        return None if self._record["status"] is None else State(self._record["status"])

    @property
    def alive(self) -> bool | None:
        """Whether the driver process exists now; None if unknown."""
        return cast("bool | None", self._record["alive"])

    @property
    def hostname(self) -> str | None:
        """The host on which the driver ran."""
        return cast("str | None", self._record["hostname"])

    @property
    def started_at(self) -> datetime | None:
        """When the driver started, in UTC."""
        return time_of(self._record["started_at"])

    @property
    def ended_at(self) -> datetime | None:
        """When the driver ended, in UTC; None if it is running or was killed."""
        return time_of(self._record["ended_at"])

    @property
    def run_tags(self) -> set[str]:
        """The tags of the run itself."""
        return set(self._record["run_tags"])

    @cached_property
    def _counts(self) -> Counter[str]:
        return Counter(state for state, _ in self._run.states().values())

    @property
    def total_jobs(self) -> int:
        """The number of its jobs."""
        return self._run.row_count()

    @property
    def finished_jobs(self) -> int:
        """The number of jobs that are done."""
        return self._counts["done"]

    @property
    def failed_jobs(self) -> int:
        """The number of jobs that failed."""
        return self._counts["error"]

    @cached_property
    def jobs(self) -> dict[str, Job]:
        """Its jobs by id, in the order of submission."""
        return {job.identifier: job for job in jobs_of(self._run)}

    @property
    def tags(self) -> dict[str, dict[str, Any]]:
        """The tags of each job that has tags, by job id."""
        return self._run.tags_map()

    @property
    def dependencies(self) -> dict[str, list[str]]:
        """The ids of the jobs that each job depends on, by job id; jobs without dependencies are left out."""
        return self._run.dependencies_map()

    @property
    def services(self) -> dict[str, Service]:
        """Its services, by identifier."""
        return services_of(self._run)

    @property
    def actions(self) -> Actions:
        """Its actions, by identifier."""
        return Actions(self._run)

    def __repr__(self) -> str:
        return f"<ExperimentRun {self.experiment_id!r} {self.run_id}>"


class WorkspaceStateProvider(Workspace):
    """A workspace with the reading methods of experimaestro's class of this name: code that uses it to read
    works with another import.

    Nothing is written, cleaned up, watched or cached: each call reads what the files say now. Differences:
    times are in UTC; states are :class:`~xpframe.state.State`, which equals experimaestro's; unfinished jobs
    of a driver that went away are ``lost``; an unknown name in ``load_xp_info`` and the maps is an error that
    names what is near.

    Args:
        workspace_path: The root directory. Other than for :class:`Workspace`, it may be empty.
        no_cleanup: Has no effect: nothing is ever cleaned up.

    Raises:
        WorkspaceNotFoundError: There is no workspace.
    """

    def __init__(
        self,
        workspace_path: str | os.PathLike[str] | None = None,
        no_cleanup: bool = False,  # noqa: ARG002 - the signature of experimaestro
    ) -> None:
        try:
            super().__init__(workspace_path)
        except WorkspaceNotFoundError:
            if workspace_path is None:
                raise
            self._workspace = _core.Workspace(expanded(workspace_path), without_experiments=True)

    @property
    def workspace_path(self) -> Path:
        """The root directory."""
        return self.path

    @property
    def read_only(self) -> bool:
        """True."""
        return True

    def load_xp_info(
        self, experiment: str, run_id: str | None = None, *, strict: bool = False, quiet: bool = False
    ) -> ExperimentInfo:
        """As :meth:`Workspace.load_xp_info`, but a run without any file is an error, as in experimaestro."""
        refuse_empty(self._run(experiment, run_id))
        return super().load_xp_info(experiment, run_id, strict=strict, quiet=quiet)

    def close(self) -> None:
        """Does nothing: no file is kept open."""

    def get_experiments(
        self,
        since: datetime | None = None,
        *,
        refresh: bool = False,  # noqa: ARG002 - nothing is cached
    ) -> list[ExperimentRun]:
        """The latest run of each experiment that has a run, sorted by name. An experiment that cannot be read
        is left out with a warning; asked for by its name, it raises.

        Args:
            since: Leaves out runs that ended before. A time without a zone is local.
            refresh: Has no effect: nothing is cached.
        """
        latest = []
        for name in self.experiments():
            try:
                latest.append(self.get_experiment(name))
            except ReadError as error:
                report([error], [], strict=False)
        return [run for run in latest if run is not None and _is_since(run.ended_at, since)]

    def get_experiment(
        self,
        experiment_id: str,
        *,
        refresh: bool = False,  # noqa: ARG002 - nothing is cached
    ) -> ExperimentRun | None:
        """The latest run of an experiment; None if there is no such experiment, or it has no run."""
        try:
            run = self._workspace.latest(experiment_id)
            return ExperimentRun(run, len(self._workspace.runs(experiment_id)))
        except (ExperimentNotFoundError, RunNotFoundError):
            return None

    def get_experiment_runs(
        self,
        experiment_id: str,
        *,
        refresh: bool = False,  # noqa: ARG002 - nothing is cached
    ) -> list[ExperimentRun]:
        """The runs of an experiment, newest first; empty if there is no such experiment."""
        try:
            runs = self._workspace.runs(experiment_id)
        except ExperimentNotFoundError:
            return []
        return [ExperimentRun(run, len(runs)) for run in runs]

    def get_current_run(  # type: ignore[override]  # experimaestro returns None, Workspace raises
        self,
        experiment: str,
        *,
        refresh: bool = False,  # noqa: ARG002 - nothing is cached
    ) -> str | None:
        """The id of the latest run of an experiment; None if there is none."""
        run = self.get_experiment(experiment)
        return None if run is None else run.run_id

    def get_jobs(
        self,
        experiment_id: str | None = None,
        run_id: str | None = None,
        task_id: str | None = None,
        state: str | None = None,
        tags: Mapping[str, Any] | None = None,
        since: datetime | None = None,
        *,
        refresh: bool = False,  # noqa: ARG002 - nothing is cached
    ) -> list[Job]:
        """The jobs of a run, in the order of submission.

        Args:
            experiment_id: An experiment; by default all.
            run_id: One of its runs; by default the latest.
            task_id: Keeps the jobs of this task.
            state: Keeps the jobs in this state, by the word of the column ``state``.
            tags: Keeps the jobs that have all these tags with these values.
            since: Leaves out jobs of which nothing later is known. A time without a zone is local.
            refresh: Has no effect: nothing is cached.

        Returns:
            The jobs; none if there is no such experiment or run.
        """
        wanted = (tags or {}).items()
        word = None if state is None else _state_word(state)
        return [
            job
            for run in self._runs_of(experiment_id, run_id)
            for job in jobs_of(run)
            if (task_id is None or job.task_id == task_id)
            and (word is None or job.state == word)
            and all(name in job.tags and job.tags[name] == value for name, value in wanted)
            and _is_since(job.last_time, since)
        ]

    def get_all_jobs(
        self,
        state: str | None = None,
        tags: Mapping[str, Any] | None = None,
        since: datetime | None = None,
        *,
        refresh: bool = False,  # noqa: ARG002 - nothing is cached
    ) -> list[Job]:
        """The jobs of the latest run of each experiment; the arguments are those of :meth:`get_jobs`."""
        return self.get_jobs(state=state, tags=tags, since=since)

    def get_job(
        self,
        task_id: str,
        job_id: str,
        *,
        refresh: bool = False,  # noqa: ARG002 - nothing is cached
    ) -> Job | None:
        """A job that has a directory, as the newest run that lists it shows it; None if it has no directory.

        Args:
            task_id: Its task.
            job_id: Its id.
            refresh: Has no effect: nothing is cached.

        Raises:
            InvalidNameError: A name that is not one plain part of a path.
        """
        if not self._workspace.job_directory(task_id, job_id).is_dir():
            return None
        run = self._workspace.run_of_job(task_id, job_id)
        rows = enumerate([] if run is None else run.rows())
        positions = [position for position, row in rows if row == (job_id, task_id)]
        if run is None or not positions:
            return next(self._jobs_without_run([(task_id, job_id)]))
        return jobs_of(run, positions)[0]

    def get_services(
        self,
        experiment_id: str | None = None,
        run_id: str | None = None,
        *,
        refresh: bool = False,  # noqa: ARG002 - nothing is cached
    ) -> list[Service]:
        """The services of a run; by default of the latest run, of all experiments."""
        runs = self._runs_of(experiment_id, run_id)
        return [service for run in runs for service in services_of(run).values()]

    def get_orphan_jobs(
        self,
        *,
        refresh: bool = False,  # noqa: ARG002 - nothing is cached
    ) -> list[Job]:
        """The jobs that have a directory and that no run lists: their runs were removed, or they were only
        generated. A job that left a process file and no end counts as running.

        Raises:
            ReadError: A run cannot be read, so that its jobs would be taken for orphans.
        """
        directories, errors = self._workspace.jobs()
        listed: set[str] = set()
        for name in self.experiments():
            for run in self._workspace.runs(name):
                listed |= self._listed_jobs(run, errors)
        report(errors, [], strict=False)
        return list(self._jobs_without_run([job for job in directories if job[1] not in listed]))

    def get_stray_jobs(
        self,
        *,
        refresh: bool = False,  # noqa: ARG002 - nothing is cached
    ) -> list[Job]:
        """The jobs that run now and that only earlier runs list, not the latest run of an experiment.

        Raises:
            ReadError: A run cannot be read, so that its jobs would be taken for strays.
        """
        errors: list[XpFrameError] = []
        current: set[str] = set()
        earlier: dict[str, Job] = {}
        for name in self.experiments():
            latest = self.get_current_run(name)
            for run in self._workspace.runs(name):
                if run.run_id == latest:
                    current |= self._listed_jobs(run, errors)
                else:
                    running = (job for job in jobs_of(run) if job.state.running())
                    earlier.update({job.identifier: job for job in running})
        report(errors, [], strict=False)
        return [job for job_id, job in earlier.items() if job_id not in current]

    @staticmethod
    def _listed_jobs(run: _core.Run, errors: list[XpFrameError]) -> set[str]:
        """The ids of the jobs that a run lists. Raises if its list cannot be read; adds its broken lines to
        ``errors``.
        """
        listed = {job_id for job_id, _ in run.rows()}
        unlisted = [error for error in run.errors() if error.job is None]
        report([error for error in unlisted if isinstance(error, ReadError)], [], strict=True)
        errors += unlisted
        return listed

    def _runs_of(self, experiment: str | None, run_id: str | None) -> Iterator[_core.Run]:
        """A run, by default the latest, of an experiment, by default of all."""
        for name in self.experiments() if experiment is None else [experiment]:
            try:
                yield self._run(name, run_id)
            except (ExperimentNotFoundError, RunNotFoundError):
                continue
            except ReadError as error:
                if experiment is not None:
                    raise
                report([error], [], strict=False)

    def _jobs_without_run(self, names: list[tuple[str, str]]) -> Iterator[Job]:
        """Jobs by their directories, as (task, job)."""
        for (task_id, job_id), status in zip(names, self._workspace.job_statuses(names), strict=True):
            path = self.path / "jobs" / task_id / job_id
            yield job_of(status | {"job_id": job_id, "task": task_id, "path": path}, {}, ("", ""))


def _state_word(state: object) -> str:
    """The word of a state, or of a member of experimaestro's enum."""
    word = checked_text("state", state if isinstance(state, str) else getattr(state, "name", state)).lower()
    if word not in STATES:
        raise InvalidArgumentError(f"state={word!r}", hint=f"states are {', '.join(STATES)}")
    return word


def _is_since(time: datetime | None, since: datetime | None) -> bool:  # unknown times count as later
    if since is not None and not hasattr(since, "astimezone"):
        raise InvalidArgumentError(f"since={since!r}", hint="give a datetime")
    return since is None or time is None or time >= since.astimezone()
