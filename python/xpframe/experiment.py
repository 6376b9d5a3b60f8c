"""A loaded run: its jobs and actions as objects, and its facts."""

from __future__ import annotations

import time
from _collections_abc import ItemsView, Mapping, ValuesView  # collections.abc brings all of collections along

from xpframe.action import Action
from xpframe.displayed import Displayed
from xpframe.errors import InvalidArgumentError, JobNotFoundError, RunNotFoundError, XpFrameError
from xpframe.locate import open_run
from xpframe.options import FAILURE_DEFAULTS, INFO_DEFAULTS, SERIES_DEFAULTS, keyword_options
from xpframe.report import report
from xpframe.reported import Reported
from xpframe.text import plural, visible

# typing, pathlib and datetime each take longer to import than to read a run of some hundred jobs
TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path
    from typing import Any, Literal, Unpack, overload

    import pandas
    import polars
    import pyarrow

    from xpframe import _core
    from xpframe.analysis.compare import Comparison
    from xpframe.changes import Changes
    from xpframe.failed_jobs import Failures
    from xpframe.options import Backend, FailureOptions, InfoOptions, SeriesOptions
    from xpframe.plots import Plots
    from xpframe.results import Result
    from xpframe.service import Service

__all__ = ["Action", "Actions", "ExperimentInfo", "Jobs", "load_xp_info", "open_info"]

# smaller runs are read before progress would be shown
MIN_BYTES_FOR_PROGRESS = 64_000


class _Configs(Displayed, Mapping[str, "Any"]):
    """A mapping from identifiers to configs, in experimaestro's order; a config is built on access."""

    _noun: str

    def __init__(self, run: _core.Run) -> None:
        self._run = run

    def _ids(self, positions: range) -> Iterator[str]:
        raise NotImplementedError

    def _pairs(self) -> Iterator[tuple[str, Any]]:
        raise NotImplementedError

    def _config(self, identifier: str) -> Any:
        raise NotImplementedError

    def __reduce__(self) -> tuple[type[_Configs], tuple[_core.Run]]:
        return type(self), (self._run,)

    def __getitem__(self, identifier: str) -> Any:
        """The config with this identifier, or the only one that begins so (at least four characters)."""
        if not isinstance(identifier, str):
            # a KeyError, so that `get` works with any key, as for a dict
            raise JobNotFoundError(f"no {self._noun} {identifier!r}", hint="identifiers are strings")
        try:
            return self._config(identifier)
        except UnicodeEncodeError as error:
            hint = "it has an unpaired surrogate, and no identifier has"
            raise JobNotFoundError(f"no {self._noun} {identifier!r}", hint=hint) from error

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
        count = plural(len(self), self._noun)
        return f"<{count} of {visible(self._run.experiment)} {visible(self._run.run_id)}>"


class _Items(ItemsView[str, "Any"]):
    _mapping: _Configs

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return self._mapping._pairs()  # noqa: SLF001 - ours


class _Values(ValuesView["Any"]):
    _mapping: _Configs

    def __iter__(self) -> Iterator[Any]:
        return (config for _, config in self._mapping._pairs())  # noqa: SLF001 - ours


class Jobs(_Configs):
    """The configs of the jobs of a run, by job id, in experimaestro's order.

    The beginning of an id, as displays show it, is enough where no other begins with it:
    ``info.jobs["eed7695f"]``. Fewer than four characters, or several jobs, are a ``JobNotFoundError``.
    """

    _noun = "job"

    def _ids(self, positions: range) -> Iterator[str]:
        return map(self._run.job_id, positions)

    def _pairs(self) -> Iterator[tuple[str, Any]]:
        previous = None
        for position in range(len(self)):
            pair = self._run.job_at(position)
            yield pair
            # keeps the previous job alive: objects that the next job shares with it are not built again
            previous = pair  # noqa: F841 - only to keep it alive

    def __len__(self) -> int:
        return self._run.job_count()

    def _config(self, identifier: str) -> _core.Config:
        return self._run.job(identifier)

    def _display(self, *, as_html: bool) -> str:
        from xpframe.display.jobs import jobs_html, jobs_text

        return (jobs_html if as_html else jobs_text)(self._run)


class Actions(_Configs):
    """The actions of a run, by identifier, in experimaestro's order."""

    _noun = "action"

    def _ids(self, positions: range) -> Iterator[str]:
        return map(self._run.action_ids().__getitem__, positions)

    def _pairs(self) -> Iterator[tuple[str, Any]]:
        return ((identifier, self._config(identifier)) for identifier in self)

    def __len__(self) -> int:
        return len(self._run.action_ids())

    def _config(self, identifier: str) -> Action:
        return Action(*self._run.action(identifier))

    def _display(self, *, as_html: bool) -> str:
        from xpframe.display.actions import actions_html, actions_text

        return (actions_html if as_html else actions_text)(self._run)


