"""Why jobs failed: a frame with a row for each failed job, and groups of failures with one cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from xpframe import _core
from xpframe.arguments import checked_texts
from xpframe.backends.convert import converter_for
from xpframe.displayed import Displayed
from xpframe.failure import Failure, FailureGroup, by_cause
from xpframe.options import FAILURE_DEFAULTS, RUN_DEFAULTS, keyword_options
from xpframe.progress import reading
from xpframe.report import report
from xpframe.request import title_of
from xpframe.resolve import resolve_runs
from xpframe.where import rows_where

if TYPE_CHECKING:
    from typing import Unpack

    from xpframe.options import Backend, Experiments, FailureOptions, RunFailureOptions

__all__ = [
    "Failure",
    "FailureGroup",
    "Failures",
    "failures",
    "failures_of",
    "named_failures",
    "unreported_failures",
]


class Failures(Displayed, Sequence[Failure]):
    """The failed jobs of runs: a sequence of :class:`Failure`, and a table that Arrow libraries take.

    ``print`` it for text: the causes, those of most jobs first; in a notebook it shows itself.
    """

    def __init__(self, title: str, table: _core.Table) -> None:
        self._title, self._table = title, table
        self._failures: list[Failure] | None = None

    @property
    def title(self) -> str:
        """What was read, in a few words."""
        return self._title

    @property
    def errors(self) -> list[Any]:
        """What could not be read: exceptions of ``xpframe.errors``, not raised."""
        return self._table.errors

    @property
    def groups(self) -> list[FailureGroup]:
        """The failures by cause, those of most jobs first."""
        return by_cause(self)

    def table(self) -> _core.Table:
        """The failures as an Arrow table, one row a job."""
        return self._table

    def frame(self, *, backend: Backend = "pandas") -> Any:
        """The failures as a DataFrame of pandas, polars or pyarrow, one row a job."""
        return converter_for(backend)(self._table)

    def _read(self) -> list[Failure]:
        if self._failures is None:
            self._failures = list(_failures_in(self._table))
        return self._failures

    def __arrow_c_schema__(self) -> object:
        return self._table.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, index: Any) -> Any:
        return self._read()[index]

    def __iter__(self) -> Iterator[Failure]:
        return iter(self._read())

    def _one_line(self) -> str:
        from xpframe.display.failures import heading

        return f"<Failures of {heading(self._title, self.groups)}>"

    def __str__(self) -> str:
        return self._display(as_html=False)

    def _display(self, *, as_html: bool) -> str:
        from xpframe.display.failures import failures_html, failures_text

        return (failures_html if as_html else failures_text)(self._title, self.groups)


@keyword_options(RUN_DEFAULTS, FAILURE_DEFAULTS)
def failures(
    experiment: Experiments, *, backend: Backend = "pandas", **options: Unpack[RunFailureOptions]
) -> Any:
    """Reads why jobs failed into a DataFrame: one row a job whose state is ``error`` or ``lost``.

    Columns: ``job_id``, ``task``, ``tags.*``, ``failure``, ``exit_code``, ``exception``, ``message``,
    ``location``, ``cause``, ``blocked_by``, ``cause_group``, ``log``, ``tail``; before them ``experiment``
    and ``run`` if several runs are read. They are explained at :class:`Failure`.

    A job's directory holds its last attempt: of several runs that list a job, the last one has its row.

    Args:
        experiment: A name, a list of names, a glob, or the path of a run directory.

        workspace: The root of the workspace, or several; found as for :func:`xpframe.xp_frame` if not given.

        run: ``"latest"``, ``"all"``, the identifier of a run, or a list of them; ``"distinct"`` is ``"all"``.

        task: Tasks to keep: identifiers, their last component, or globs.

        where: Keeps the jobs that pass a filter, as for :func:`xpframe.xp_frame`.

        backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``.

        strict: Whether to raise at the first thing that cannot be read. Otherwise one
            :class:`~xpframe.errors.XpFrameWarning` says what could not.

        quiet: Hide progress.

    Returns:
        A DataFrame of the backend. Most logs are short; of a long one the end is read, and a little of its
        beginning.

    Raises:
        WorkspaceNotFoundError, ExperimentNotFoundError, RunNotFoundError: What was asked for is not there.
        MissingLibraryError: The backend is not installed.
    """
    convert = converter_for(backend)
    runs, several = resolve_runs(experiment, options["workspace"], options["run"])
    return convert(_table(runs, several, options, backend=backend))


def failures_of(runs: list[_core.Run], options: FailureOptions, *, several_runs: bool = False) -> Failures:
    """The failed jobs of runs that are open already, as an object that shows itself."""
    title = title_of([(run.experiment, run.run_id) for run in runs])
    return Failures(title, _table(runs, several_runs, options))


@keyword_options(RUN_DEFAULTS, FAILURE_DEFAULTS)
def named_failures(experiment: Experiments, **options: Unpack[RunFailureOptions]) -> Failures:
    """The failed jobs of experiments by name, as an object that shows itself."""
    runs, several = resolve_runs(experiment, options["workspace"], options["run"])
    return failures_of(runs, options, several_runs=several)


def unreported_failures(run: _core.Run) -> Failures:
    """The failed jobs of a run, for a caller that reports ``errors`` with its own."""
    return Failures(title_of([(run.experiment, run.run_id)]), _read([run], FAILURE_DEFAULTS, quiet=True))


def _table(
    runs: list[_core.Run], several: bool, options: FailureOptions, *, backend: str = "polars"
) -> _core.Table:
    table = _read(runs, options, several=several, backend=backend, quiet=options["quiet"])
    report(table.errors, table.warnings, strict=options["strict"])
    return table


def _read(
    runs: list[_core.Run],
    options: FailureOptions,
    *,
    several: bool = False,
    backend: str = "polars",
    quiet: bool,
) -> _core.Table:
    task = options["task"]
    tasks = None if task is None else checked_texts("task", task)
    title = title_of([(run.experiment, run.run_id) for run in runs])
    rows = rows_where(runs, options["where"], options)
    # how many logs there are to read is known at the end only
    with reading(f"failures of {title}", quiet=quiet, size=None):
        return _core.read_failures(runs, several_runs=several, tasks=tasks, backend=backend, rows=rows)


def _failures_in(table: _core.Table) -> Iterator[Failure]:
    names = table.column_names
    tagged = {name: name.removeprefix("tags.") for name in names if name.startswith("tags.")}
    plain = [name for name in names if name in Failure.__slots__]
    columns = {name: table.column_values(name) for name in [*tagged, *plain]}
    for row in range(len(table)):
        tags = {short: columns[name][row] for name, short in tagged.items()}
        yield Failure(
            **{name: columns[name][row] for name in plain},
            tags={name: value for name, value in tags.items() if value is not None},
        )
