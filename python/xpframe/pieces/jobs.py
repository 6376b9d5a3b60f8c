"""The jobs of runs in parts: ranges of rows, with columns that are decided over all runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from xpframe.errors import InvalidArgumentError, ReadError
from xpframe.libraries import missing_library
from xpframe.locate import open_run
from xpframe.options import COLUMN_DEFAULTS, REPORT_DEFAULTS, RUN_DEFAULTS, keyword_options
from xpframe.pieces.framed import Framed
from xpframe.pieces.layout import Layout, load_pyarrow
from xpframe.report import report
from xpframe.request import plan_scan, table_request
from xpframe.resolve import resolve_runs
from xpframe.text import plural
from xpframe.where import rows_where

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Unpack

    import dask.dataframe
    import pandas
    import pyarrow

    from xpframe import _core
    from xpframe.options import Experiments, ScanOptions

__all__ = ["JobParts", "Part", "Parts", "Positions", "parts"]

# of jobs in a run
Positions: TypeAlias = range | tuple[int, ...]

ROWS = 50_000


@dataclass(frozen=True)
class Recipe:
    """What the parts of a call share; it is pickled with each of them.

    Args:
        columns: The full names of the columns whose values each column has; by them no glob matches other
            columns in a part.
        options: ``task``, ``results``, ``max_columns`` and ``timezone`` of the call.
        paths: The paths and types of all runs, as the engine gives them.
        layout: The columns of the outcome.
        strict: Whether to raise the first error.
    """

    columns: Mapping[str, list[str]]
    options: Mapping[str, Any]
    paths: bytes
    layout: Layout
    strict: bool

    def __hash__(self) -> int:
        return hash((self.paths, tuple(self.layout.schema.names)))

    def request(self, names: Sequence[str]) -> _core.TableRequest:
        """What the engine is asked for: some columns, and so the files that they need."""
        return table_request({**self.options, "columns": {name: self.columns[name] for name in names}})


@dataclass(frozen=True)
class Part(Framed):
    """Some jobs of one run. It can be pickled, and is read where it is asked: the files must be there too.

    Args:
        path: The directory of the run.
        rows: The positions of its jobs, among those of the requested tasks.
        jobs: The number of those when the part was made.
        listed_later: The positions, among all jobs of the run, of those that a later run lists too: what
            their directories say belongs to that run.
        recipe: The columns.
    """

    path: str
    rows: Positions
    jobs: int
    listed_later: tuple[int, ...] = field(repr=False)
    recipe: Recipe = field(repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def arrow(self, columns: Sequence[str] | None = None) -> pyarrow.Table:
        """The jobs as an Arrow table.

        Args:
            columns: Some of the columns; then only what they need is read.

        Raises:
            ReadError: The run was changed since the part was made, other than by growing.
        """
        pa, recipe = load_pyarrow(), self.recipe
        layout = self.layout(columns)
        names = layout.schema.names
        if not names or not self.rows:
            return layout.schema.empty_table() if names else pa.table({}).slice(0)
        plan = plan_scan(
            [open_run(self.path)],
            recipe.request(names),
            several_runs=True,
            quiet=True,
            rows=[list(self.rows)],
            paths=recipe.paths,
            listed_later=[list(self.listed_later)],
        )
        tables = list(plan.batches(names, [(0, None)]))
        errors = [error for table in tables for error in table.errors]
        report(errors, [], strict=recipe.strict)
        table = pa.concat_tables([pa.table(part) for part in tables])
        if len(table) != len(self.rows):
            raise ReadError(
                f"had {plural(self.jobs, 'job')} when its parts were made, and has fewer now",
                file=self.path,
                hint="make the parts again",
            )
        return layout.conform(table)


class Parts(Sequence[Any]):
    """Parts with the same columns and types."""

    def __init__(self, parts: Sequence[Any], layout: Layout) -> None:
        self._parts, self._layout = list(parts), layout

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Any: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(self._parts[index], self._layout)
        return self._parts[index]

    def __len__(self) -> int:
        return len(self._parts)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parts)

    def __repr__(self) -> str:
        return f"<{plural(len(self), 'part')} of {plural(len(self._layout.schema.names), 'column')}>"

    @property
    def schema(self) -> pyarrow.Schema:
        """The Arrow schema of each part."""
        return self._layout.schema

    @property
    def meta(self) -> pandas.DataFrame:
        """An empty DataFrame of pandas with the types that each part has."""
        return self._layout.pandas(self._layout.schema.empty_table())

    def dask(self) -> dask.dataframe.DataFrame:
        """The parts as a DataFrame of Dask, a partition each. Only columns that are used are read.

        Raises:
            MissingLibraryError: Dask is not installed.
        """
        try:
            import dask.dataframe as dd
        except Exception as error:
            hint = "pip install 'xpframe[dask]'"
            raise missing_library(error, ".dask() needs", "dask", "dask.dataframe", hint=hint) from error
        if not self._parts:
            return dd.from_pandas(self.meta, npartitions=1)
        return dd.from_map(read_part, self._parts, meta=self.meta, label="xpframe", enforce_metadata=False)


class JobParts(Parts):
    """The jobs of runs in parts: a sequence of :class:`Part`."""


def read_part(part: Any, columns: Sequence[str] | None = None) -> pandas.DataFrame:
    """A part as Dask reads it, which asks for the columns that a query needs."""
    frame: pandas.DataFrame = part.pandas(columns)
    return frame


@keyword_options(RUN_DEFAULTS, COLUMN_DEFAULTS, REPORT_DEFAULTS)
def parts(experiment: Experiments, *, rows: int = ROWS, **options: Unpack[ScanOptions]) -> JobParts:
    """Experiments in parts that can be pickled, for Dask and other engines of several processes or machines.

    Names and types of the columns are decided now, over all runs; a part opens the files of its own jobs.
    A column that a run lacks is null, one that is null everywhere is text.

    >>> import xpframe
    >>> pieces = xpframe.parts("grid-search", workspace=xpframe.sample_workspace(), rows=5)
    >>> [len(part) for part in pieces]
    [4, 4, 4]

    Args:
        experiment: As for :func:`xpframe.xp_frame`.
        rows: The number of jobs of a part, at most; parts of a run are of about the same size.
        workspace: As for :func:`xpframe.xp_frame`. Its path must be the same for all readers.
        run: ``"latest"``, ``"all"``, ``"distinct"``, a run id, or a list of run ids.
        task: Keeps the jobs of these tasks only: full names, last components, or globs.
        where: Keeps the jobs that pass a filter, as for :func:`xpframe.xp_frame`. It is applied now.
        columns: The columns, as for :func:`xpframe.xp_frame`.
        results: What jobs wrote, as columns, as for :func:`xpframe.xp_frame`.
        max_columns: Raises an error if there are more columns.
        timezone: The IANA name of the time zone of times that the files hold without one.
        strict: Raises the first error instead of a warning, in each part too.
        quiet: Hides progress of this call; parts show none.

    Raises:
        WorkspaceNotFoundError, ExperimentNotFoundError, RunNotFoundError: There is no such workspace,
            experiment or run.
        ColumnError, TooManyColumnsError: There is no such column, or there are too many.
        InvalidArgumentError: An argument has a wrong type or value.
        MissingLibraryError: pyarrow is not installed.
    """
    pa = load_pyarrow()
    check_rows(rows)
    runs, several = resolve_runs(experiment, options["workspace"], options["run"])
    kept = rows_where(runs, options["where"], options)
    request = table_request(options)
    plan = plan_scan(runs, request, several_runs=several, quiet=options["quiet"], rows=kept)
    layout = Layout.of(pa.schema(plan), categories_of(plan))
    recipe = Recipe(
        dict(zip(plan.column_names, plan.sources, strict=True)),
        {name: options[name] for name in ("task", "results", "max_columns", "timezone", "naive_times")},
        plan.paths(),
        layout,
        options["strict"],
    )
    jobs = listed_jobs(runs, options["task"])
    positions = wanted_rows(jobs, kept)
    if options["run"] == "distinct":
        positions = without(positions, later_rows(experiments_of(runs), jobs))
    later = listed_later(runs, options["task"], jobs, options["run"])
    made = [
        Part(str(run.path), some, len(all_jobs), repeated, recipe)
        for run, all_jobs, whole, repeated in zip(runs, jobs, positions, later, strict=True)
        for some in ranges(whole, rows)
    ]
    return JobParts(made, layout)


def check_rows(rows: object) -> None:
    """Refuses what is no size of a part."""
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
        raise InvalidArgumentError(f"rows={rows!r}", hint="it is the number of jobs of a part, 1 or more")


def ranges(positions: Positions, size: int) -> Iterator[Positions]:
    """Positions in pieces of about the same size, at most ``size``."""
    count = -(-len(positions) // size)
    for piece in range(count):
        yield positions[piece * len(positions) // count : (piece + 1) * len(positions) // count]


def categories_of(plan: _core.ScanPlan) -> dict[str, list[str]]:
    """The values of each column of enums over all runs, sorted."""
    names = [name for name, kind in plan.empty().schema if kind.startswith("Dictionary")]
    values: dict[str, set[str]] = {name: set() for name in names}
    if names:
        for table in plan.batches(names, [(index, None) for index in range(len(plan.runs))]):
            for name in names:
                values[name].update(value for value in table.column_values(name) if value is not None)
    return {name: sorted(found) for name, found in values.items()}


def listed_jobs(runs: list[_core.Run], task: Any) -> list[list[str]]:
    """The identifiers of the jobs of the requested tasks, for each run."""
    plan = plan_scan(
        runs, table_request({"columns": ["job_id"], "task": task}), several_runs=True, quiet=True
    )
    tables = plan.batches(["job_id"], [(index, None) for index in range(len(runs))])
    return [table.column_values("job_id") for table in tables]


def later_rows(groups: list[str], ids: list[list[str]]) -> list[tuple[int, ...]]:
    """For each run the positions of jobs that a later run of the same group lists too."""
    seen: dict[str, set[str]] = {}
    found: list[tuple[int, ...]] = []
    for group, jobs in zip(reversed(groups), reversed(ids), strict=True):
        known = seen.setdefault(group, set())
        repeated = not known.isdisjoint(jobs)
        found.append(tuple(row for row, job in enumerate(jobs) if job in known) if repeated else ())
        known.update(jobs)
    return found[::-1]


def listed_later(runs: list[_core.Run], task: Any, jobs: list[list[str]], run: Any) -> list[tuple[int, ...]]:
    """The positions, among all jobs of each run, of those that a later run of the workspace lists too; none
    where each experiment has one run, or each job is wanted once.
    """
    if run == "distinct" or len(set(experiments_of(runs))) == len(runs):
        return [()] * len(runs)
    return later_rows([str(run.workspace) for run in runs], jobs if task is None else listed_jobs(runs, None))


def experiments_of(runs: list[_core.Run]) -> list[str]:
    """The experiment of each run, as its directory."""
    return [f"{run.workspace}/{run.experiment}" for run in runs]


def wanted_rows(ids: list[list[str]], kept: list[list[int]] | None) -> list[Positions]:
    """The positions to read of each run: all, or those that a filter kept."""
    if kept is None:
        return [range(len(jobs)) for jobs in ids]
    return [tuple(rows) for rows in kept]


def without(positions: list[Positions], left_out: list[tuple[int, ...]]) -> list[Positions]:
    """The positions of each run but some."""
    sets = [set(rows) for rows in left_out]
    return [
        tuple(row for row in some if row not in left) if left else some
        for some, left in zip(positions, sets, strict=True)
    ]