class ExperimentInfo(Displayed, Reported):
    """A run of an experiment: its jobs and actions as objects, its metadata, and errors of reading.

    :func:`load_xp_info` and :meth:`Workspace.load_xp_info` create it. It has the jobs of the moment when it
    was loaded; :meth:`refresh` returns the run as it is now. A pickle holds the path of the run, for workers
    that see the same files, and reads it again there.
    """

    def __init__(self, run: _core.Run, loaded_at: int | None = None) -> None:
        self._run = run
        # for `since`
        self._loaded_at = time.time_ns() // 1000 if loaded_at is None else loaded_at
        self.jobs = Jobs(run)
        self.actions = Actions(run)

    def __reduce__(self) -> tuple[type[ExperimentInfo], tuple[_core.Run, int]]:
        return ExperimentInfo, (self._run, self._loaded_at)

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
        """The tags of each job that has tags, by job id."""
        return self._run.tags_map()

    @property
    def dependencies(self) -> dict[str, list[str]]:
        """The ids of the jobs that each job depends on, by job id; jobs without dependencies are left out."""
        return self._run.dependencies_map()

    @property
    def states(self) -> dict[str, str]:
        """The state of each job, by job id: done, error, running, waiting, ready, scheduled, unscheduled,
        transient or lost.
        """
        return {job_id: state for job_id, (state, _) in self._run.states().items()}

    @property
    def results_path(self) -> Path:
        """The directory for results of the run as a whole, ``xp.resultspath``; it may not exist."""
        return self._run.path / "results"

    @property
    def services(self) -> dict[str, Service]:
        """The services that the run added, as TensorBoard, by identifier."""
        from xpframe.service import services_of

        return services_of(self._run)

    @property
    def saved(self) -> list[str]:
        """The names of the objects saved with ``xp.save``."""
        return self._run.saved_names()

    def load(self, saved: str = "default") -> Any:
        """Loads an object saved with ``xp.save``: a config, or lists and dicts of configs.

        Raises:
            JobNotFoundError: There is no object of this name.
        """
        return self._run.saved(saved)

    def refresh(self, *, strict: bool = False, quiet: bool = False) -> ExperimentInfo:
        """Loads the run as it is now. Jobs and configs are read again only if their files changed.

        This object does not change: :meth:`since` compares the two.

        Args:
            strict: Raises the first error.
            quiet: Hides progress.
        """
        return open_info(self._run.refreshed, strict=strict, quiet=quiet)

    def since(self, previous: ExperimentInfo) -> Changes | Comparison:
        """The jobs that were added, started or finished, or became ``error`` or ``lost``, since ``previous``.

        The old states are those that ``previous.states``, or a display or picture of ``previous``, told last.
        If none did, they are those when it was loaded: a job without a newer marker file or event counts as
        unchanged, and each lost job counts as lost since then.

        Args:
            previous: The same run, loaded earlier; or another run of the experiment: then the result is
                ``previous.compare(self)``.

        Raises:
            InvalidArgumentError: ``previous`` is a run of another experiment.
        """
        if not isinstance(previous, ExperimentInfo):
            hint = "give the same run as it was loaded earlier: info.refresh().since(info)"
            raise InvalidArgumentError(f"previous={previous!r}", hint=hint)
        from xpframe.changes import since

        before = previous._run
        if (before.workspace, before.experiment) == (self._run.workspace, self._run.experiment) and (
            before.path != self._run.path
        ):
            return previous.compare(self)
        return since(self._run, before, previous._loaded_at)

    def compare(self, other: ExperimentInfo, *, backend: Backend = "pandas") -> Comparison:
        """Compares this run with a later one, of any experiment: which jobs were added, are gone or the same,
        and which parameters were added, removed, retyped or look renamed; see :func:`xpframe.compare`.

        Args:
            other: The later run.

            backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``, of the frames of the result.
        """
        from xpframe.analysis.compare import compare

        return compare(self, other, backend=backend)

    @property
    def status(self) -> str | None:
        """The state of the driver: ``running``, ``done`` or ``failed``. A killed driver stays ``running``,
        but is not ``alive``.
        """
        status: str | None = self._run.record()["status"]
        return status

    @property
    def alive(self) -> bool | None:
        """Whether the driver process exists now; None if unknown."""
        alive: bool | None = self._run.record()["alive"]
        return alive

    @property
    def hostname(self) -> str | None:
        """The host on which the driver ran."""
        hostname: str | None = self._run.record()["hostname"]
        return hostname

    @property
    def started_at(self) -> datetime | None:
        """When the driver started, in UTC."""
        return _time(self._run.record()["started_at"])

    @property
    def ended_at(self) -> datetime | None:
        """When the driver ended, in UTC; None if it is running or was killed."""
        return _time(self._run.record()["ended_at"])

    @property
    def environment(self) -> dict[str, Any]:
        """The environment of the driver: ``python_version``, ``packages``, ``git`` (a list of repositories)
        and ``run_tags``.
        """
        record = self._run.record()
        return {name: record[name] for name in ("python_version", "packages", "git", "run_tags")}

    @property
    def errors(self) -> list[XpFrameError]:
        """Errors in the files that were read so far."""
        return self._run.errors()

    @property
    def plot(self) -> Plots:
        """Pictures: ``plot.states()``, ``.parallel()``, ``.series(…)``, ``.timeline()`` and ``.tasks()``."""
        from xpframe.plots import Plots

        return Plots(self._run)

    @keyword_options(INFO_DEFAULTS)
    def table(self, **options: Unpack[InfoOptions]) -> _core.Table:
        """The jobs as an Arrow table; the arguments are those of :func:`xpframe.xp_frame`."""
        from xpframe.frames import table_of_runs

        return table_of_runs([self._run], options)

    if TYPE_CHECKING:

        @overload
        def frame(
            self, *, backend: Literal["pandas"] = "pandas", **options: Unpack[InfoOptions]
        ) -> pandas.DataFrame: ...
        @overload
        def frame(
            self, *, backend: Literal["polars"], **options: Unpack[InfoOptions]
        ) -> polars.DataFrame: ...
        @overload
        def frame(self, *, backend: Literal["pyarrow"], **options: Unpack[InfoOptions]) -> pyarrow.Table: ...

    @keyword_options(INFO_DEFAULTS)
    def frame(
        self, *, backend: Backend = "pandas", **options: Unpack[InfoOptions]
    ) -> pandas.DataFrame | polars.DataFrame | pyarrow.Table:
        """The jobs as a DataFrame; the arguments are those of :func:`xpframe.xp_frame`."""
        from xpframe.frames import frame_of_runs

        return frame_of_runs([self._run], options, backend=backend)

    @keyword_options(SERIES_DEFAULTS)
    def series(
        self, handle: str | Result, *, backend: Backend = "pandas", **options: Unpack[SeriesOptions]
    ) -> Any:
        """Every row that jobs wrote; the arguments are those of :func:`xpframe.xp_series`."""
        from xpframe.series import series_of

        return series_of([self._run], handle, options, backend=backend)

    @keyword_options(FAILURE_DEFAULTS)
    def failures(self, **options: Unpack[FailureOptions]) -> Failures:
        """Why jobs of the run failed, by cause; it shows itself, and ``.frame()`` has a row a job.

        Args:
            task: Tasks to keep: identifiers, their last component, or globs.
            where: Keeps the jobs that pass a filter, as for :func:`xpframe.xp_frame`.
            strict: Whether to raise at the first log that cannot be read.
            quiet: Hide progress.
        """
        from xpframe.failed_jobs import failures_of

        return failures_of([self._run], options)

    def _one_line(self) -> str:
        counts = f"{plural(self._run.row_count(), 'job')}, {plural(len(self.actions), 'action')}"
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
        path: For example ``ws/experiments/grid-search/20260319_120000``, the ``current`` link, or
            ``ws/xp/NAME``.
        strict: Raises the first error. By default, ``errors`` lists all of them.
        quiet: Hides progress.

    Returns:
        The run. Its jobs and actions are built on access.

    Raises:
        RunNotFoundError: There is no run at this path, or its driver has written nothing yet. By name,
            ``Workspace().load_xp_info(name)``, such a run has no jobs.
    """
    run = open_run(path)
    refuse_empty(run)
    return open_info(lambda: run, strict=strict, quiet=quiet)


def refuse_empty(run: _core.Run) -> None:
    """Refuses a directory without any file of a run, as experimaestro does."""
    if run.is_empty():
        raise RunNotFoundError(
            "this run has no files", file=str(run.path), hint="its driver wrote nothing, or not yet"
        )


def open_info(opened: Callable[[], _core.Run], *, strict: bool, quiet: bool) -> ExperimentInfo:
    """Opens and loads a run; progress is shown for large runs."""
    # file systems use a clock that may be some milliseconds behind
    started = time.time_ns() // 1000 - 10_000
    run = opened()
    if quiet or run.size < MIN_BYTES_FOR_PROGRESS:
        run.load()
    else:
        from xpframe.progress import reading

        with reading(run.experiment):
            run.load()
    report(run.errors(), [], strict=strict, listed_in=".errors")
    return ExperimentInfo(run, started)
